//! Fingerprints that clients set: alone, or together with the default grouping.

use std::borrow::Cow;

use copal_protocol::event::{Event, Frame};

use crate::message::parameterize;

/// What a client asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wish<'a> {
    /// The default grouping.
    Default,
    /// These values alone.
    Custom(Vec<Cow<'a, str>>),
    /// These values around the default grouping, which stands where `None` is.
    Hybrid(Vec<Option<Cow<'a, str>>>),
}

impl<'a> Wish<'a> {
    pub(crate) fn of(event: &'a Event<'_>) -> Self {
        let entries = &event.fingerprint;
        let values: Vec<Option<Cow<'a, str>>> = entries
            .iter()
            .map(|entry| (variable(entry) != Some("default")).then(|| expand(entry, event)))
            .collect();
        if values.iter().all(Option::is_none) {
            Self::Default
        } else if values.iter().all(Option::is_some) {
            Self::Custom(values.into_iter().flatten().collect())
        } else {
            Self::Hybrid(values)
        }
    }
}

/// The name in `{{ name }}`.
fn variable(entry: &str) -> Option<&str> {
    let name = entry.trim().strip_prefix("{{")?.strip_suffix("}}")?.trim();
    (!name.is_empty() && !name.contains(['{', '}'])).then_some(name)
}

fn expand<'a>(entry: &'a str, event: &'a Event<'_>) -> Cow<'a, str> {
    let Some(name) = variable(entry) else {
        let is_message = message(event) == Some(entry);
        return if is_message {
            parameterize(entry)
        } else {
            Cow::Borrowed(entry)
        };
    };
    let exception = event.exceptions.0.last();
    let frame = crash_frame(event);
    let (value, missing) = match name {
        "transaction" => (event.transaction.as_deref(), "<no-transaction>"),
        "message" => return message(event).map_or(Cow::Borrowed("<no-message>"), parameterize),
        "type" | "error.type" => (
            exception.and_then(|exception| exception.kind.as_deref()),
            "<no-type>",
        ),
        "value" | "error.value" => {
            let value = exception.and_then(|exception| exception.value.as_deref());
            return value.map_or(Cow::Borrowed("<no-value>"), parameterize);
        }
        "function" | "stack.function" => (
            frame.and_then(|frame| frame.function.as_deref()),
            "<no-function>",
        ),
        "path" | "stack.abs_path" => (
            frame.and_then(|frame| frame.abs_path.as_deref().or(frame.filename.as_deref())),
            "<no-abs-path>",
        ),
        "stack.filename" => (
            frame.and_then(|frame| frame.filename.as_deref().or(frame.abs_path.as_deref())),
            "<no-filename>",
        ),
        "module" | "stack.module" => (
            frame.and_then(|frame| frame.module.as_deref()),
            "<no-module>",
        ),
        "package" | "stack.package" => {
            let package = frame.and_then(|frame| frame.package.as_deref());
            (
                package.and_then(|path| path.rsplit(['/', '\\']).next()),
                "<no-package>",
            )
        }
        "level" => (event.level.as_deref(), "<no-level>"),
        "logger" => (event.logger.as_deref(), "<no-logger>"),
        other => {
            let Some(tag) = other.strip_prefix("tags.") else {
                return Cow::Owned(format!("<unrecognized-variable-{other}>"));
            };
            return match event.tags.get(tag) {
                Some(value) => Cow::Borrowed(value),
                None => Cow::Owned(format!("<no-value-for-tag-{tag}>")),
            };
        }
    };
    Cow::Borrowed(value.filter(|value| !value.is_empty()).unwrap_or(missing))
}

fn message<'a>(event: &'a Event<'_>) -> Option<&'a str> {
    let entry = event.logentry.as_ref();
    entry
        .and_then(|entry| entry.formatted.as_deref().or(entry.message.as_deref()))
        .or_else(|| event.exceptions.0.last()?.value.as_deref())
}

/// The frame that failed: the last of the application's, else the last.
fn crash_frame<'a, 'b>(event: &'a Event<'b>) -> Option<&'a Frame<'b>> {
    let stack = event
        .exceptions
        .0
        .last()
        .and_then(|exception| exception.stacktrace.as_ref())
        .or(event.stacktrace.as_ref())?;
    let own = stack
        .frames
        .iter()
        .rev()
        .find(|frame| frame.in_app == Some(true));
    own.or_else(|| stack.frames.last())
}
