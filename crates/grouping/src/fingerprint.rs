//! Fingerprints: what clients and rules want an event grouped by, alone or beside the default.

use std::borrow::Cow;

use copal_protocol::event::{Event, Frame, Stacktrace};

use crate::judge::Judged;
use crate::message::parameterize;

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wish<'a> {
    /// The default grouping.
    Default,
    /// These values alone.
    Custom(Vec<Cow<'a, str>>),
    /// These values around the default grouping, which stands where `None` is.
    Hybrid(Vec<Option<Cow<'a, str>>>),
}

/// A variable of a fingerprint or a title.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Variable<'n> {
    Transaction,
    Message,
    Type,
    Value,
    Function,
    Path,
    Filename,
    Module,
    Package,
    Level,
    Logger,
    Release,
    Tag(&'n str),
}

/// What gives variables their values.
#[derive(Clone, Copy)]
pub(crate) struct Values<'a, 'b> {
    event: &'a Event<'b>,
    frame: Option<&'a Frame<'b>>,
}

impl<'a> Wish<'a> {
    /// Reads what an event's client, or a rule, set.
    pub(crate) fn of<T: AsRef<str>>(entries: &'a [T], values: &Values<'a, '_>) -> Self {
        let is_default = |entry: &T| variable_name(entry.as_ref()) == Some("default");
        if entries.iter().all(is_default) {
            return Self::Default;
        }
        let expanded = entries
            .iter()
            .map(|entry| (!is_default(entry)).then(|| values.entry(entry.as_ref())));
        if entries.iter().any(is_default) {
            Self::Hybrid(expanded.collect())
        } else {
            Self::Custom(expanded.flatten().collect())
        }
    }
}

/// The name in `{{ name }}`.
pub(crate) fn variable_name(entry: &str) -> Option<&str> {
    let name = entry.trim().strip_prefix("{{")?.strip_suffix("}}")?.trim();
    (!name.is_empty() && !name.contains(['{', '}'])).then_some(name)
}

impl<'n> Variable<'n> {
    pub(crate) fn parse(name: &'n str) -> Option<Self> {
        Some(match name {
            "transaction" => Self::Transaction,
            "message" => Self::Message,
            "type" | "error.type" => Self::Type,
            "value" | "error.value" => Self::Value,
            "function" | "stack.function" => Self::Function,
            "path" | "stack.abs_path" => Self::Path,
            "stack.filename" => Self::Filename,
            "module" | "stack.module" => Self::Module,
            "package" | "stack.package" => Self::Package,
            "level" => Self::Level,
            "logger" => Self::Logger,
            "release" => Self::Release,
            other => Self::Tag(other.strip_prefix("tags.").filter(|tag| !tag.is_empty())?),
        })
    }

    /// What stands for it in events that have no value.
    fn missing(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Transaction => "<no-transaction>",
            Self::Message => "<no-message>",
            Self::Type => "<no-type>",
            Self::Value => "<no-value>",
            Self::Function => "<no-function>",
            Self::Path => "<no-abs-path>",
            Self::Filename => "<no-filename>",
            Self::Module => "<no-module>",
            Self::Package => "<no-package>",
            Self::Level => "<no-level>",
            Self::Logger => "<no-logger>",
            Self::Release => "<no-release>",
            Self::Tag(tag) => return Cow::Owned(format!("<no-value-for-tag-{tag}>")),
        })
    }
}

impl<'a, 'b> Values<'a, 'b> {
    pub(crate) fn of(event: &'a Event<'b>, judged: &Judged) -> Self {
        Self {
            event,
            frame: crash_frame(event, judged),
        }
    }

    fn entry(&self, entry: &'a str) -> Cow<'a, str> {
        match variable_name(entry).map(|name| (name, Variable::parse(name))) {
            Some((_, Some(variable))) => self.grouping_value(variable),
            Some((name, None)) => Cow::Owned(format!("<unrecognized-variable-{name}>")),
            // SDKs copy the message into the fingerprint.
            None if self.message() == Some(entry) => parameterize(entry),
            None => Cow::Borrowed(entry),
        }
    }

    /// A variable's value as it groups: without what changes from event to event.
    fn grouping_value(&self, variable: Variable<'_>) -> Cow<'a, str> {
        match (self.get(variable), variable) {
            (None, _) => variable.missing(),
            (Some(text), Variable::Message | Variable::Value) => parameterize(text),
            (Some(text), _) => Cow::Borrowed(text),
        }
    }

    /// A text with the variables in it filled in, for people.
    pub(crate) fn fill_in(&self, text: &str) -> String {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            filled.push_str(before);
            let Some((name, after)) = after.split_once("}}") else {
                filled.push_str("{{");
                rest = after;
                continue;
            };
            match Variable::parse(name.trim()) {
                Some(variable) => match self.get(variable) {
                    Some(value) => filled.push_str(value),
                    None => filled.push_str(&variable.missing()),
                },
                None => filled.extend(["{{", name, "}}"]),
            }
            rest = after;
        }
        filled + rest
    }

    pub(crate) fn get(&self, variable: Variable<'_>) -> Option<&'a str> {
        let Self { event, frame } = *self;
        let exception = event.exceptions.last();
        let value = match variable {
            Variable::Transaction => event.transaction.as_deref(),
            Variable::Message => self.message(),
            Variable::Type => exception.and_then(|exception| exception.kind.as_deref()),
            Variable::Value => exception.and_then(|exception| exception.value.as_deref()),
            Variable::Function => frame.and_then(|frame| frame.function.as_deref()),
            Variable::Path => {
                frame.and_then(|frame| frame.abs_path.as_deref().or(frame.filename.as_deref()))
            }
            Variable::Filename => {
                frame.and_then(|frame| frame.filename.as_deref().or(frame.abs_path.as_deref()))
            }
            Variable::Module => frame.and_then(|frame| frame.module.as_deref()),
            Variable::Package => {
                let package = frame.and_then(|frame| frame.package.as_deref());
                package.and_then(|path| path.rsplit(['/', '\\']).next())
            }
            Variable::Level => event.level.as_deref(),
            Variable::Logger => event.logger.as_deref(),
            Variable::Release => event.release.as_deref(),
            Variable::Tag(tag) => event.tags.get(tag),
        };
        value.filter(|value| !value.is_empty())
    }

    fn message(&self) -> Option<&'a str> {
        let entry = self.event.logentry.as_ref();
        entry
            .and_then(|entry| entry.formatted.as_deref().or(entry.message.as_deref()))
            .or_else(|| self.event.exceptions.last()?.value.as_deref())
    }
}

/// The frame that failed: the last of the application's, else the last.
fn crash_frame<'e, 'a>(event: &'e Event<'a>, judged: &Judged) -> Option<&'e Frame<'a>> {
    let of_exception = event.exceptions.len().checked_sub(1).and_then(|last| {
        Some((
            event.exceptions[last].stacktrace.as_ref()?,
            judged.exception(last)?,
        ))
    });
    let own = || Some((event.stacktrace.as_ref()?, judged.stacktrace()?));
    let of_thread = || match &event.threads[..] {
        [thread] => Some((thread.stacktrace.as_ref()?, judged.thread(0)?)),
        _ => None,
    };
    let (stack, ruling): (&Stacktrace<'_>, _) = of_exception.or_else(own).or_else(of_thread)?;
    let is_own = |index: &usize| ruling.frames.get(*index).is_some_and(|frame| frame.in_app);
    let index = (0..stack.frames.len()).rev().find(is_own);
    stack
        .frames
        .get(index.unwrap_or(stack.frames.len().saturating_sub(1)))
}
