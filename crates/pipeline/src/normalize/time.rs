//! Times: clients' clocks corrected, and events kept within what can be true.

use copal_model::Timestamp;
use copal_protocol::Event;
use jiff::SignedDuration;

use super::Facts;
use super::limits::{CLOCK_DRIFT_MIN_SECS, FUTURE_MAX_SECS, SECS_PER_DAY};
use super::notes::Notes;

pub(super) fn normalize(event: &mut Event<'_>, facts: &Facts<'_>, notes: &mut Notes) {
    let received_at = facts.received_at;
    event.received = Some(received_at);
    let Some(given) = event.timestamp else {
        event.timestamp = Some(received_at);
        return;
    };
    if let Some(sent_at) = facts.sent_at {
        let drift = received_at.duration_since(sent_at);
        if drift.as_secs().abs() >= CLOCK_DRIFT_MIN_SECS {
            shift(event, drift);
            notes.add("clock_drift", "timestamp".to_owned(), &given.to_string());
        }
    }
    let occurred_at = event.timestamp.unwrap_or(received_at);
    let ahead = occurred_at.duration_since(received_at).as_secs();
    let kind = match ahead {
        _ if ahead > FUTURE_MAX_SECS => "future_timestamp",
        _ if ahead < -i64::from(facts.retention_days) * SECS_PER_DAY => "past_timestamp",
        _ => return,
    };
    shift(event, received_at.duration_since(occurred_at));
    event.timestamp = Some(received_at);
    notes.add(kind, "timestamp".to_owned(), &given.to_string());
}

/// Moves all times of an event; what would leave the calendar stays.
fn shift(event: &mut Event<'_>, by: SignedDuration) {
    let breadcrumbs = event.breadcrumbs.iter_mut();
    let times = breadcrumbs.map(|breadcrumb| &mut breadcrumb.timestamp);
    for time in times.chain([&mut event.timestamp]) {
        let moved = time.and_then(|time: Timestamp| time.checked_add(by).ok());
        if let Some(moved) = moved.filter(|moved| *moved >= Timestamp::UNIX_EPOCH) {
            *time = Some(moved);
        }
    }
}
