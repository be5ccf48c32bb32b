//! The message: placeholders filled in where the client has not done it.

use std::borrow::Cow;

use copal_protocol::event::LogEntry;
use copal_protocol::{Event, Json};

use super::limits::{MESSAGE, SMALL_DATA};
use super::notes::Notes;
use super::trim::{trim_data, trim_text};

pub(super) fn normalize(event: &mut Event<'_>, notes: &mut Notes) {
    let Some(entry) = &mut event.logentry else {
        return;
    };
    let mut is_cut = trim_text(&mut entry.message, MESSAGE);
    is_cut |= trim_data(&mut entry.params, SMALL_DATA);
    entry.message.take_if(|text| text.trim().is_empty());
    entry.formatted.take_if(|text| text.trim().is_empty());
    if entry.formatted.is_none() {
        entry.formatted = format_entry(entry).map(Cow::Owned);
    }
    is_cut |= trim_text(&mut entry.formatted, MESSAGE);
    notes.cut_if(is_cut, || "logentry".to_owned());
    if entry.formatted.is_none() || entry.formatted == entry.message {
        entry.formatted = entry.message.take();
    }
    if entry.formatted.is_none() {
        event.logentry = None;
    }
}

/// Python's `%` where there is one, else braces; `None` where anything does not fit.
fn format_entry(entry: &LogEntry<'_>) -> Option<String> {
    let message = entry.message.as_deref()?;
    let params = &entry.params;
    let has_params = match params {
        Json::Array(values) => !values.is_empty(),
        Json::Object(object) => !object.is_empty(),
        _ => false,
    };
    match message {
        _ if !has_params => None,
        _ if message.contains('%') => format_percent(message, params),
        _ if message.contains('{') => format_braces(message, params),
        _ => None,
    }
}

fn format_percent(message: &str, params: &Json<'_>) -> Option<String> {
    let mut output = String::with_capacity(message.len());
    let mut rest = message;
    let mut next = 0;
    while let Some((before, after)) = rest.split_once('%') {
        output.push_str(before);
        if let Some(after) = after.strip_prefix('%') {
            output.push('%');
            rest = after;
            continue;
        }
        let (value, after) = if let Some(named) = after.strip_prefix('(') {
            let (name, after) = named.split_once(')')?;
            (params.get(name)?, after)
        } else {
            next += 1;
            (params.as_array()?.get(next - 1)?, after)
        };
        rest = after.strip_prefix(['s', 'd', 'i', 'f', 'r', 'u'])?;
        output.push_str(&to_text(value));
    }
    output.push_str(rest);
    Some(output)
}

fn format_braces(message: &str, params: &Json<'_>) -> Option<String> {
    let mut output = String::with_capacity(message.len());
    let mut rest = message;
    let mut next = 0;
    while let Some((before, after)) = rest.split_once('{') {
        output.push_str(before);
        let (name, after) = after.split_once('}')?;
        let value = match (name.is_empty(), name.parse::<usize>()) {
            (true, _) => {
                next += 1;
                params.as_array()?.get(next - 1)?
            }
            (false, Ok(index)) => params.as_array()?.get(index)?,
            (false, Err(_)) => params.get(name)?,
        };
        output.push_str(&to_text(value));
        rest = after;
    }
    output.push_str(rest);
    Some(output)
}

fn to_text(value: &Json<'_>) -> String {
    match value {
        Json::Str(text) => text.clone().into_owned(),
        other => other.to_json_text(),
    }
}
