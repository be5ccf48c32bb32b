//! Cutting what is too long, too large or too deep.

use std::borrow::Cow;

use copal_protocol::event::{Stacktrace, Text};
use copal_protocol::{Event, Json, Object};

use super::limits::{
    CONTEXTS, DataLimit, ENUMERATION, EXTRA, EXTRA_VALUE, MESSAGE, MODULES, OPAQUE_DATA,
    SMALL_DATA, TextLimit, VARS,
};
use super::notes::Notes;

const ELLIPSIS: &str = "...";

/// Cuts a text to its limit, marks the cut by dots, and tells whether it did.
pub(super) fn trim_text(attribute: &mut Option<Text<'_>>, limit: TextLimit) -> bool {
    attribute
        .as_mut()
        .is_some_and(|text| trim_text_value(text, limit))
}

/// Cuts a text to its limit, marks the cut by dots, and tells whether it did.
pub(super) fn trim_text_value(text: &mut Text<'_>, limit: TextLimit) -> bool {
    let max = limit.chars + limit.allowance;
    if text.len() <= max || text.chars().nth(max).is_none() {
        return false;
    }
    let kept = text.chars().take(limit.chars - ELLIPSIS.len());
    *text = Cow::Owned(kept.chain(ELLIPSIS.chars()).collect());
    true
}

/// Cuts free-form data to its limit, and tells whether it did.
pub(super) fn trim_data(data: &mut Json<'_>, limit: DataLimit) -> bool {
    let is_deep = data.cut_at_depth(limit.depth);
    let mut budget = Budget::of(limit);
    budget.spend(data);
    is_deep | budget.is_cut
}

/// Cuts free-form data to its limit, and tells whether it did.
pub(super) fn trim_object(object: &mut Object<'_>, limit: DataLimit) -> bool {
    let mut is_deep = false;
    for value in object.values_mut() {
        is_deep |= value.cut_at_depth(limit.depth - 1);
    }
    let mut budget = Budget::of(limit);
    budget.spend_object(object);
    is_deep | budget.is_cut
}

/// What is left of a limit.
struct Budget {
    bytes_left: usize,
    /// Whether anything was cut.
    is_cut: bool,
}

impl Budget {
    const fn of(limit: DataLimit) -> Self {
        Self {
            bytes_left: limit.bytes,
            is_cut: false,
        }
    }

    /// Whether something that needs more than `bytes` may begin.
    fn has_more_than(&mut self, bytes: usize) -> bool {
        let has_more = self.bytes_left > bytes;
        self.is_cut |= !has_more;
        has_more
    }

    /// Counts a value against what is left; cuts the text that does not fit, and what comes after it.
    fn spend(&mut self, value: &mut Json<'_>) {
        match value {
            Json::Str(text) if text.len() > self.bytes_left => {
                let mut end = self.bytes_left.saturating_sub(ELLIPSIS.len());
                while !text.is_char_boundary(end) {
                    end -= 1;
                }
                *text = Cow::Owned(format!("{}{ELLIPSIS}", &text[..end]));
                self.bytes_left = 0;
                self.is_cut = true;
            }
            Json::Str(text) => self.bytes_left -= text.len(),
            Json::Array(values) => values.retain_mut(|value| {
                let is_kept = self.has_more_than(ELLIPSIS.len());
                if is_kept {
                    self.bytes_left -= 1;
                    self.spend(value);
                }
                is_kept
            }),
            Json::Object(object) => self.spend_object(object),
            Json::Null | Json::Bool(_) | Json::Number(_) => {
                self.bytes_left = self.bytes_left.saturating_sub(size_of::<u64>());
            }
        }
    }

    fn spend_object(&mut self, object: &mut Object<'_>) {
        object.retain(|key, value| {
            let is_kept = self.has_more_than(ELLIPSIS.len() + key.len());
            if is_kept {
                self.bytes_left -= 1 + key.len();
                self.spend(value);
            }
            is_kept
        });
    }
}

/// Cuts all free-form data of an event that no other step looks at.
pub(super) fn trim_free_form(event: &mut Event<'_>, notes: &mut Notes) {
    let mut is_cut = false;
    for value in event.extra.values_mut() {
        is_cut |= trim_data(value, EXTRA_VALUE);
    }
    is_cut |= trim_object(&mut event.extra, EXTRA);
    notes.cut_if(is_cut, || "extra".to_owned());
    for (object, limit, name) in [
        (&mut event.contexts, CONTEXTS, "contexts"),
        (&mut event.modules, MODULES, "modules"),
        (&mut event.debug_meta, OPAQUE_DATA, "debug_meta"),
        (&mut event.csp, OPAQUE_DATA, "csp"),
        (&mut event.hpkp, OPAQUE_DATA, "hpkp"),
        (&mut event.expect_ct, OPAQUE_DATA, "expectct"),
        (&mut event.expect_staple, OPAQUE_DATA, "expectstaple"),
    ] {
        notes.cut_if(trim_object(object, limit), || name.to_owned());
    }
    for (index, breadcrumb) in event.breadcrumbs.iter_mut().enumerate() {
        let is_cut = trim_text(&mut breadcrumb.kind, ENUMERATION)
            | trim_text(&mut breadcrumb.category, ENUMERATION)
            | trim_text(&mut breadcrumb.message, MESSAGE)
            | trim_data(&mut breadcrumb.data, SMALL_DATA);
        notes.cut_if(is_cut, || format!("breadcrumbs.{index}"));
    }
    if let Some(user) = &mut event.user {
        let is_cut =
            trim_object(&mut user.data, SMALL_DATA) | trim_object(&mut user.geo, SMALL_DATA);
        notes.cut_if(is_cut, || "user.data".to_owned());
    }
    if let Some(sdk) = &mut event.sdk {
        let is_cut = trim_data(&mut sdk.packages, OPAQUE_DATA)
            | trim_data(&mut sdk.integrations, OPAQUE_DATA)
            | trim_data(&mut sdk.features, OPAQUE_DATA)
            | trim_object(&mut sdk.settings, SMALL_DATA);
        notes.cut_if(is_cut, || "sdk".to_owned());
    }
}

/// Cuts the free-form data of a stack trace, and tells whether it did.
pub(super) fn trim_stacktrace_data(stacktrace: &mut Stacktrace<'_>) -> bool {
    let mut is_cut = trim_object(&mut stacktrace.registers, SMALL_DATA);
    is_cut |= stacktrace.frames_omitted.cut_at_depth(1);
    for frame in &mut stacktrace.frames {
        is_cut |= trim_object(&mut frame.vars, VARS)
            | trim_object(&mut frame.data, SMALL_DATA)
            | trim_data(&mut frame.lock, SMALL_DATA);
    }
    is_cut
}
