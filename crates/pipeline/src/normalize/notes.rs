//! What was dropped, cut, changed or taken out on an event's way in: listed with the event, so that people see it.

use std::borrow::Cow;
use std::fmt::Display;

use copal_protocol::Event;
use copal_protocol::event::EventError;
use copal_protocol::limits::{EVENT_ERROR_VALUE_CHARS_MAX, EVENT_ERRORS_MAX};

/// Notes in the making.
#[derive(Debug, Default)]
pub(crate) struct Notes(Vec<EventError<'static>>);

impl Notes {
    /// Notes that a value was dropped, since it cannot be.
    pub(crate) fn dropped(&mut self, name: &str, value: &str) {
        self.add("invalid_data", name.to_owned(), value);
    }

    /// Notes that something was cut to its limit.
    pub(crate) fn cut_if(&mut self, is_cut: bool, name: impl FnOnce() -> String) {
        if is_cut && self.0.len() < EVENT_ERRORS_MAX {
            self.add("value_too_long", name(), "");
        }
    }

    /// Notes that something was taken out, and why.
    pub(crate) fn filtered(&mut self, place: &impl Display, reason: &'static str) {
        if self.0.len() < EVENT_ERRORS_MAX {
            let place = place.to_string();
            let name = place.chars().take(EVENT_ERROR_VALUE_CHARS_MAX).collect();
            self.add("filtered", name, reason);
        }
    }

    /// Notes anything.
    pub(crate) fn add(&mut self, kind: &'static str, name: String, value: &str) {
        if self.0.len() < EVENT_ERRORS_MAX {
            let value: String = value.chars().take(EVENT_ERROR_VALUE_CHARS_MAX).collect();
            self.0.push(EventError {
                kind: Cow::Borrowed(kind),
                name: Cow::Owned(name),
                value: Cow::Owned(value),
            });
        }
    }

    /// Adds the notes to those that the event has, each once, up to the limit.
    pub(crate) fn append_to(self, event: &mut Event<'_>) {
        for note in self.0 {
            let is_full = event.errors.len() >= EVENT_ERRORS_MAX;
            let is_known =
                |known: &EventError<'_>| known.kind == note.kind && known.name == note.name;
            if !is_full && !event.errors.iter().any(is_known) {
                event.errors.push(note);
            }
        }
    }
}
