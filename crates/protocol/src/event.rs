//! Events: one error or message as an SDK sent it, typed leniently.
//!
//! An attribute of a wrong type, or one that we do not know, is dropped and noted in
//! [`Event::errors`]; no shape of an attribute makes an event unreadable. Legacy names and forms are
//! read and written back in today's form. What is written reads back as the same event.

mod exception;
mod interfaces;
mod pairs;
mod reader;
mod record;
mod request;
mod stacktrace;

use std::borrow::Cow;

use jiff::Timestamp;

use crate::EventId;
use crate::json::{Json, Object};
use record::record;

pub use exception::{Exception, Mechanism, Thread};
pub use interfaces::{Breadcrumb, EventError, LogEntry, Sdk, Template, User};
pub use pairs::Pairs;
pub use record::Values;
pub use request::Request;
pub use stacktrace::{Frame, Stacktrace};

use reader::Reader;

/// Text that is borrowed from the payload where it has no escapes.
pub type Text<'a> = Cow<'a, str>;

/// A payload that is JSON, but no object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event is a JSON object")]
pub struct NotAnEvent;

record! {
    /// One error or message, as an SDK sent it.
    pub struct Event {
        /// The id the SDK gave it.
        event_id: Option<EventId> = "event_id",
        /// Severity, in any of the forms SDKs use.
        level: Option<Text<'a>> = "level",
        /// The SDK platform, such as `python`.
        platform: Option<Text<'a>> = "platform",
        /// When it happened, by the client's clock.
        timestamp: Option<Timestamp> = "timestamp",
        /// When Copal received it; set by normalisation.
        received: Option<Timestamp> = "received",
        /// The logger that reported it.
        logger: Option<Text<'a>> = "logger",
        /// The machine.
        server_name: Option<Text<'a>> = "server_name",
        /// The version that ran.
        release: Option<Text<'a>> = "release",
        /// The distribution of the release.
        dist: Option<Text<'a>> = "dist",
        /// Where it ran.
        environment: Option<Text<'a>> = "environment",
        /// What was being done, such as a route.
        transaction: Option<Text<'a>> = "transaction",
        /// The place blamed.
        culprit: Option<Text<'a>> = "culprit",
        /// A legacy tag.
        site: Option<Text<'a>> = "site",
        /// A legacy override of grouping.
        checksum: Option<Text<'a>> = "checksum",
        /// What the client wants it grouped by.
        fingerprint: Vec<Text<'a>> = "fingerprint" [read_fingerprint],
        /// Keys and values to search by.
        tags: Pairs<'a> = "tags",
        /// The message.
        logentry: Option<LogEntry<'a>> = "logentry" | "sentry.interfaces.Message" [interfaces::read_logentry],
        /// Exceptions, innermost cause first.
        exceptions: Values<Exception<'a>> = "exception" | "sentry.interfaces.Exception",
        /// Threads of the process.
        threads: Values<Thread<'a>> = "threads",
        /// A stack trace without an exception.
        stacktrace: Option<Stacktrace<'a>> = "stacktrace" | "sentry.interfaces.Stacktrace",
        /// The template that failed.
        template: Option<Template<'a>> = "template" | "sentry.interfaces.Template",
        /// What happened before, oldest first.
        breadcrumbs: Values<Breadcrumb<'a>> = "breadcrumbs" | "sentry.interfaces.Breadcrumbs",
        /// The HTTP request that was being served or sent.
        request: Option<Request<'a>> = "request" | "sentry.interfaces.Http",
        /// Who was affected.
        user: Option<User<'a>> = "user" | "sentry.interfaces.User" [interfaces::read_user],
        /// Device, operating system, runtime and so on, by name.
        contexts: Object<'a> = "contexts" | "sentry.interfaces.Contexts",
        /// Anything the program added.
        extra: Object<'a> = "extra",
        /// Installed packages and their versions.
        modules: Object<'a> = "modules",
        /// Who made the event.
        sdk: Option<Sdk<'a>> = "sdk",
        /// Debug images.
        debug_meta: Object<'a> = "debug_meta",
        /// A violated content security policy.
        csp: Object<'a> = "csp" | "sentry.interfaces.Csp",
        /// A violated pin of a public key (RFC 7469).
        hpkp: Object<'a> = "hpkp",
        /// A missing proof of certificate transparency (RFC 9163).
        expect_ct: Object<'a> = "expectct",
        /// A missing proof that a certificate is not revoked.
        expect_staple: Object<'a> = "expectstaple",
        /// What was dropped or changed on the way, and why.
        errors: Vec<EventError<'a>> = "errors",
    }
}

/// Attributes that SDKs and older servers write and that mean nothing here: dropped without a note.
const SILENTLY_DROPPED: &[&str] = &[
    "_meta",
    "_metrics",
    "breakdowns",
    "grouping_config",
    "key_id",
    "location",
    "measurements",
    "metadata",
    "project",
    "spans",
    "start_timestamp",
    "time_spent",
    "title",
    "transaction_info",
    "type",
    "version",
];

impl<'a> Event<'a> {
    /// Types a JSON object as an event.
    ///
    /// # Errors
    /// When `json` is no object; nothing else is an error.
    pub fn from_json(json: Json<'a>) -> Result<Self, NotAnEvent> {
        let Json::Object(mut object) = json else {
            return Err(NotAnEvent);
        };
        let message = object.remove("message");
        object.retain(|key, _| !SILENTLY_DROPPED.contains(&key));
        let mut reader = Reader::default();
        let mut event = <Self as record::Value<'a>>::read(Json::Object(object), &mut reader)
            .ok_or(NotAnEvent)?;
        if let Some(message) = message {
            event.read_message(message, &mut reader);
        }
        reader.append_to(&mut event.errors);
        Ok(event)
    }

    /// `message` is the formatted text of the log entry, or the whole of it in its legacy form.
    fn read_message(&mut self, message: Json<'a>, reader: &mut Reader<'a>) {
        let read = reader.at("message", |reader| {
            interfaces::read_logentry(message, reader)
        });
        let Some(read) = read else {
            return;
        };
        match &mut self.logentry {
            None => self.logentry = Some(read),
            Some(entry) if entry.formatted.is_none() => entry.formatted = read.formatted,
            Some(_) => {}
        }
    }

    /// The event as JSON text, in the form that today's SDKs send.
    pub fn to_json_text(&self) -> String {
        serde_json::to_string(self).expect("text, finite numbers and trees are always writable")
    }
}

/// Parts become text, as Python writes them; objects, lists and nulls are left out.
fn read_fingerprint<'a>(json: Json<'a>, reader: &mut Reader<'a>) -> Vec<Text<'a>> {
    let Json::Array(parts) = json else {
        reader.note_wrong(&json);
        return Vec::new();
    };
    let as_text = |part| match part {
        Json::Str(text) => Some(text),
        Json::Bool(true) => Some(Cow::Borrowed("True")),
        Json::Bool(false) => Some(Cow::Borrowed("False")),
        Json::Number(number) => {
            let text = number.to_string();
            Some(Cow::Owned(
                text.split('.').next().unwrap_or(&text).to_owned(),
            ))
        }
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    };
    parts.into_iter().filter_map(as_text).collect()
}

#[cfg(test)]
mod tests;
