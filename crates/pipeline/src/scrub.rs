//! Step 6: secrets are taken out of an event before it is stored.
//!
//! Keys that name secrets lose their value, whatever it is. Text loses what looks like a secret.
//! Debug images, file names and the user agent are never touched, and of an exception's value and of
//! the message only what is surely a secret goes: they are what people need most. Where anything went
//! is listed with the event, each place with the reason.
//!
//! # Layout
//! - `iban`: account numbers, told from other texts by country, length and check digits
//! - `place`: where in an event we are
//! - `reason`: why something is taken out
//! - `rules`: what is a secret: by the name of its key, or by what it looks like
//! - `settings`: what a project says

mod iban;
mod place;
mod reason;
mod rules;
mod settings;

use std::borrow::Cow;

use copal_protocol::event::{Pairs, Request, Stacktrace, Text};
use copal_protocol::{Event, Json, Object};

use crate::normalize::{Normalized, Notes};
use place::Place;
use reason::Reason;
use rules::{FILTERED, is_secret_cookie, scrub_matches, scrub_text};
pub use settings::Scrubbing;

/// Headers in which proxies tell the address of the user.
const ADDRESS_HEADERS: &[&str] = &[
    "Cf-Connecting-Ip",
    "Fly-Client-Ip",
    "Forwarded",
    "True-Client-Ip",
    "X-Client-Ip",
    "X-Forwarded-For",
    "X-Real-Ip",
];

/// A normalised event without secrets: fit to be stored and shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Scrubbed<'a> {
    /// The event.
    pub event: Event<'a>,
}

/// Takes out of an event what a project says is secret, and notes what went and why.
pub fn scrub<'a>(normalized: Normalized<'a>, scrubbing: &Scrubbing) -> Scrubbed<'a> {
    let mut event = normalized.event;
    let mut scrubber = Scrubber {
        scrubbing,
        notes: Notes::default(),
    };
    if scrubbing.keeps_addresses() {
        scrubber.event(&mut event);
    } else {
        scrubber.addresses(&mut event);
        scrubber.event(&mut event);
    }
    scrubber.notes.append_to(&mut event);
    Scrubbed { event }
}

struct Scrubber<'s> {
    scrubbing: &'s Scrubbing,
    notes: Notes,
}

impl Scrubber<'_> {
    fn event(&mut self, event: &mut Event<'_>) {
        self.object(&Place::top("extra"), &mut event.extra);
        self.object(&Place::top("contexts"), &mut event.contexts);
        self.pairs(&Place::top("tags"), &mut event.tags);
        for (name, attribute) in [
            ("transaction", &mut event.transaction),
            ("culprit", &mut event.culprit),
            ("server_name", &mut event.server_name),
        ] {
            self.prose(&Place::top(name), attribute);
        }
        if let Some(entry) = &mut event.logentry {
            let place = Place::top("logentry");
            self.prose(&place.key("message"), &mut entry.message);
            self.prose(&place.key("formatted"), &mut entry.formatted);
            self.json(&place.key("params"), &mut entry.params);
        }
        self.exceptions_and_threads(event);
        for (index, breadcrumb) in event.breadcrumbs.iter_mut().enumerate() {
            let all = Place::top("breadcrumbs");
            let place = all.index(index);
            if let Some(message) = &mut breadcrumb.message {
                self.text(&place.key("message"), message);
            }
            self.json(&place.key("data"), &mut breadcrumb.data);
        }
        if let Some(request) = &mut event.request {
            self.request(request);
        }
        if let Some(user) = &mut event.user {
            let place = Place::top("user");
            self.object(&place.key("data"), &mut user.data);
        }
        self.errors(event);
    }

    fn exceptions_and_threads(&mut self, event: &mut Event<'_>) {
        let all = Place::top("exception");
        for (index, exception) in event.exceptions.iter_mut().enumerate() {
            let place = all.index(index);
            self.prose(&place.key("value"), &mut exception.value);
            if let Some(mechanism) = &mut exception.mechanism {
                let place = place.key("mechanism");
                self.object(&place.key("data"), &mut mechanism.data);
            }
            self.stacktrace(&place, exception.stacktrace.as_mut());
            self.stacktrace(&place, exception.raw_stacktrace.as_mut());
        }
        let all = Place::top("threads");
        for (index, thread) in event.threads.iter_mut().enumerate() {
            let place = all.index(index);
            self.stacktrace(&place, thread.stacktrace.as_mut());
            self.stacktrace(&place, thread.raw_stacktrace.as_mut());
        }
        self.stacktrace(&Place::top("stacktrace"), event.stacktrace.as_mut());
    }

    fn stacktrace(&mut self, place: &Place<'_>, stacktrace: Option<&mut Stacktrace<'_>>) {
        let frames = stacktrace.into_iter().flat_map(|stack| &mut stack.frames);
        for (index, frame) in frames.enumerate() {
            let frames = place.key("frames");
            let place = frames.index(index);
            self.object(&place.key("vars"), &mut frame.vars);
        }
    }

    fn request(&mut self, request: &mut Request<'_>) {
        let place = Place::top("request");
        self.prose(&place.key("url"), &mut request.url);
        if let Some(fragment) = &mut request.fragment {
            self.text(&place.key("fragment"), fragment);
        }
        self.json(&place.key("data"), &mut request.data);
        self.object(&place.key("env"), &mut request.env);
        self.pairs(&place.key("query_string"), &mut request.query_string);
        let cookies = place.key("cookies");
        for (name, value) in &mut request.cookies.0 {
            if self.scrubbing.keeps_secrets() || !is_secret_cookie(name) {
                self.under(&cookies, name, value);
            } else {
                self.take(&cookies.key(name), value, Reason::Cookie);
            }
        }
        let headers = place.key("headers");
        for (name, value) in &mut request.headers.0 {
            match &**name {
                "User-Agent" => {}
                "Cookie" | "Set-Cookie" if !self.scrubbing.keeps_secrets() => {
                    self.take(&headers.key(name), value, Reason::Cookie);
                }
                _ => self.under(&headers, name, value),
            }
        }
    }

    /// What notes show of values that were dropped; our own say why something was taken out.
    fn errors(&mut self, event: &mut Event<'_>) {
        for error in &mut event.errors {
            if Reason::is_one(&error.value) {
                continue;
            }
            let key = error.name.rsplit('.').next().unwrap_or_default();
            if self.scrubbing.reason_of_key(key).is_some() && !error.value.is_empty() {
                error.value = Cow::Borrowed(FILTERED);
            } else if !self.scrubbing.keeps_secrets() {
                scrub_text(&mut error.value);
            }
        }
    }

    /// Takes the addresses of users out; what was inferred too.
    fn addresses(&mut self, event: &mut Event<'_>) {
        if let Some(user) = &mut event.user
            && user.ip_address.take().is_some()
        {
            self.note(&Place::top("user").key("ip_address"), Reason::Address);
        }
        if let Some(sdk) = &mut event.sdk {
            sdk.client_ip = None;
        }
        if let Some(request) = &mut event.request {
            let place = Place::top("request");
            if request.env.remove("REMOTE_ADDR").is_some() {
                self.note(&place.key("env").key("REMOTE_ADDR"), Reason::Address);
            }
            let headers = place.key("headers");
            for (name, value) in &mut request.headers.0 {
                if ADDRESS_HEADERS.contains(&&**name) {
                    self.take(&headers.key(name), value, Reason::Address);
                }
            }
        }
        let is_address = |key: &str, value: &str| key == "user" && value.starts_with("ip:");
        event.tags.0.retain(|(key, value)| !is_address(key, value));
    }

    fn pairs(&mut self, place: &Place<'_>, pairs: &mut Pairs<'_>) {
        for (key, value) in &mut pairs.0 {
            self.under(place, key, value);
        }
    }

    fn under(&mut self, place: &Place<'_>, key: &str, value: &mut Text<'_>) {
        if self.scrubbing.is_safe(key) {
            return;
        }
        match self.scrubbing.reason_of_key(key) {
            Some(reason) if !value.is_empty() => self.take(&place.key(key), value, reason),
            _ => self.text(&place.key(key), value),
        }
    }

    fn object(&mut self, place: &Place<'_>, object: &mut Object<'_>) {
        for (key, value) in object.iter_mut() {
            let place = place.key(key);
            if self.scrubbing.is_safe(key) {
                self.below_safe(&place, value);
            } else if let Some(reason) = self.scrubbing.reason_of_key(key) {
                self.take_json(&place, value, reason);
            } else {
                self.json(&place, value);
            }
        }
    }

    /// A safe field is left alone itself; what has names of its own below it is not.
    fn below_safe(&mut self, place: &Place<'_>, value: &mut Json<'_>) {
        match value {
            Json::Object(object) => self.object(place, object),
            Json::Array(values) => {
                for (index, value) in values.iter_mut().enumerate() {
                    self.below_safe(&place.index(index), value);
                }
            }
            _ => {}
        }
    }

    /// Normalisation has bounded how deep the value can be.
    fn json(&mut self, place: &Place<'_>, value: &mut Json<'_>) {
        match value {
            Json::Str(text) => self.text(place, text),
            Json::Array(values) => {
                for (index, value) in values.iter_mut().enumerate() {
                    self.json(&place.index(index), value);
                }
            }
            Json::Object(object) => self.object(place, object),
            Json::Null | Json::Bool(_) | Json::Number(_) => {}
        }
    }

    /// Data: what names a secret goes as a whole.
    fn text(&mut self, place: &Place<'_>, text: &mut Text<'_>) {
        if self.scrubbing.keeps_secrets() {
            return;
        }
        if let Some(reason) = scrub_text(text) {
            self.note(place, reason);
        }
    }

    /// What people read first: only what surely is a secret goes.
    fn prose(&mut self, place: &Place<'_>, text: &mut Option<Text<'_>>) {
        if self.scrubbing.keeps_secrets() {
            return;
        }
        if let Some(reason) = text.as_mut().and_then(scrub_matches) {
            self.note(place, reason);
        }
    }

    fn take(&mut self, place: &Place<'_>, value: &mut Text<'_>, reason: Reason) {
        if *value != FILTERED {
            *value = Cow::Borrowed(FILTERED);
            self.note(place, reason);
        }
    }

    fn take_json(&mut self, place: &Place<'_>, value: &mut Json<'_>, reason: Reason) {
        if !value.is_null() && value.as_str() != Some(FILTERED) {
            *value = Json::Str(Cow::Borrowed(FILTERED));
            self.note(place, reason);
        }
    }

    fn note(&mut self, place: &Place<'_>, reason: Reason) {
        self.notes.filtered(place, reason.as_str());
    }
}

#[cfg(test)]
mod tests;
