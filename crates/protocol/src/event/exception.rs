//! Exceptions, how they were caught, and threads.

use std::borrow::Cow;

use super::reader::Reader;
use super::record::{Value as _, record};
use super::{Stacktrace, Text};
use crate::json::{Json, Object};

record! {
    /// One exception of a chain.
    pub struct Exception {
        /// Its class.
        kind: Option<Text<'a>> = "type",
        /// Its message.
        value: Option<Text<'a>> = "value" [read_value],
        /// Where its class is defined.
        module: Option<Text<'a>> = "module",
        /// The thread it was raised in.
        thread_id: Option<Text<'a>> = "thread_id",
        /// Where it was raised.
        stacktrace: Option<Stacktrace<'a>> = "stacktrace",
        /// The same, before the client changed it.
        raw_stacktrace: Option<Stacktrace<'a>> = "raw_stacktrace",
        /// How it was caught.
        mechanism: Option<Mechanism<'a>> = "mechanism" [read_mechanism],
    }
}

record! {
    /// How an exception was caught, and its place among others.
    pub struct Mechanism {
        /// What caught it, such as `generic` or `onerror`.
        kind: Option<Text<'a>> = "type",
        /// Whether its type was made up by the client.
        synthetic: Option<bool> = "synthetic",
        /// Whether the program handled it.
        handled: Option<bool> = "handled",
        /// In words.
        description: Option<Text<'a>> = "description",
        /// Where to read more.
        help_link: Option<Text<'a>> = "help_link",
        /// The attribute of the parent that holds it, such as `__cause__`.
        source: Option<Text<'a>> = "source",
        /// Whether it only gathers others.
        is_exception_group: Option<bool> = "is_exception_group",
        /// Its number within the event.
        exception_id: Option<u64> = "exception_id",
        /// The number of the one it belongs to.
        parent_id: Option<u64> = "parent_id",
        /// Anything more.
        data: Object<'a> = "data",
        /// Signals and error codes of the system.
        meta: Object<'a> = "meta",
    }
}

record! {
    /// A thread of the process.
    pub struct Thread {
        /// Its id.
        id: Option<Text<'a>> = "id",
        /// Its name.
        name: Option<Text<'a>> = "name",
        /// Whether it is the one that crashed.
        crashed: Option<bool> = "crashed",
        /// Whether it is the one that reported.
        current: Option<bool> = "current",
        /// Whether it is the main thread.
        main: Option<bool> = "main",
        /// What it was doing.
        state: Option<Text<'a>> = "state",
        /// Where it was.
        stacktrace: Option<Stacktrace<'a>> = "stacktrace",
        /// The same, before the client changed it.
        raw_stacktrace: Option<Stacktrace<'a>> = "raw_stacktrace",
        /// Locks it held.
        held_locks: Object<'a> = "held_locks",
    }
}

/// A value that is no text is written as JSON.
fn read_value<'a>(json: Json<'a>, _: &mut Reader<'a>) -> Option<Text<'a>> {
    Some(match json {
        Json::Null => return None,
        Json::Str(text) => text,
        other => Cow::Owned(other.to_json_text()),
    })
}

/// Older SDKs send an object of error codes without a type: it becomes `meta`.
fn read_mechanism<'a>(json: Json<'a>, reader: &mut Reader<'a>) -> Option<Mechanism<'a>> {
    let json = match json {
        Json::Object(mut object) if is_legacy_mechanism(&object) => {
            let mut meta = Object::new();
            if let Some(signal) = object.remove("posix_signal") {
                meta.insert("signal", signal);
            }
            if let Some(exception) = object.remove("mach_exception") {
                meta.insert("mach_exception", exception);
            }
            object.insert("meta", Json::Object(meta));
            object.insert("type", Json::Str(Cow::Borrowed("generic")));
            Json::Object(object)
        }
        other => other,
    };
    Mechanism::read(json, reader)
}

fn is_legacy_mechanism(object: &Object<'_>) -> bool {
    object.get("type").is_none()
        && (object.get("posix_signal").is_some() || object.get("mach_exception").is_some())
}
