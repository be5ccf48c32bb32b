//! Exceptions: of each that counts its type, and its stack; where that says nothing, its value.

use std::borrow::Cow;

use copal_protocol::event::{Event, Exception};
use copal_protocol::json::Json;

use super::groups::{is_group, is_root, members};
use super::{Leaves, keep, leaf, not_empty};
use crate::judge::Judged;
use crate::message::parameterize;
use crate::stack::Stack;
use crate::{Leaf, StackVerdicts, Whose};

/// The leaves of one exception, by variant.
pub(super) struct Component<'a> {
    pub(super) app: Vec<Leaf<'a>>,
    pub(super) system: Vec<Leaf<'a>>,
    has_app_stack: bool,
    has_system_stack: bool,
}

pub(super) fn find<'a>(
    event: &'a Event<'_>,
    platform: &'a str,
    judged: &Judged,
    verdicts: &mut Vec<StackVerdicts>,
) -> Option<Leaves<'a>> {
    let mut components = components(event, platform, judged, verdicts);
    let chosen = members(event, &components).unwrap_or_else(|| (0..components.len()).collect());
    let (mut app, mut system) = (Vec::new(), Vec::new());
    let (mut has_app_stack, mut has_system_stack) = (false, false);
    for index in chosen {
        let component = &mut components[index];
        has_app_stack |= component.has_app_stack;
        has_system_stack |= component.has_system_stack;
        app.append(&mut component.app);
        system.append(&mut component.system);
    }
    match (has_app_stack, has_system_stack) {
        (true, _) => Some(Leaves::Stacks { app, system }),
        (false, true) => Some(Leaves::Stacks {
            app: Vec::new(),
            system,
        }),
        (false, false) if app.is_empty() => None,
        (false, false) => Some(Leaves::Plain {
            variant: "app",
            leaves: app,
        }),
    }
}

fn components<'a>(
    event: &'a Event<'_>,
    platform: &'a str,
    judged: &Judged,
    verdicts: &mut Vec<StackVerdicts>,
) -> Vec<Component<'a>> {
    let exceptions = event.exceptions.iter().enumerate();
    let component = |(index, exception): (usize, &'a Exception<'_>)| {
        let stack = exception.stacktrace.as_ref().zip(judged.exception(index));
        let stack = stack.map_or_else(Stack::default, |(stack, ruling)| {
            Stack::of(stack, platform, ruling, Some(index))
        });
        if !stack.verdicts.is_empty() {
            keep(verdicts, Whose::Exception(index), stack.verdicts);
        }
        Component {
            has_app_stack: !stack.app.is_empty(),
            has_system_stack: !stack.system.is_empty(),
            app: with_exception(exception, index, stack.app),
            system: with_exception(exception, index, stack.system),
        }
    };
    exceptions.map(component).collect()
}

/// Type, value where nothing better is there, error codes, stack.
fn with_exception<'a>(
    exception: &'a Exception<'_>,
    index: usize,
    stack: Vec<Leaf<'a>>,
) -> Vec<Leaf<'a>> {
    let mut leaves = Vec::with_capacity(stack.len() + 3);
    let mechanism = exception.mechanism.as_ref();
    let is_synthetic = mechanism.and_then(|mechanism| mechanism.synthetic) == Some(true);
    if !is_synthetic && let Some(kind) = not_empty(exception.kind.as_ref()) {
        leaves.push(leaf("type", kind));
    }
    let codes = mechanism
        .and_then(|mechanism| mechanism.meta.get("ns_error"))
        .and_then(Json::as_object)
        .filter(|codes| !codes.is_empty());
    match codes {
        Some(codes) => {
            for key in ["domain", "code"] {
                let text = codes.get(key).and_then(json_text);
                leaves.extend(text.map(|text| leaf("ns_error", text)));
            }
        }
        None if stack.is_empty() => {
            let value = not_empty(exception.value.as_ref()).map(parameterize);
            leaves.extend(value.map(|value| leaf("value", value)));
        }
        None => {}
    }
    for leaf in &mut leaves {
        leaf.exception = Some(index);
    }
    leaves.extend(stack);
    leaves
}

fn json_text<'a>(json: &'a Json<'_>) -> Option<Cow<'a, str>> {
    match json {
        Json::Str(text) => Some(Cow::Borrowed(&**text)),
        Json::Number(number) => Some(Cow::Owned(number.to_string())),
        _ => None,
    }
}

/// Wrappers of `RxJava`, which say that nobody handled what they wrap.
const WRAPPERS: [&str; 3] = [
    "OnErrorNotImplementedException",
    "CompositeException",
    "UndeliverableException",
];

/// What React says when it could go on after an error, whose cause it adds.
const RECOVERED: [&str; 2] = [
    "There was an error during concurrent rendering",
    "There was an error while hydrating",
];

/// The exception that the issue is named after, by its place.
///
/// It is the last, which was reported; of a group whose members are all alike that member; and where
/// a framework reports for another, that one.
pub(crate) fn main_exception(event: &Event<'_>, judged: &Judged) -> Option<usize> {
    let last = event.exceptions.len().checked_sub(1)?;
    if last == 0 {
        return Some(0);
    }
    recovered(event)
        .or_else(|| wrapped(event))
        .or_else(|| only_member(event, judged))
        .or(Some(last))
}

fn recovered(event: &Event<'_>) -> Option<usize> {
    let is_recovered = |exception: &Exception<'_>| {
        let value = exception.value.as_deref().unwrap_or_default();
        RECOVERED.iter().any(|text| value.starts_with(text)) && value.contains("React")
    };
    let is_cause = |exception: &Exception<'_>| {
        let mechanism = exception.mechanism.as_ref();
        mechanism.and_then(|mechanism| mechanism.source.as_deref()) == Some("cause")
    };
    let exceptions = &event.exceptions;
    let reported = exceptions.iter().position(is_recovered)?;
    let cause = exceptions.iter().position(is_cause)?;
    (reported != cause).then_some(cause)
}

fn wrapped(event: &Event<'_>) -> Option<usize> {
    let last = event.exceptions.last()?;
    let kind = last.kind.as_deref()?;
    let is_rx = last
        .module
        .as_deref()
        .unwrap_or_default()
        .starts_with("io.reactivex");
    (is_rx && WRAPPERS.contains(&kind)).then(|| event.exceptions.len() - 2)
}

/// The member of a group whose members are all alike.
fn only_member(event: &Event<'_>, judged: &Judged) -> Option<usize> {
    // Most events are no groups: they need not be looked at again.
    if !is_group(event) {
        return None;
    }
    let platform = event.platform.as_deref().unwrap_or("other");
    let components = components(event, platform, judged, &mut Vec::new());
    let members = members(event, &components)?;
    // Of several that differ, the root counts too, and stands last.
    let has_several = members.last().is_some_and(|last| is_root(event, *last));
    members.first().copied().filter(|_| !has_several)
}
