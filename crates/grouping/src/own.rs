//! Whose code a frame is: the rules' word beside the SDK's.

use copal_protocol::event::{Event, Frame};

use crate::frame::{FrameParts, facts};
use crate::rules::{ExceptionFacts, Rules};
use crate::stack::platform_of;
use crate::strategy::exception_facts;

/// Corrects `in_app` of all frames as the built-in rules say.
///
/// What is blamed, opened and searched are then the frames that group. Frames that no rule speaks
/// of stay as the SDK marked them; doing it again changes nothing.
pub fn mark_own_frames(event: &mut Event<'_>) {
    let rules = Rules::builtin();
    let platform = event.platform.as_deref().unwrap_or("other").to_owned();
    for exception in event.exceptions.iter_mut() {
        let Some(stack) = &exception.stacktrace else {
            continue;
        };
        let marks = marks(&stack.frames, &platform, &exception_facts(exception), rules);
        if let Some(stack) = &mut exception.stacktrace {
            set(&mut stack.frames, &marks);
        }
    }
    let threads = event.threads.iter_mut();
    let stacks = threads.filter_map(|thread| thread.stacktrace.as_mut());
    for stack in stacks.chain(&mut event.stacktrace) {
        let marks = marks(&stack.frames, &platform, &ExceptionFacts::default(), rules);
        set(&mut stack.frames, &marks);
    }
}

/// What the rules say of each frame; `None` where they do not speak of it.
fn marks(
    frames: &[Frame<'_>],
    platform: &str,
    exception: &ExceptionFacts<'_>,
    rules: &Rules,
) -> Vec<Option<bool>> {
    let parts: Vec<_> = frames
        .iter()
        .map(|frame| FrameParts::of(frame, platform_of(frame, platform)))
        .collect();
    let facts: Vec<_> = frames
        .iter()
        .zip(&parts)
        .map(|(frame, parts)| facts(frame, platform_of(frame, platform), parts))
        .collect();
    let ruling = rules.apply(&facts, exception);
    let frames = ruling.frames.iter();
    frames
        .map(|frame| frame.app_rule.map(|_| frame.in_app))
        .collect()
}

fn set(frames: &mut [Frame<'_>], marks: &[Option<bool>]) {
    for (frame, mark) in frames.iter_mut().zip(marks) {
        frame.in_app = mark.or(frame.in_app);
    }
}

#[cfg(test)]
mod tests {
    use copal_protocol::parse_lenient;

    use super::*;

    const PANIC: &[u8] =
        br#"{"platform":"native","exception":{"values":[{"type":"panic","stacktrace":{"frames":[
        {"function":"worker::settle","in_app":true},
        {"function":"worker::log"},
        {"function":"core::panicking::panic_fmt","in_app":false},
        {"function":"__rustc::rust_begin_unwind","in_app":true},
        {"function":"sentry_panic::panic_handler","in_app":true}
    ]}}]}}"#;

    #[test]
    fn rules_correct_the_sdk_and_leave_what_they_do_not_know() {
        let mut scratch = Vec::new();
        let mut event = Event::from_json(parse_lenient(PANIC, &mut scratch).unwrap()).unwrap();
        let before = crate::group(&event).hashes;
        mark_own_frames(&mut event);
        let of = |event: &Event<'_>| -> Vec<Option<bool>> {
            let stack = event.exceptions[0].stacktrace.as_ref().unwrap();
            stack.frames.iter().map(|frame| frame.in_app).collect()
        };
        let marked = of(&event);
        assert_eq!(
            marked,
            [Some(true), None, Some(false), Some(false), Some(false)]
        );
        assert_eq!(crate::group(&event).hashes, before);
        mark_own_frames(&mut event);
        assert_eq!(of(&event), marked);
    }
}
