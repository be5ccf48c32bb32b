//! Contexts: what `User-Agent` and client hints tell of browser, system and device, where the SDK has
//! not told it; and descriptions taken apart.

use std::borrow::Cow;

use copal_protocol::event::{Request, Text};
use copal_protocol::{Event, Json, Object};

use crate::user_agent::{self, leading_version};

pub(super) fn normalize(event: &mut Event<'_>) {
    for (name, context) in event.contexts.iter_mut() {
        let name = name.to_owned();
        if let Json::Object(context) = context {
            let kind = context.get("type").and_then(Json::as_str).unwrap_or(&name);
            if matches!(kind, "os" | "runtime" | "client_os") {
                read_description(context);
            }
        }
    }
    let Some(request) = &event.request else {
        return;
    };
    let Some(agent) = request.headers.get("User-Agent").map(str::to_owned) else {
        return;
    };
    // The agent tells of the user's system, which is the event's own in browsers only.
    let system = match event.platform.as_deref() {
        Some("javascript") => "os",
        _ => "client_os",
    };
    let found = [
        ("browser", browser(request, &agent)),
        (system, operating_system(request, &agent)),
        ("device", device(request, &agent)),
    ];
    for (name, context) in found {
        if let Some(context) = context
            && event.contexts.get(name).is_none()
        {
            event.contexts.insert(name, Json::Object(context));
        }
    }
}

/// `Microsoft Windows 10.0.17763` has name and version.
fn read_description(context: &mut Object<'_>) {
    if context.get("name").is_some() || context.get("version").is_some() {
        return;
    }
    let Some(text) = context.get("raw_description").and_then(Json::as_str) else {
        return;
    };
    let mut words = text.match_indices(' ').map(|(at, _)| at + 1);
    let found = words.find_map(|at| Some((at, leading_version(&text[at..], 4)?)));
    let (name, version) = match found {
        Some((at, version)) => (text[..at].trim(), Some(version)),
        None => (text.trim(), None),
    };
    let name = name.strip_prefix("Microsoft ").unwrap_or(name);
    let name = name.strip_suffix(" NT").unwrap_or(name).to_owned();
    if name.is_empty() {
        return;
    }
    context.insert("name", text_of(name));
    if let Some(version) = version {
        context.insert("version", text_of(version));
    }
}

fn text_of<'a>(text: impl Into<Text<'a>>) -> Json<'a> {
    Json::Str(text.into())
}

fn context<'a>(kind: &'static str, pairs: Vec<(&'static str, Text<'a>)>) -> Object<'a> {
    let pairs = pairs
        .into_iter()
        .map(|(key, value)| (Cow::Borrowed(key), Json::Str(value)));
    let kind = (Cow::Borrowed("type"), text_of(kind));
    Object::from_pairs(pairs.chain([kind]).collect())
}

fn product<'a>(kind: &'static str, name: Text<'a>, version: Option<Text<'a>>) -> Object<'a> {
    let version = version.map(|version| ("version", version));
    context(kind, [("name", name)].into_iter().chain(version).collect())
}

/// A hint in quotes.
fn hint<'r>(request: &'r Request<'_>, header: &str) -> Option<&'r str> {
    let value = request.headers.get(header)?.trim().trim_matches('"').trim();
    (!value.is_empty()).then_some(value)
}

/// `"Not A(Brand";v="24", "Chromium";v="110", "Google Chrome";v="110"`
fn browser<'a>(request: &Request<'_>, agent: &str) -> Option<Object<'a>> {
    let brands = request.headers.get("Sec-Ch-Ua").unwrap_or_default();
    let mut named: Vec<(&str, &str)> = brands
        .split(", ")
        .filter_map(|brand| brand.split_once(";v="))
        .map(|(name, version)| {
            (
                name.trim().trim_matches('"'),
                version.trim().trim_matches('"'),
            )
        })
        .filter(|(name, _)| !name.is_empty() && !is_decoy(name))
        .collect();
    // Chromium stands beside what is made of it.
    named.sort_by_key(|(name, _)| *name == "Chromium");
    if let Some((name, version)) = named.first() {
        let name = match *name {
            "Google Chrome" => "Chrome",
            "Microsoft Edge" => "Edge",
            other => other,
        };
        return Some(product("browser", own(name), Some(own(version))));
    }
    let found = user_agent::browser(agent)?;
    Some(product(
        "browser",
        found.name.into(),
        found.version.map(Cow::Owned),
    ))
}

/// A brand that stands there so that nobody relies on the list: `Not A(Brand`.
fn is_decoy(brand: &str) -> bool {
    brand.contains("Not") && brand.contains("Brand")
}

fn operating_system<'a>(request: &Request<'_>, agent: &str) -> Option<Object<'a>> {
    if let Some(platform) = hint(request, "Sec-Ch-Ua-Platform") {
        let version = hint(request, "Sec-Ch-Ua-Platform-Version").map(own);
        return Some(product("os", own(platform), version));
    }
    let found = user_agent::operating_system(agent)?;
    Some(product(
        "os",
        found.name.into(),
        found.version.map(Cow::Owned),
    ))
}

fn device<'a>(request: &Request<'_>, agent: &str) -> Option<Object<'a>> {
    let model = hint(request, "Sec-Ch-Ua-Model").or_else(|| user_agent::device(agent))?;
    Some(context(
        "device",
        vec![("family", own(model)), ("model", own(model))],
    ))
}

fn own<'a>(text: &str) -> Text<'a> {
    Cow::Owned(text.to_owned())
}
