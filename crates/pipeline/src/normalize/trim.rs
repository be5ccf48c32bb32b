//! Cutting what is too long, too large or too deep.

use std::borrow::Cow;

use copal_protocol::event::{Stacktrace, Text};
use copal_protocol::{Event, Json, Object};

use super::limits::{
    CONTEXTS, DataLimit, ENUMERATION, EXTRA, EXTRA_VALUE, MESSAGE, MODULES, OPAQUE_DATA,
    SMALL_DATA, TextLimit, VARS,
};

const ELLIPSIS: &str = "...";

/// Cuts a text to its limit, and marks the cut by dots.
pub(super) fn trim_text(attribute: &mut Option<Text<'_>>, limit: TextLimit) {
    if let Some(text) = attribute {
        trim_text_value(text, limit);
    }
}

/// Cuts a text to its limit, and marks the cut by dots.
pub(super) fn trim_text_value(text: &mut Text<'_>, limit: TextLimit) {
    let max = limit.chars + limit.allowance;
    if text.len() <= max || text.chars().nth(max).is_none() {
        return;
    }
    let kept = text.chars().take(limit.chars - ELLIPSIS.len());
    *text = Cow::Owned(kept.chain(ELLIPSIS.chars()).collect());
}

/// Cuts free-form data to its limit.
pub(super) fn trim_data(data: &mut Json<'_>, limit: DataLimit) {
    data.cut_at_depth(limit.depth);
    let mut bytes_left = limit.bytes;
    spend(data, &mut bytes_left);
}

/// Cuts free-form data to its limit.
pub(super) fn trim_object(object: &mut Object<'_>, limit: DataLimit) {
    for value in object.values_mut() {
        value.cut_at_depth(limit.depth - 1);
    }
    let mut bytes_left = limit.bytes;
    spend_object(object, &mut bytes_left);
}

/// Counts a value against what is left; cuts the text that does not fit, and what comes after it.
fn spend(value: &mut Json<'_>, bytes_left: &mut usize) {
    match value {
        Json::Str(text) if text.len() > *bytes_left => {
            let mut end = bytes_left.saturating_sub(ELLIPSIS.len());
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            *text = Cow::Owned(format!("{}{ELLIPSIS}", &text[..end]));
            *bytes_left = 0;
        }
        Json::Str(text) => *bytes_left -= text.len(),
        Json::Array(values) => {
            values.retain_mut(|value| {
                let is_kept = *bytes_left > ELLIPSIS.len();
                if is_kept {
                    *bytes_left -= 1;
                    spend(value, bytes_left);
                }
                is_kept
            });
        }
        Json::Object(object) => spend_object(object, bytes_left),
        Json::Null | Json::Bool(_) | Json::Number(_) => {
            *bytes_left = bytes_left.saturating_sub(size_of::<u64>());
        }
    }
}

fn spend_object(object: &mut Object<'_>, bytes_left: &mut usize) {
    object.retain(|key, value| {
        let is_kept = *bytes_left > ELLIPSIS.len() + key.len();
        if is_kept {
            *bytes_left -= 1 + key.len();
            spend(value, bytes_left);
        }
        is_kept
    });
}

/// Cuts all free-form data of an event that no other step looks at.
pub(super) fn trim_free_form(event: &mut Event<'_>) {
    for value in event.extra.values_mut() {
        trim_data(value, EXTRA_VALUE);
    }
    trim_object(&mut event.extra, EXTRA);
    trim_object(&mut event.contexts, CONTEXTS);
    trim_object(&mut event.modules, MODULES);
    trim_object(&mut event.debug_meta, OPAQUE_DATA);
    for report in [
        &mut event.csp,
        &mut event.hpkp,
        &mut event.expect_ct,
        &mut event.expect_staple,
    ] {
        trim_object(report, OPAQUE_DATA);
    }
    for breadcrumb in event.breadcrumbs.iter_mut() {
        trim_text(&mut breadcrumb.kind, ENUMERATION);
        trim_text(&mut breadcrumb.category, ENUMERATION);
        trim_text(&mut breadcrumb.message, MESSAGE);
        trim_data(&mut breadcrumb.data, SMALL_DATA);
    }
    if let Some(user) = &mut event.user {
        trim_object(&mut user.data, SMALL_DATA);
        trim_object(&mut user.geo, SMALL_DATA);
    }
    if let Some(sdk) = &mut event.sdk {
        trim_data(&mut sdk.packages, OPAQUE_DATA);
        trim_data(&mut sdk.integrations, OPAQUE_DATA);
        trim_data(&mut sdk.features, OPAQUE_DATA);
        trim_object(&mut sdk.settings, SMALL_DATA);
    }
}

/// Cuts the free-form data of a stack trace.
pub(super) fn trim_stacktrace_data(stacktrace: &mut Stacktrace<'_>) {
    trim_object(&mut stacktrace.registers, SMALL_DATA);
    stacktrace.frames_omitted.cut_at_depth(1);
    for frame in &mut stacktrace.frames {
        trim_object(&mut frame.vars, VARS);
        trim_object(&mut frame.data, SMALL_DATA);
        trim_data(&mut frame.lock, SMALL_DATA);
    }
}
