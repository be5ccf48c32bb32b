//! Nested values, and the few ways to read them.

use copal_protocol::Json;
use copal_protocol::json::Object;
use copal_ui::tree::Tree;

use super::SHOWN_MAX;

/// Levels of nesting that are taken over; the page shows fewer.
const LEVELS_MAX: usize = 12;
/// Characters of one text that are taken over; the JSON page shows all.
const TEXT_CHARS_MAX: usize = 8_192;

/// A value as a tree for the page.
pub(super) fn tree(value: &Json<'_>) -> Tree {
    below(value, LEVELS_MAX)
}

fn below(value: &Json<'_>, levels: usize) -> Tree {
    match value {
        Json::Null => Tree::Null,
        Json::Bool(value) => Tree::Bool(*value),
        Json::Number(number) => Tree::Number(number.to_string()),
        Json::Str(text) => Tree::Text(capped(text)),
        Json::Array(_) | Json::Object(_) if levels == 0 => Tree::Text("…".to_owned()),
        Json::Array(values) => Tree::List(
            values
                .iter()
                .take(SHOWN_MAX)
                .map(|value| below(value, levels - 1))
                .collect(),
        ),
        Json::Object(object) => Tree::Map(object_entries(object, levels - 1)),
    }
}

fn object_entries(object: &Object<'_>, levels: usize) -> Vec<(String, Tree)> {
    object
        .iter()
        .take(SHOWN_MAX)
        .map(|(key, value)| (capped(key), below(value, levels)))
        .collect()
}

/// The entries of an object that say something; of anything else none.
pub(super) fn entries(value: Option<&Json<'_>>) -> Vec<(String, Tree)> {
    let Some(object) = value.and_then(Json::as_object) else {
        return Vec::new();
    };
    let mut entries = object_entries(object, LEVELS_MAX);
    entries.retain(|(_, value)| !value.is_empty());
    entries
}

/// Names and texts, from an object or from a list of pairs.
pub(super) fn pairs(value: Option<&Json<'_>>) -> Vec<(String, String)> {
    match value {
        Some(Json::Object(object)) => object
            .iter()
            .filter_map(|(key, value)| Some((capped(key), scalar(value)?)))
            .take(SHOWN_MAX)
            .collect(),
        Some(Json::Array(values)) => values.iter().filter_map(pair).take(SHOWN_MAX).collect(),
        _ => Vec::new(),
    }
}

fn pair(value: &Json<'_>) -> Option<(String, String)> {
    if let Some([key, value]) = value.as_array() {
        return Some((scalar(key)?, scalar(value)?));
    }
    Some((text(value, "key")?, text(value, "value")?))
}

/// A text, number or truth as text.
pub(super) fn scalar(value: &Json<'_>) -> Option<String> {
    match value {
        Json::Str(text) => Some(capped(text)),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(value) => Some(value.to_string()),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

/// The text under a key.
pub(super) fn text(value: &Json<'_>, key: &str) -> Option<String> {
    value.get(key).and_then(scalar)
}

/// The text under a path of keys.
pub(super) fn text_at(value: &Json<'_>, path: &[&str]) -> Option<String> {
    let mut value = value;
    for key in path {
        value = value.get(key)?;
    }
    scalar(value)
}

/// The whole number under a key.
pub(super) fn number(value: &Json<'_>, key: &str) -> Option<u64> {
    match value.get(key)? {
        Json::Number(number) => number.as_u64(),
        _ => None,
    }
}

/// The truth under a key.
pub(super) fn truth(value: &Json<'_>, key: &str) -> Option<bool> {
    match value.get(key)? {
        Json::Bool(value) => Some(*value),
        _ => None,
    }
}

/// The list under a key, also in its form `{"values": […]}`.
pub(super) fn list<'j, 'a>(value: &'j Json<'a>, key: &str) -> &'j [Json<'a>] {
    let Some(value) = value.get(key) else {
        return &[];
    };
    value
        .as_array()
        .or_else(|| value.get("values").and_then(Json::as_array))
        .unwrap_or(&[])
}

fn capped(text: &str) -> String {
    match text.char_indices().nth(TEXT_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
