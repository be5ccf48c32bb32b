//! The plain attributes: level, platform, release, environment and the like.

use std::borrow::Cow;

use copal_model::Level;
use copal_protocol::Event;
use copal_protocol::event::{Sdk, Text};

use super::limits::{
    CHECKSUM, CULPRIT, DIST_CHARS_MAX, ENVIRONMENT_BYTES_MAX, LOGGER, RELEASE_BYTES_MAX,
    SERVER_NAME, TRANSACTION,
};
use super::trim::trim_text;
use super::{Facts, note};

/// Platforms that SDKs may name; others are `other`.
const PLATFORMS: &[&str] = &[
    "as3",
    "c",
    "cfml",
    "cocoa",
    "csharp",
    "elixir",
    "go",
    "groovy",
    "haskell",
    "java",
    "javascript",
    "native",
    "node",
    "objc",
    "other",
    "perl",
    "php",
    "python",
    "ruby",
];

pub(super) fn normalize(event: &mut Event<'_>, facts: &Facts<'_>) {
    let level = event.level.as_deref().and_then(parse_level);
    event.level = Some(Cow::Borrowed(level.unwrap_or(Level::Error).as_str()));
    let platform = event.platform.as_deref().unwrap_or("other");
    let known = PLATFORMS.iter().find(|known| **known == platform);
    event.platform = Some(Cow::Borrowed(known.copied().unwrap_or("other")));

    for (attribute, limit) in [
        (&mut event.logger, LOGGER),
        (&mut event.server_name, SERVER_NAME),
        (&mut event.transaction, TRANSACTION),
        (&mut event.culprit, CULPRIT),
        (&mut event.checksum, CHECKSUM),
    ] {
        trim_blank(attribute);
        trim_text(attribute, limit);
    }
    trim_blank(&mut event.release);
    trim_blank(&mut event.environment);
    trim_blank(&mut event.dist);
    take_environment_tag(event);
    if let Some(release) = event.release.take_if(|release| !is_release(release)) {
        note(
            event,
            "invalid_data",
            "release",
            release.chars().take(100).collect(),
        );
    }
    event
        .environment
        .take_if(|name| name.eq_ignore_ascii_case("none"));
    if let Some(name) = event.environment.take_if(|name| !is_environment(name)) {
        note(
            event,
            "invalid_data",
            "environment",
            name.chars().take(100).collect(),
        );
    }
    event.dist.take_if(|dist| !is_dist(dist));
    if event.sdk.is_none()
        && let Some((name, version)) = facts.sdk.split_once('/')
    {
        event.sdk = Some(Sdk {
            name: Some(Cow::Owned(name.to_owned())),
            version: Some(Cow::Owned(version.to_owned())),
            ..Sdk::default()
        });
    }
}

/// Names of levels, and the numbers that Python uses.
pub(crate) fn parse_level(text: &str) -> Option<Level> {
    Some(match &*text.trim().to_ascii_lowercase() {
        "debug" | "trace" | "10" => Level::Debug,
        "info" | "log" | "20" => Level::Info,
        "warning" | "warn" | "30" => Level::Warning,
        "error" | "40" => Level::Error,
        "fatal" | "critical" | "50" => Level::Fatal,
        _ => return None,
    })
}

/// Takes blanks off both ends; what was only blanks is absent.
pub(super) fn trim_blank(attribute: &mut Option<Text<'_>>) {
    let Some(text) = attribute else {
        return;
    };
    if text.trim().len() != text.len() {
        *text = Cow::Owned(text.trim().to_owned());
    }
    attribute.take_if(|text| text.is_empty());
}

fn take_environment_tag(event: &mut Event<'_>) {
    let place = event
        .tags
        .0
        .iter()
        .position(|(key, _)| key == "environment");
    let Some(place) = place else {
        return;
    };
    let (_, value) = event.tags.0.remove(place);
    if event.environment.is_none() {
        event.environment = Some(value);
        trim_blank(&mut event.environment);
    }
}

fn has_bad_characters(name: &str) -> bool {
    name.chars()
        .any(|c| c == '/' || c == '\\' || c.is_ascii_control())
}

fn is_release(name: &str) -> bool {
    name.len() <= RELEASE_BYTES_MAX
        && !has_bad_characters(name)
        && !matches!(name, "." | "..")
        && !name.eq_ignore_ascii_case("latest")
}

fn is_environment(name: &str) -> bool {
    name.len() <= ENVIRONMENT_BYTES_MAX && !has_bad_characters(name) && !matches!(name, "." | "..")
}

fn is_dist(dist: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    dist.len() <= DIST_CHARS_MAX && dist.chars().all(is_part)
}
