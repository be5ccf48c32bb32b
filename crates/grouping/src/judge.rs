//! What stack-trace rules say of every stack of an event, asked once.

use std::borrow::Cow;

use copal_protocol::event::{Event, Exception, Frame, Stacktrace};
use copal_protocol::json::{Json, Number};

use crate::family::Family;
use crate::frame::function_name;
use crate::rules::{ExceptionFacts, FrameFacts, Ruling, StackRules};

/// Under this key of a frame's data stands what the SDK said of `in_app`, where rules changed it.
///
/// 1 is yes, 0 no, and -1 that it said nothing. Without it, rules could not be changed later.
const ORIGINAL: &str = "orig_in_app";

/// What stack-trace rules say of the stacks of one event.
#[derive(Debug, Default)]
pub struct Judged {
    exceptions: Vec<Option<Ruling>>,
    threads: Vec<Option<Ruling>>,
    stacktrace: Option<Ruling>,
}

impl Judged {
    /// Asks the rules.
    pub fn of(event: &Event<'_>, rules: &StackRules) -> Self {
        let platform = event.platform.as_deref().unwrap_or("other");
        let judge = |stack: &Option<Stacktrace<'_>>, facts: &ExceptionFacts<'_>| {
            stack
                .as_ref()
                .map(|stack| judge_stack(&stack.frames, platform, facts, rules))
        };
        let exceptions = event.exceptions.iter();
        let threads = event.threads.iter();
        let none = ExceptionFacts::default();
        Self {
            exceptions: exceptions
                .map(|exception| judge(&exception.stacktrace, &exception_facts(exception)))
                .collect(),
            threads: threads
                .map(|thread| judge(&thread.stacktrace, &none))
                .collect(),
            stacktrace: judge(&event.stacktrace, &none),
        }
    }

    /// Corrects `in_app` of all frames as the rules say, and keeps what the SDK said.
    ///
    /// What is blamed, opened and searched are then the frames that group. Frames that no rule speaks
    /// of are as the SDK marked them; doing it again, by these rules or others, starts from there too.
    pub fn mark(&self, event: &mut Event<'_>) {
        let exceptions = event
            .exceptions
            .iter_mut()
            .map(|exception| &mut exception.stacktrace);
        let threads = event
            .threads
            .iter_mut()
            .map(|thread| &mut thread.stacktrace);
        let stacks = exceptions
            .zip(&self.exceptions)
            .chain(threads.zip(&self.threads));
        for (stack, ruling) in stacks.chain([(&mut event.stacktrace, &self.stacktrace)]) {
            if let (Some(stack), Some(ruling)) = (stack, ruling) {
                for (frame, ruling) in stack.frames.iter_mut().zip(&ruling.frames) {
                    mark_frame(frame, ruling.app_rule.map(|_| ruling.in_app));
                }
            }
        }
    }

    pub(crate) fn exception(&self, index: usize) -> Option<&Ruling> {
        self.exceptions.get(index)?.as_ref()
    }

    pub(crate) fn thread(&self, index: usize) -> Option<&Ruling> {
        self.threads.get(index)?.as_ref()
    }

    pub(crate) const fn stacktrace(&self) -> Option<&Ruling> {
        self.stacktrace.as_ref()
    }

    /// Each frame of the event, and whether it is the application's.
    pub(crate) fn frames<'e, 'a>(
        &self,
        event: &'e Event<'a>,
    ) -> impl Iterator<Item = (&'e Frame<'a>, bool)> {
        let exceptions = event
            .exceptions
            .iter()
            .map(|exception| &exception.stacktrace);
        let threads = event.threads.iter().map(|thread| &thread.stacktrace);
        exceptions
            .zip(&self.exceptions)
            .chain(threads.zip(&self.threads))
            .chain([(&event.stacktrace, &self.stacktrace)])
            .filter_map(|(stack, ruling)| Some((stack.as_ref()?, ruling.as_ref()?)))
            .flat_map(|(stack, ruling)| {
                stack
                    .frames
                    .iter()
                    .zip(ruling.frames.iter().map(|frame| frame.in_app))
            })
    }
}

fn exception_facts<'a>(exception: &'a Exception<'_>) -> ExceptionFacts<'a> {
    let mechanism = exception.mechanism.as_ref();
    ExceptionFacts {
        kind: exception.kind.as_deref(),
        value: exception.value.as_deref(),
        mechanism: mechanism.and_then(|mechanism| mechanism.kind.as_deref()),
    }
}

fn judge_stack(
    frames: &[Frame<'_>],
    platform: &str,
    exception: &ExceptionFacts<'_>,
    rules: &StackRules,
) -> Ruling {
    let names: Vec<Option<Cow<'_, str>>> = frames
        .iter()
        .map(|frame| function_name(frame, platform_of(frame, platform)))
        .collect();
    let facts: Vec<FrameFacts<'_>> = frames
        .iter()
        .zip(&names)
        .map(|(frame, name)| FrameFacts {
            family: Family::of(platform_of(frame, platform)),
            path: frame.abs_path.as_deref().or(frame.filename.as_deref()),
            module: frame.module.as_deref(),
            function: name.as_deref(),
            package: frame.package.as_deref(),
            in_app: as_sent(frame),
        })
        .collect();
    rules.apply(&facts, exception)
}

pub(crate) fn platform_of<'a>(frame: &'a Frame<'_>, platform: &'a str) -> &'a str {
    frame.platform.as_deref().unwrap_or(platform)
}

/// What the SDK said of `in_app`.
fn as_sent(frame: &Frame<'_>) -> Option<bool> {
    match frame.data.get(ORIGINAL) {
        Some(Json::Number(Number::Unsigned(original))) => Some(*original != 0),
        Some(Json::Number(Number::Signed(_))) => None,
        _ => frame.in_app,
    }
}

fn mark_frame(frame: &mut Frame<'_>, mark: Option<bool>) {
    let sent = as_sent(frame);
    frame.in_app = mark.or(sent);
    if frame.in_app == sent {
        if !frame.data.is_empty() {
            frame.data.remove(ORIGINAL);
        }
        return;
    }
    let number = match sent {
        Some(is_own) => Number::Unsigned(u64::from(is_own)),
        None => Number::Signed(-1),
    };
    frame.data.insert(ORIGINAL, Json::Number(number));
}

#[cfg(test)]
mod tests {
    use copal_protocol::parse_lenient;

    use super::*;
    use crate::rules::Rules;

    const PANIC: &[u8] =
        br#"{"platform":"native","exception":{"values":[{"type":"panic","stacktrace":{"frames":[
        {"function":"worker::settle","in_app":true},
        {"function":"worker::log"},
        {"function":"core::panicking::panic_fmt","in_app":false},
        {"function":"std::panicking::begin_panic_handler"},
        {"function":"sentry_panic::panic_handler","in_app":true}
    ]}}]}}"#;

    fn marks(event: &Event<'_>) -> Vec<Option<bool>> {
        let stack = event.exceptions[0].stacktrace.as_ref().unwrap();
        stack.frames.iter().map(|frame| frame.in_app).collect()
    }

    #[test]
    fn rules_correct_the_sdk_and_leave_what_they_do_not_know() {
        let mut scratch = Vec::new();
        let mut event = Event::from_json(parse_lenient(PANIC, &mut scratch).unwrap()).unwrap();
        let before = crate::group(&event).hashes;
        let rules = &Rules::builtin().stack;
        Judged::of(&event, rules).mark(&mut event);
        let marked = marks(&event);
        assert_eq!(
            marked,
            [Some(true), None, Some(false), Some(false), Some(false)]
        );
        assert_eq!(crate::group(&event).hashes, before);
        let text = event.to_json_text();
        Judged::of(&event, rules).mark(&mut event);
        assert_eq!(event.to_json_text(), text);
    }

    #[test]
    fn other_rules_start_from_what_the_sdk_said() {
        let mut scratch = Vec::new();
        let mut event = Event::from_json(parse_lenient(PANIC, &mut scratch).unwrap()).unwrap();
        Judged::of(&event, &Rules::builtin().stack).mark(&mut event);
        let rules = StackRules::parse("function:worker::* -app\nfunction:sentry* +app").unwrap();
        Judged::of(&event, &rules).mark(&mut event);
        assert_eq!(
            marks(&event),
            [
                Some(false),
                Some(false),
                Some(false),
                Some(false),
                Some(true)
            ]
        );
        Judged::of(&event, &Rules::builtin().stack).mark(&mut event);
        assert_eq!(
            marks(&event),
            [Some(true), None, Some(false), Some(false), Some(false)]
        );
    }
}
