//! Step 3: an event becomes what Copal stores and shows: one shape, in bounds, with the times right.
//!
//! Normalising what was stored again changes nothing.

mod attributes;
mod contexts;
mod exceptions;
mod images;
pub(crate) mod limits;
mod message;
mod notes;
mod request;
mod tags;
mod time;
mod trim;

use std::net::IpAddr;

use copal_model::Timestamp;
use copal_protocol::{Event, EventId};

pub(crate) use attributes::parse_level;
pub(crate) use notes::Notes;

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
    /// How long events are kept: what happened earlier counts as now.
    pub retention_days: u16,
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
    let mut notes = Notes::default();
    time::normalize(&mut event, facts, &mut notes);
    attributes::normalize(&mut event, facts, &mut notes);
    message::normalize(&mut event, &mut notes);
    exceptions::normalize(&mut event, &mut notes);
    images::normalize(&mut event, &mut notes);
    request::normalize(&mut event, facts, &mut notes);
    contexts::normalize(&mut event);
    trim::trim_free_form(&mut event, &mut notes);
    tags::normalize(&mut event, &mut notes);
    notes.append_to(&mut event);
    Normalized { event }
}

#[cfg(test)]
mod tests;
