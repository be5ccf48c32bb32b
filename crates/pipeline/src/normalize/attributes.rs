//! The plain attributes: level, platform, release, environment and the like.

use std::borrow::Cow;

use copal_model::Level;
use copal_protocol::Event;
use copal_protocol::event::{Sdk, Text};

use super::Facts;
use super::limits::{
    CHECKSUM, CULPRIT, DIST_CHARS_MAX, ENVIRONMENT_BYTES_MAX, LOGGER, RELEASE_BYTES_MAX,
    SERVER_NAME, TRANSACTION,
};
use super::notes::Notes;
use super::trim::trim_text;

/// Whether a name may be one.
type Check = fn(&str) -> bool;

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

pub(super) fn normalize(event: &mut Event<'_>, facts: &Facts<'_>, notes: &mut Notes) {
    let level = event.level.as_deref().and_then(parse_level);
    event.level = Some(Cow::Borrowed(level.unwrap_or(Level::Error).as_str()));
    let platform = event.platform.as_deref().unwrap_or("other");
    let known = PLATFORMS.iter().find(|known| **known == platform);
    event.platform = Some(Cow::Borrowed(known.copied().unwrap_or("other")));

    normalize_logger(event, notes);
    for (name, attribute, limit) in [
        ("logger", &mut event.logger, LOGGER),
        ("server_name", &mut event.server_name, SERVER_NAME),
        ("transaction", &mut event.transaction, TRANSACTION),
        ("culprit", &mut event.culprit, CULPRIT),
        ("checksum", &mut event.checksum, CHECKSUM),
    ] {
        trim_blank(attribute);
        notes.cut_if(trim_text(attribute, limit), || name.to_owned());
    }
    take_environment_tag(event);
    let named: [(_, _, Check); 3] = [
        ("release", &mut event.release, is_release),
        ("environment", &mut event.environment, is_environment),
        ("dist", &mut event.dist, is_dist),
    ];
    for (name, attribute, is_valid) in named {
        trim_blank(attribute);
        // That there is none may be said too.
        let is_none = |text: &str| name == "environment" && text.eq_ignore_ascii_case("none");
        attribute.take_if(|text| is_none(text));
        if let Some(text) = attribute.take_if(|text| !is_valid(text)) {
            notes.dropped(name, &text);
        }
    }
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

/// Loggers of Java are classes: of a long one the last parts tell most.
fn normalize_logger(event: &mut Event<'_>, notes: &mut Notes) {
    trim_blank(&mut event.logger);
    if let Some(logger) = event.logger.take_if(|logger| logger.contains(['\r', '\n'])) {
        notes.dropped("logger", &logger);
    }
    let is_java = event.platform.as_deref() == Some("java");
    let Some(logger) = event.logger.as_mut().filter(|_| is_java) else {
        return;
    };
    let chars = logger.chars().count();
    if chars > LOGGER.chars {
        // One character for the star that stands for what is left out.
        let excess = chars + 1 - LOGGER.chars;
        let start = logger.char_indices().nth(excess).map_or(0, |(at, _)| at);
        let start = logger[start..].find('.').map_or(start, |dot| start + dot);
        *logger = Cow::Owned(format!("*{}", &logger[start..]));
        notes.cut_if(true, || "logger".to_owned());
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
