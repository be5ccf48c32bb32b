//! Step 3: an event becomes what Copal stores and shows: one shape, in bounds, with the times right.
//!
//! Normalising what was stored again changes nothing.

mod attributes;
mod exceptions;
pub(crate) mod limits;
mod message;
mod request;
mod tags;
mod time;
mod trim;

use std::borrow::Cow;
use std::net::IpAddr;

use copal_model::Timestamp;
use copal_protocol::event::EventError;
use copal_protocol::{Event, EventId};

pub(crate) use attributes::parse_level;

/// What is known about an event beside what it says itself.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'f> {
    /// When ingest received it.
    pub received_at: Timestamp,
    /// When the client sent it, by the client's clock.
    pub sent_at: Option<Timestamp>,
    /// Where it came from.
    pub client_ip: Option<IpAddr>,
    /// `User-Agent` of the request; empty when there was none.
    pub user_agent: &'f str,
    /// `sentry_client` of the credentials, `name/version`; empty when there was none.
    pub sdk: &'f str,
    /// The id in the envelope's header; it beats the event's own.
    pub envelope_event_id: Option<EventId>,
    /// The id to use where neither has one.
    pub fallback_event_id: EventId,
}

/// A normalised event, not yet scrubbed: it may hold secrets and must not be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Normalized<'a> {
    /// The event.
    pub event: Event<'a>,
}

/// Brings an event into the one shape, and within bounds.
pub fn normalize<'a>(mut event: Event<'a>, facts: &Facts<'_>) -> Normalized<'a> {
    let event_id = facts.envelope_event_id.or(event.event_id);
    event.event_id = Some(event_id.unwrap_or(facts.fallback_event_id));
    time::normalize(&mut event, facts);
    attributes::normalize(&mut event, facts);
    message::normalize(&mut event);
    exceptions::normalize(&mut event);
    request::normalize(&mut event, facts);
    trim::trim_free_form(&mut event);
    tags::normalize(&mut event);
    Normalized { event }
}

/// Notes a change in the event, unless it is noted already or there are too many notes.
fn note(event: &mut Event<'_>, kind: &'static str, name: &'static str, value: String) {
    let is_full = event.errors.len() >= copal_protocol::limits::EVENT_ERRORS_MAX;
    if is_full
        || event
            .errors
            .iter()
            .any(|error| error.kind == kind && error.name == name)
    {
        return;
    }
    event.errors.push(EventError {
        kind: Cow::Borrowed(kind),
        name: Cow::Borrowed(name),
        value: Cow::Owned(value),
    });
}

#[cfg(test)]
mod tests;
