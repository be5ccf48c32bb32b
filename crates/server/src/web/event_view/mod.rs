//! A stored event's JSON as the issue page shows it.
//!
//! What is stored has been normalised, but was written by strangers: a part of a wrong shape is
//! left out, lists are capped, and nothing here can fail.
//!
//! # Layout
//! - `exceptions`: the exception chain and threads
//! - `frames`: lines of stack traces
//! - `context`: breadcrumbs, request, user, contexts, tags
//! - `grouping`: why the event is in its issue
//! - `tree`: nested values

mod context;
mod exceptions;
mod frames;
mod grouping;
mod tree;

use copal_model::Level;
use copal_protocol::{Json, parse_lenient};
use copal_store::events::EventInIssue;
use copal_ui::pages::event::EventView;

use tree::{entries, list, pairs, text, text_at};

/// Things of one kind that are shown: breadcrumbs, tags, headers, contexts.
const SHOWN_MAX: usize = 200;

/// The event as the page shows it.
pub fn event_view(found: &EventInIssue) -> EventView {
    let mut scratch = Vec::new();
    let event = parse_lenient(&found.event.payload, &mut scratch).unwrap_or_default();
    let summary = &found.event.summary;
    EventView {
        id: summary.event_id.to_string(),
        occurred_at: summary.occurred_at,
        received_at: summary.received_at,
        number: found.number,
        stored: found.stored,
        previous: found.previous.map(|id| id.to_string()),
        next: found.next.map(|id| id.to_string()),
        level: text(&event, "level")
            .and_then(|level| level.parse().ok())
            .unwrap_or(Level::Error),
        platform: text(&event, "platform").unwrap_or_default(),
        sdk: sdk(&event),
        release: summary.release.clone(),
        environment: summary.environment.clone(),
        message: message(&event).filter(|message| *message != summary.title),
        exceptions: exceptions::exceptions(&event),
        threads: exceptions::threads(&event),
        breadcrumbs: context::breadcrumbs(&event),
        request: context::request(&event),
        user: entries(event.get("user")),
        contexts: entries(event.get("contexts")),
        tags: pairs(event.get("tags")),
        extra: entries(event.get("extra")),
        modules: pairs(event.get("modules")),
        problems: problems(&event),
        grouping: grouping::grouping(&found.event.grouping),
    }
}

fn sdk(event: &Json<'_>) -> Option<String> {
    let name = text_at(event, &["sdk", "name"])?;
    Some(match text_at(event, &["sdk", "version"]) {
        Some(version) => format!("{name} {version}"),
        None => name,
    })
}

fn message(event: &Json<'_>) -> Option<String> {
    text_at(event, &["logentry", "formatted"])
        .or_else(|| text_at(event, &["logentry", "message"]))
        .or_else(|| text(event, "message"))
        .filter(|message| !message.is_empty())
}

/// What was dropped, cut or changed when the event came in, as sentences.
fn problems(event: &Json<'_>) -> Vec<String> {
    list(event, "errors")
        .iter()
        .filter_map(problem)
        .take(SHOWN_MAX)
        .collect()
}

fn problem(problem: &Json<'_>) -> Option<String> {
    let kind = text(problem, "type")?;
    let name = text(problem, "name").filter(|name| !name.is_empty());
    let name = name.unwrap_or_else(|| "event".to_owned());
    let value = text(problem, "value").filter(|value| !value.is_empty());
    let was = value
        .as_ref()
        .map_or_else(String::new, |value| format!(" (was {value})"));
    Some(match &*kind {
        "invalid_data" => format!("{name}: not a value it may have, dropped{was}"),
        "unknown_attribute" => format!("{name}: not an attribute of events, dropped"),
        "value_too_long" => format!("{name}: too large, cut"),
        "clock_drift" => format!("{name}: the sender's clock was wrong, corrected{was}"),
        "future_timestamp" => format!("{name}: in the future, set to when it came in{was}"),
        "past_timestamp" => {
            format!("{name}: older than events are kept, set to when it came in{was}")
        }
        "filtered" => format!("{name}: taken out: {}", value?),
        _ => format!("{name}: {kind}"),
    })
}

#[cfg(test)]
mod tests;
