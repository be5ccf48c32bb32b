//! Step 6: secrets are taken out of an event before it is stored.
//!
//! Keys that name secrets lose their value, whatever it is. Text loses what looks like a secret.
//! Debug images, file names and the user agent are never touched, and of an exception's value and of
//! the message only what is surely a secret goes: they are what people need most.

mod rules;

use std::borrow::Cow;

use copal_protocol::event::{Pairs, Request, Stacktrace, Text};
use copal_protocol::{Event, Json, Object};

use crate::normalize::Normalized;
use rules::{FILTERED, is_secret_cookie, is_secret_key, scrub_matches, scrub_value};

/// A normalised event without secrets: fit to be stored and shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Scrubbed<'a> {
    /// The event.
    pub event: Event<'a>,
}

/// Takes the secrets out of an event.
pub fn scrub(normalized: Normalized<'_>) -> Scrubbed<'_> {
    let mut event = normalized.event;
    scrub_object(&mut event.extra);
    scrub_object(&mut event.contexts);
    scrub_pairs(&mut event.tags);
    for attribute in [
        &mut event.transaction,
        &mut event.culprit,
        &mut event.server_name,
    ] {
        attribute.iter_mut().for_each(scrub_matches);
    }
    if let Some(entry) = &mut event.logentry {
        entry.message.iter_mut().for_each(scrub_matches);
        entry.formatted.iter_mut().for_each(scrub_matches);
        scrub_json(&mut entry.params);
    }
    for exception in event.exceptions.iter_mut() {
        exception.value.iter_mut().for_each(scrub_matches);
        if let Some(mechanism) = &mut exception.mechanism {
            scrub_object(&mut mechanism.data);
        }
        let stacks = [&mut exception.stacktrace, &mut exception.raw_stacktrace];
        stacks.into_iter().flatten().for_each(scrub_stacktrace);
    }
    for thread in event.threads.iter_mut() {
        let stacks = [&mut thread.stacktrace, &mut thread.raw_stacktrace];
        stacks.into_iter().flatten().for_each(scrub_stacktrace);
    }
    event.stacktrace.iter_mut().for_each(scrub_stacktrace);
    for breadcrumb in event.breadcrumbs.iter_mut() {
        breadcrumb.message.iter_mut().for_each(scrub_value);
        scrub_json(&mut breadcrumb.data);
    }
    event.request.iter_mut().for_each(scrub_request);
    if let Some(user) = &mut event.user {
        scrub_object(&mut user.data);
    }
    for error in &mut event.errors {
        let key = error.name.rsplit('.').next().unwrap_or_default();
        scrub_under(key, &mut error.value);
    }
    Scrubbed { event }
}

fn scrub_stacktrace(stacktrace: &mut Stacktrace<'_>) {
    for frame in &mut stacktrace.frames {
        scrub_object(&mut frame.vars);
    }
}

fn scrub_request(request: &mut Request<'_>) {
    request.url.iter_mut().for_each(scrub_matches);
    request.fragment.iter_mut().for_each(scrub_value);
    scrub_json(&mut request.data);
    scrub_object(&mut request.env);
    scrub_pairs(&mut request.query_string);
    for (name, value) in &mut request.cookies.0 {
        if is_secret_cookie(name) {
            *value = Cow::Borrowed(FILTERED);
        } else {
            scrub_under(name, value);
        }
    }
    for (name, value) in &mut request.headers.0 {
        match &**name {
            "User-Agent" => {}
            "Cookie" | "Set-Cookie" => *value = Cow::Borrowed(FILTERED),
            _ => scrub_under(name, value),
        }
    }
}

fn scrub_pairs(pairs: &mut Pairs<'_>) {
    for (key, value) in &mut pairs.0 {
        scrub_under(key, value);
    }
}

fn scrub_under(key: &str, value: &mut Text<'_>) {
    if is_secret_key(key) && !value.is_empty() {
        *value = Cow::Borrowed(FILTERED);
    } else {
        scrub_value(value);
    }
}

fn scrub_object(object: &mut Object<'_>) {
    for (key, value) in object.iter_mut() {
        if is_secret_key(key) {
            if !value.is_null() {
                *value = Json::Str(Cow::Borrowed(FILTERED));
            }
        } else {
            scrub_json(value);
        }
    }
}

/// Normalisation has bounded how deep the value can be.
fn scrub_json(value: &mut Json<'_>) {
    match value {
        Json::Str(text) => scrub_value(text),
        Json::Array(values) => values.iter_mut().for_each(scrub_json),
        Json::Object(object) => scrub_object(object),
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

#[cfg(test)]
mod tests;
