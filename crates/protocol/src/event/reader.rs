//! Where in an event we are reading, and what was dropped on the way.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::EventError;
use crate::json::Json;
use crate::limits::{EVENT_ERROR_VALUE_CHARS_MAX, EVENT_ERRORS_MAX};

/// Reads attributes, knows where it is, and notes what it drops.
#[derive(Default)]
pub(super) struct Reader<'a> {
    path: Vec<Segment>,
    notes: Vec<EventError<'a>>,
}

enum Segment {
    Key(&'static str),
    Index(usize),
}

impl<'a> Reader<'a> {
    /// Reads what stands under `key`.
    pub(super) fn at<T>(&mut self, key: &'static str, read: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(Segment::Key(key));
        let value = read(self);
        self.path.pop();
        value
    }

    /// Reads the `index`-th of a list.
    pub(super) fn at_index<T>(&mut self, index: usize, read: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(Segment::Index(index));
        let value = read(self);
        self.path.pop();
        value
    }

    /// Notes that the value here is of a wrong type, unless it is null, which always counts as absent.
    pub(super) fn note_wrong(&mut self, value: &Json<'a>) {
        if !value.is_null() {
            self.note("invalid_data", None, value);
        }
    }

    /// Notes an attribute that we do not know.
    pub(super) fn note_unknown(&mut self, key: &str, value: &Json<'a>) {
        self.note("unknown_attribute", Some(key), value);
    }

    fn note(&mut self, kind: &'static str, key: Option<&str>, value: &Json<'a>) {
        if self.notes.len() >= EVENT_ERRORS_MAX {
            return;
        }
        let mut name = String::new();
        for segment in &self.path {
            let dot = if name.is_empty() { "" } else { "." };
            let _ = match segment {
                Segment::Key(key) => write!(name, "{dot}{key}"),
                Segment::Index(index) => write!(name, "{dot}{index}"),
            };
        }
        if let Some(key) = key {
            let dot = if name.is_empty() { "" } else { "." };
            let _ = write!(name, "{dot}{key}");
        }
        let value: String = match value {
            Json::Str(text) => text.chars().take(EVENT_ERROR_VALUE_CHARS_MAX).collect(),
            Json::Bool(_) | Json::Number(_) => value.to_json_text(),
            // What is inside cannot be scrubbed by its keys once it is text.
            Json::Null | Json::Array(_) | Json::Object(_) => String::new(),
        };
        self.notes.push(EventError {
            kind: Cow::Borrowed(kind),
            name: Cow::Owned(name),
            value: Cow::Owned(value),
        });
    }

    /// Adds the notes to those the event came with, up to the limit.
    pub(super) fn append_to(self, errors: &mut Vec<EventError<'a>>) {
        errors.extend(self.notes);
        errors.truncate(EVENT_ERRORS_MAX);
    }
}
