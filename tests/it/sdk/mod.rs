//! Unmodified SDKs send to the real program; what they sent is read back through the REST API and
//! on the page.
//!
//! The programs are those of `tests/sdk`, which also make the events of `copal demo`.

mod browser;
mod node;
mod python;
mod rust;

use serde_json::Value;

use crate::support::text;

/// An issue in one line: what happened, where, how severe, how often.
fn line(issue: &Value) -> String {
    format!(
        "{} | {} | {} | {}",
        text(&issue["title"]),
        text(&issue["culprit"]),
        text(&issue["level"]),
        issue["eventsCount"]
    )
}

/// The exceptions of an event, the one that was caught last.
fn exceptions(event: &Value) -> Vec<(&str, &str)> {
    let values = event["payload"]["exception"]["values"].as_array().unwrap();
    values
        .iter()
        .map(|exception| (text(&exception["type"]), text(&exception["value"])))
        .collect()
}

/// The frames of the exception that was caught, outermost first.
fn frames(event: &Value) -> &[Value] {
    let caught = event["payload"]["exception"]["values"]
        .as_array()
        .unwrap()
        .last()
        .unwrap();
    caught["stacktrace"]["frames"].as_array().unwrap()
}

/// Whether a frame is the application's own.
fn is_own(frame: &Value) -> bool {
    frame["in_app"] == true
}

/// The value of a tag.
fn tag<'e>(event: &'e Value, key: &str) -> Option<&'e str> {
    let tags = event["payload"]["tags"].as_array().unwrap();
    let pair = tags.iter().find(|pair| pair[0] == key)?;
    pair[1].as_str()
}

/// What was hashed for the deciding variant, as `part value`.
fn hashed(event: &Value) -> Vec<String> {
    let variants = event["grouping"]["variants"].as_array().unwrap();
    let fingerprint = &event["grouping"]["fingerprint"];
    let deciding = variants.iter().find(|one| one["hash"] == *fingerprint);
    let leaves = deciding.unwrap()["leaves"].as_array().unwrap();
    leaves
        .iter()
        .map(|leaf| format!("{} {}", text(&leaf["part"]), text(&leaf["value"])))
        .collect()
}
