//! Tags: the client's cleaned, ours added.

use std::borrow::Cow;
use std::collections::HashSet;

use copal_protocol::event::Text;
use copal_protocol::{Event, Json};

use super::limits::TAG;
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

pub(super) fn normalize(event: &mut Event<'_>) {
    let mut seen: HashSet<String> = HashSet::new();
    event.tags.0.retain_mut(|(key, value)| {
        clean(key, value);
        let is_good = !key.is_empty()
            && key.chars().count() <= TAG.chars
            && key
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"_.:-".contains(&b))
            && !value.is_empty()
            && !RESERVED.contains(&&**key);
        is_good && seen.insert(key.to_string())
    });
    for (key, value) in own_tags(event) {
        if value.is_empty() || seen.contains(key) {
            continue;
        }
        let mut value = Cow::Owned(value);
        clean(&mut Cow::Borrowed(key), &mut value);
        event.tags.0.push((Cow::Borrowed(key), value));
    }
    event.tags.0.sort();
}

fn clean(key: &mut Text<'_>, value: &mut Text<'_>) {
    if key.contains(' ') {
        *key = Cow::Owned(key.trim().replace(' ', "-"));
    }
    if value.contains(['\n', '\r']) {
        *value = Cow::Owned(value.replace(['\n', '\r'], " "));
    }
    if value.trim().len() != value.len() {
        *value = Cow::Owned(value.trim().to_owned());
    }
    trim_text_value(value, TAG);
}

/// Tags that follow from the event.
fn own_tags(event: &Event<'_>) -> Vec<(&'static str, String)> {
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
    let mut tags = vec![
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
        ("device", in_context(event, "device", "model")),
        ("device.family", in_context(event, "device", "family")),
        ("os.rooted", in_context(event, "os", "rooted")),
        ("gpu.name", in_context(event, "gpu", "name")),
        ("gpu.vendor", in_context(event, "gpu", "vendor_name")),
        ("app.device", in_context(event, "app", "device_app_hash")),
    ];
    for (context, with_version, name_only) in [
        ("os", "os", "os.name"),
        ("browser", "browser", "browser.name"),
        ("runtime", "runtime", "runtime.name"),
    ] {
        let name = in_context(event, context, "name");
        let version = in_context(event, context, "version");
        if !name.is_empty() {
            tags.push((with_version, format!("{name} {version}").trim().to_owned()));
            tags.push((name_only, name));
        }
    }
    tags
}

fn in_context(event: &Event<'_>, context: &str, key: &str) -> String {
    match event
        .contexts
        .get(context)
        .and_then(|context| context.get(key))
    {
        Some(Json::Str(text)) => text.clone().into_owned(),
        Some(Json::Bool(true)) => "yes".to_owned(),
        Some(Json::Bool(false)) => "no".to_owned(),
        Some(Json::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}
