//! Tags: the client's cleaned, ours added.

use std::borrow::Cow;
use std::collections::HashSet;

use copal_protocol::event::Text;
use copal_protocol::{Event, Json};

use super::limits::TAG;
use super::notes::Notes;
use super::trim::trim_text_value;
use crate::summary;

/// Keys that are ours alone: a client's tag of that name is dropped.
const RESERVED: &[&str] = &[
    "release",
    "dist",
    "user",
    "filename",
    "function",
    "device.class",
];

pub(super) fn normalize(event: &mut Event<'_>, notes: &mut Notes) {
    let mut seen: HashSet<String> = HashSet::new();
    event.tags.0.retain_mut(|(key, value)| {
        let is_cut = clean(key, value);
        notes.cut_if(is_cut, || format!("tags.{key}"));
        let is_good = !key.is_empty()
            && key.chars().count() <= TAG.chars
            && key
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"_.:-".contains(&b))
            && !value.is_empty();
        if !is_good && !value.is_empty() {
            notes.dropped("tags", key);
        }
        is_good && !RESERVED.contains(&&**key) && seen.insert(key.to_string())
    });
    for (key, value) in own_tags(event) {
        if value.is_empty() || seen.contains(&*key) {
            continue;
        }
        let mut value = Cow::Owned(value);
        let mut key = key;
        clean(&mut key, &mut value);
        event.tags.0.push((key, value));
    }
    event.tags.0.sort();
}

/// Cleans a tag, and tells whether its value was cut.
fn clean(key: &mut Text<'_>, value: &mut Text<'_>) -> bool {
    if key.contains(' ') {
        *key = Cow::Owned(key.trim().replace(' ', "-"));
    }
    if value.contains(['\n', '\r']) {
        *value = Cow::Owned(value.replace(['\n', '\r'], " "));
    }
    if value.trim().len() != value.len() {
        *value = Cow::Owned(value.trim().to_owned());
    }
    trim_text_value(value, TAG)
}

/// Tags that follow from the event.
fn own_tags(event: &Event<'_>) -> Vec<(Text<'static>, String)> {
    let text = |attribute: &Option<Text<'_>>| attribute.as_deref().unwrap_or_default().to_owned();
    let mechanism = event
        .exceptions
        .last()
        .and_then(|exception| exception.mechanism.as_ref());
    let handled = match mechanism.and_then(|mechanism| mechanism.handled) {
        Some(true) => "yes",
        Some(false) => "no",
        None => "",
    };
    let url = event.request.as_ref().map(|request| text(&request.url));
    let user = summary::identify(event).map(|user| user.to_string());
    let tags = [
        ("level", text(&event.level)),
        ("logger", text(&event.logger)),
        ("environment", text(&event.environment)),
        ("release", text(&event.release)),
        ("dist", text(&event.dist)),
        ("transaction", text(&event.transaction)),
        ("server_name", text(&event.server_name)),
        ("site", text(&event.site)),
        ("user", user.unwrap_or_default()),
        ("url", url.unwrap_or_default()),
        (
            "mechanism",
            mechanism
                .map(|mechanism| text(&mechanism.kind))
                .unwrap_or_default(),
        ),
        ("handled", handled.to_owned()),
    ];
    let tags = tags
        .into_iter()
        .map(|(key, value)| (Cow::Borrowed(key), value));
    tags.chain(
        event
            .contexts
            .iter()
            .flat_map(|(name, context)| context_tags(name, context)),
    )
    .collect()
}

/// Tags that follow from a context, named after it.
fn context_tags(name: &str, context: &Json<'_>) -> Vec<(Text<'static>, String)> {
    let kind = context.get("type").and_then(Json::as_str).unwrap_or(name);
    let of = |key: &str| in_context(context, key);
    let tag = |suffix: &str, value: String| (Cow::Owned(format!("{name}{suffix}")), value);
    match kind {
        "os" | "browser" | "runtime" => {
            let title = of("name");
            let version = format!("{title} {}", of("version")).trim().to_owned();
            if title.is_empty() {
                return Vec::new();
            }
            let mut tags = vec![tag("", version), tag(".name", title)];
            if kind == "os" {
                tags.push(tag(".rooted", of("rooted")));
            }
            tags
        }
        "device" => vec![tag("", of("model")), tag(".family", of("family"))],
        "gpu" => vec![tag(".name", of("name")), tag(".vendor", of("vendor_name"))],
        "app" => vec![tag(".device", of("device_app_hash"))],
        "monitor" => vec![tag(".id", of("id")), tag(".slug", of("slug"))],
        _ => Vec::new(),
    }
}

fn in_context(context: &Json<'_>, key: &str) -> String {
    match context.get(key) {
        Some(Json::Str(text)) => text.clone().into_owned(),
        Some(Json::Bool(true)) => "yes".to_owned(),
        Some(Json::Bool(false)) => "no".to_owned(),
        Some(Json::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}
