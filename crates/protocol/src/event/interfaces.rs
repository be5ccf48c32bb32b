//! The smaller parts of an event: message, user, SDK, breadcrumbs, template, notes.

use std::borrow::Cow;

use jiff::Timestamp;

use super::Text;
use super::reader::Reader;
use super::record::{Value as _, record};
use crate::json::{Json, Object};

record! {
    /// The message of an event.
    pub struct LogEntry {
        /// With placeholders.
        message: Option<Text<'a>> = "message",
        /// With the placeholders filled in.
        formatted: Option<Text<'a>> = "formatted",
        /// What fills them in: a list or an object.
        params: Json<'a> = "params",
    }
}

record! {
    /// Who was affected.
    pub struct User {
        /// An id that the application gives.
        id: Option<Text<'a>> = "id",
        /// The name to log in with.
        username: Option<Text<'a>> = "username",
        /// The e-mail address.
        email: Option<Text<'a>> = "email",
        /// The address, or `{{auto}}` for the one that the event came from.
        ip_address: Option<Text<'a>> = "ip_address",
        /// The name to show.
        name: Option<Text<'a>> = "name",
        /// A group of users.
        segment: Option<Text<'a>> = "segment",
        /// Where on earth.
        geo: Object<'a> = "geo",
        /// Anything more.
        data: Object<'a> = "data",
    }
}

record! {
    /// Who made the event.
    pub struct Sdk {
        /// Such as `sentry.python`.
        name: Option<Text<'a>> = "name",
        /// Such as `2.0.1`.
        version: Option<Text<'a>> = "version",
        /// Integrations that were on.
        integrations: Json<'a> = "integrations",
        /// Features that were on.
        features: Json<'a> = "features",
        /// Packages it consists of.
        packages: Json<'a> = "packages",
        /// Its settings.
        settings: Object<'a> = "settings",
        /// The address that the event came from.
        client_ip: Option<Text<'a>> = "client_ip",
    }
}

record! {
    /// Something that happened before the event.
    pub struct Breadcrumb {
        /// When.
        timestamp: Option<Timestamp> = "timestamp",
        /// Its kind, such as `http`.
        kind: Option<Text<'a>> = "type" | "ty",
        /// Where it comes from, such as `ui.click`.
        category: Option<Text<'a>> = "category",
        /// Severity.
        level: Option<Text<'a>> = "level",
        /// In words.
        message: Option<Text<'a>> = "message",
        /// Anything more.
        data: Json<'a> = "data",
        /// The event that it is about.
        event_id: Option<Text<'a>> = "event_id",
        /// Which SDK recorded it, where there are several.
        origin: Option<Text<'a>> = "origin",
    }
}

record! {
    /// The template that failed.
    pub struct Template {
        /// The file, relative.
        filename: Option<Text<'a>> = "filename",
        /// The file, absolute.
        abs_path: Option<Text<'a>> = "abs_path",
        /// The line, from 1.
        lineno: Option<u64> = "lineno",
        /// The column, from 1.
        colno: Option<u64> = "colno",
        /// Lines before.
        pre_context: Vec<Text<'a>> = "pre_context",
        /// The line itself.
        context_line: Option<Text<'a>> = "context_line",
        /// Lines after.
        post_context: Vec<Text<'a>> = "post_context",
    }
}

record! {
    /// A note on what was dropped or changed, and why.
    pub struct EventError {
        /// What kind of problem, such as `invalid_data`.
        kind: Text<'a> = "type",
        /// The attribute, with the way to it.
        name: Text<'a> = "name",
        /// What stood there, cut, where it was primitive.
        value: Text<'a> = "value",
    }
}

/// An object is the log entry; anything else is its formatted text.
pub(super) fn read_logentry<'a>(json: Json<'a>, reader: &mut Reader<'a>) -> Option<LogEntry<'a>> {
    let text = match json {
        Json::Object(_) => return LogEntry::read(json, reader),
        Json::Bool(false) | Json::Null => return None,
        Json::Str(text) => text,
        other => Cow::Owned(other.to_json_text()),
    };
    Some(LogEntry {
        formatted: Some(text),
        ..LogEntry::default()
    })
}

/// Keys of a user that we do not know belong to its data.
pub(super) fn read_user<'a>(json: Json<'a>, reader: &mut Reader<'a>) -> Option<User<'a>> {
    const KNOWN: &[&str] = &[
        "id",
        "username",
        "email",
        "ip_address",
        "name",
        "segment",
        "geo",
        "data",
    ];
    let Json::Object(object) = json else {
        reader.note_wrong(&json);
        return None;
    };
    let (known, other): (Vec<_>, Vec<_>) = object
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .partition(|(key, _)| KNOWN.contains(&&**key));
    let mut user = User::read(Json::Object(Object::from_pairs(known)), reader)?;
    for (key, value) in other {
        user.data.insert(key, value);
    }
    Some(user)
}
