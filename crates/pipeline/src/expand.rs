//! From a journal record to what is in it: at most one event, and an outcome for everything else.
//!
//! Nothing is refused here: ingest has answered already. Every item of the record ends in exactly
//! one outcome; that of the event is decided further on.

use std::borrow::Cow;

use copal_model::{Category, Outcome, Timestamp};
use copal_protocol::event::Event;
use copal_protocol::json::{Json, Object};
use copal_protocol::limits::EVENT_BYTES_MAX;
use copal_protocol::{Envelope, EventId, Item, ItemType, parse_lenient};

use crate::received::{BodyKind, Received};

/// Bytes of a client report (Relay has the same).
pub const REPORT_BYTES_MAX: usize = 100 * 1024;
/// Client reports count at most this many items in one entry; a larger number is a broken client.
pub const DISCARDED_QUANTITY_MAX: u64 = 1_000_000;
/// Entries read from one client report. SDKs send one per reason and category.
pub const DISCARDED_ENTRIES_MAX: usize = 100;
/// Characters of a reason that a client gives.
pub const DISCARD_REASON_CHARS_MAX: usize = 64;

/// An item that ends here: how, as what, and how many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// How it ended.
    pub outcome: Outcome,
    /// What it was.
    pub category: Category,
    /// How many it stands for.
    pub quantity: u64,
}

/// What a record holds.
#[derive(Debug, Default)]
pub struct Expanded<'a> {
    /// The event, where there is one.
    pub incoming: Option<Incoming<'a>>,
    /// Everything else.
    pub rejected: Vec<Rejected>,
}

/// An event on its way in.
#[derive(Debug)]
pub struct Incoming<'a> {
    /// Its id: that of the envelope, else its own, else the one that ingest made.
    pub event_id: EventId,
    /// When the client sent it, by the client's clock.
    pub sent_at: Option<Timestamp>,
    /// The event.
    pub event: Event<'a>,
}

impl Rejected {
    pub(crate) const fn one(outcome: Outcome, category: Category) -> Self {
        Self {
            outcome,
            category,
            quantity: 1,
        }
    }
}

/// Takes a record's decoded body apart. Text that has to be mended is kept in `scratch`.
pub fn expand<'a>(
    received: &Received<'_>,
    body: &'a [u8],
    scratch: &'a mut Vec<u8>,
) -> Expanded<'a> {
    match received.kind {
        BodyKind::Event => {
            let mut expanded = Expanded::default();
            match read_event(body, scratch) {
                Ok(event) => {
                    expanded.incoming = Some(incoming(event, None, None, received));
                }
                Err(rejected) => expanded.rejected.push(rejected),
            }
            expanded
        }
        BodyKind::Envelope => expand_envelope(received, body, scratch),
    }
}

/// What a body holds, item by item, whatever becomes of it: the other side of the equation that
/// every item ends in exactly one outcome. A body that cannot be taken apart is one item.
pub fn count_items(received: &Received<'_>, body: &[u8]) -> Vec<Category> {
    match received.kind {
        BodyKind::Event => vec![Category::Error],
        BodyKind::Envelope => match Envelope::parse(body) {
            Ok(envelope) => envelope.items.iter().map(category_of).collect(),
            Err(_) => vec![Category::Default],
        },
    }
}

fn expand_envelope<'a>(
    received: &Received<'_>,
    body: &'a [u8],
    scratch: &'a mut Vec<u8>,
) -> Expanded<'a> {
    let mut expanded = Expanded::default();
    let Ok(envelope) = Envelope::parse(body) else {
        // Ingest frames before it answers, so this is damage or an older version's leniency.
        let outcome = Outcome::Invalid("invalid_envelope");
        expanded
            .rejected
            .push(Rejected::one(outcome, Category::Default));
        return expanded;
    };
    let mut scratch = Some(scratch);
    for item in &envelope.items {
        let category = category_of(item);
        match &item.header.item_type {
            ItemType::Event => match scratch
                .take()
                .map(|scratch| read_event(item.payload, scratch))
            {
                Some(Ok(event)) => {
                    let header = &envelope.header;
                    expanded.incoming =
                        Some(incoming(event, header.event_id, header.sent_at, received));
                }
                Some(Err(rejected)) => expanded.rejected.push(rejected),
                None => {
                    let outcome = Outcome::Invalid("second_event");
                    expanded.rejected.push(Rejected::one(outcome, category));
                }
            },
            ItemType::ClientReport => expand_report(item.payload, &mut expanded.rejected),
            _ => expanded
                .rejected
                .push(Rejected::one(Outcome::Filtered("not_kept"), category)),
        }
    }
    expanded
}

fn incoming<'a>(
    mut event: Event<'a>,
    envelope_id: Option<EventId>,
    sent_at: Option<Timestamp>,
    received: &Received<'_>,
) -> Incoming<'a> {
    let event_id = envelope_id
        .or(event.event_id)
        .unwrap_or(received.fallback_event_id);
    event.event_id = Some(event_id);
    Incoming {
        event_id,
        sent_at,
        event,
    }
}

fn read_event<'a>(payload: &'a [u8], scratch: &'a mut Vec<u8>) -> Result<Event<'a>, Rejected> {
    let invalid = |why| Rejected::one(Outcome::Invalid(why), Category::Error);
    if payload.len() > EVENT_BYTES_MAX {
        return Err(invalid("too_large"));
    }
    let json = parse_lenient(payload, scratch).map_err(|_| invalid("invalid_json"))?;
    Event::from_json(json).map_err(|_| invalid("not_an_object"))
}

/// What a report says is counted apart from what we received; the report itself is not kept.
fn expand_report(payload: &[u8], rejected: &mut Vec<Rejected>) {
    if payload.len() > REPORT_BYTES_MAX {
        let outcome = Outcome::Invalid("too_large");
        rejected.push(Rejected::one(outcome, Category::Default));
        return;
    }
    let mut scratch = Vec::new();
    let Ok(Json::Object(report)) = parse_lenient(payload, &mut scratch) else {
        let outcome = Outcome::Invalid("invalid_json");
        rejected.push(Rejected::one(outcome, Category::Default));
        return;
    };
    let lists = [
        "discarded_events",
        "rate_limited_events",
        "filtered_events",
        "filtered_sampling_events",
    ];
    let entries = lists
        .iter()
        .filter_map(|list| report.get(list)?.as_array())
        .flatten();
    let discarded = entries
        .take(DISCARDED_ENTRIES_MAX)
        .filter_map(Json::as_object);
    rejected.extend(discarded.filter_map(discarded_entry));
    let outcome = Outcome::Filtered("client_report");
    rejected.push(Rejected::one(outcome, Category::Default));
}

fn discarded_entry(entry: &Object<'_>) -> Option<Rejected> {
    let quantity = match entry.get("quantity") {
        Some(Json::Number(number)) => number.as_u64()?,
        _ => return None,
    };
    if quantity == 0 {
        return None;
    }
    let reason = entry
        .get("reason")
        .and_then(Json::as_str)
        .unwrap_or("unknown");
    let reason: String = reason.chars().take(DISCARD_REASON_CHARS_MAX).collect();
    let name = entry
        .get("category")
        .and_then(Json::as_str)
        .map(Cow::Borrowed)?;
    let category = Category::ALL
        .into_iter()
        .find(|category| category.as_str() == name)
        .unwrap_or(Category::Default);
    Some(Rejected {
        outcome: Outcome::ClientDiscard(reason),
        category,
        quantity: quantity.min(DISCARDED_QUANTITY_MAX),
    })
}

/// Whether items of a type are looked at, or else counted and dropped.
pub const fn is_kept(item_type: &ItemType<'_>) -> bool {
    matches!(item_type, ItemType::Event | ItemType::ClientReport)
}

fn category_of(item: &Item<'_>) -> Category {
    category(&item.header.item_type)
}

/// What a quota or outcome counts items of a type as.
pub const fn category(item_type: &ItemType<'_>) -> Category {
    match item_type {
        ItemType::Event => Category::Error,
        ItemType::Transaction => Category::Transaction,
        ItemType::Attachment => Category::Attachment,
        ItemType::Session | ItemType::Sessions => Category::Session,
        ItemType::Feedback | ItemType::UserReport => Category::Feedback,
        ItemType::CheckIn => Category::Monitor,
        ItemType::RawSecurity => Category::Security,
        ItemType::Profile | ItemType::ProfileChunk => Category::Profile,
        ItemType::ReplayEvent | ItemType::ReplayRecording | ItemType::ReplayVideo => {
            Category::Replay
        }
        ItemType::Span => Category::Span,
        ItemType::Log => Category::Log,
        ItemType::TraceMetric | ItemType::Statsd | ItemType::MetricMeta => Category::Metric,
        ItemType::ClientReport | ItemType::Unknown(_) => Category::Default,
    }
}

#[cfg(test)]
mod tests {
    use copal_model::ProjectId;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::received::BodyEncoding;

    fn received(kind: BodyKind) -> Received<'static> {
        Received {
            project: ProjectId::new(1).unwrap(),
            received_at: Timestamp::UNIX_EPOCH,
            fallback_event_id: EventId::new(Uuid::from_u128(9)),
            client_ip: None,
            user_agent: "",
            sdk: "",
            kind,
            encoding: BodyEncoding::Identity,
            decoded_bytes: 0,
            body: &[],
        }
    }

    #[track_caller]
    fn check(body: &str, event: Option<u128>, rejected: &[(&str, &str, &str, u64)]) {
        let mut scratch = Vec::new();
        let expanded = expand(&received(BodyKind::Envelope), body.as_bytes(), &mut scratch);
        let id = expanded
            .incoming
            .map(|incoming| incoming.event_id.as_uuid().as_u128());
        assert_eq!(id, event);
        let ended: Vec<_> = expanded
            .rejected
            .iter()
            .map(|one| {
                (
                    one.outcome.as_str(),
                    one.outcome.reason(),
                    one.category.as_str(),
                    one.quantity,
                )
            })
            .collect();
        assert_eq!(ended, rejected);
    }

    const REPORT: &str =
        "{\"discarded_events\":[{\"reason\":\"a\",\"category\":\"error\",\"quantity\":3}]}";
    const EVENT: &str = "{\"type\":\"event\"}\n{\"message\":\"a\"}\n";

    #[test]
    fn the_envelopes_id_wins_then_the_events_then_ingests() {
        let id = "{\"event_id\":\"00000000000000000000000000000007\"}\n";
        let own = "{\"type\":\"event\"}\n{\"event_id\":\"00000000000000000000000000000008\"}\n";
        check(&format!("{id}{own}"), Some(7), &[]);
        check(&format!("{{}}\n{own}"), Some(8), &[]);
        check(&format!("{{}}\n{EVENT}"), Some(9), &[]);
    }

    #[test]
    fn the_first_event_counts() {
        let body = format!("{{}}\n{EVENT}{EVENT}");
        check(&body, Some(9), &[("invalid", "second_event", "error", 1)]);
    }

    #[test]
    fn what_is_not_kept_is_counted() {
        check(
            "{}\n{\"type\":\"session\"}\n{}\n{\"type\":\"transaction\"}\n{}\n{\"type\":\"new\"}\nx",
            None,
            &[
                ("filtered", "not_kept", "session", 1),
                ("filtered", "not_kept", "transaction", 1),
                ("filtered", "not_kept", "default", 1),
            ],
        );
    }

    #[test]
    fn a_bad_item_takes_only_itself() {
        check(
            "{}\n{\"type\":\"event\"}\n[1]\n{\"type\":\"attachment\",\"length\":1}\nx",
            None,
            &[
                ("invalid", "not_an_object", "error", 1),
                ("filtered", "not_kept", "attachment", 1),
            ],
        );
        check(
            "{}\n{\"type\":\"event\"}\n{\"a\":\n",
            None,
            &[("invalid", "invalid_json", "error", 1)],
        );
    }

    #[test]
    fn an_event_that_is_too_large_takes_only_itself() {
        let with = |bytes: usize| {
            let filler = "a".repeat(bytes - "{\"message\":\"\"}".len());
            let event = format!("{{\"message\":\"{filler}\"}}");
            assert_eq!(event.len(), bytes);
            format!("{{}}\n{{\"type\":\"event\"}}\n{event}\n{{\"type\":\"session\"}}\n{{}}\n")
        };
        let session = ("filtered", "not_kept", "session", 1);
        check(&with(EVENT_BYTES_MAX), Some(9), &[session]);
        let too_large = ("invalid", "too_large", "error", 1);
        check(&with(EVENT_BYTES_MAX + 1), None, &[too_large, session]);
    }

    #[test]
    fn reports_say_what_clients_dropped() {
        let report = r#"{"discarded_events":[
            {"reason":"queue_overflow","category":"error","quantity":3},
            {"reason":"sample_rate","category":"odd","quantity":0},
            {"reason":"x","category":"odd","quantity":9999999}, 5]}"#
            .replace('\n', "");
        check(
            &format!("{{}}\n{{\"type\":\"client_report\"}}\n{report}"),
            None,
            &[
                ("client_discard", "queue_overflow", "error", 3),
                ("client_discard", "x", "default", DISCARDED_QUANTITY_MAX),
                ("filtered", "client_report", "default", 1),
            ],
        );
    }

    #[test]
    fn store_bodies_are_events() {
        let mut scratch = Vec::new();
        let expanded = expand(
            &received(BodyKind::Event),
            b"{\"level\":\"info\"}",
            &mut scratch,
        );
        assert_eq!(
            expanded.incoming.unwrap().event.level.as_deref(),
            Some("info")
        );
        let mut scratch = Vec::new();
        assert_eq!(
            expand(&received(BodyKind::Event), b"no", &mut scratch)
                .rejected
                .len(),
            1
        );
    }

    proptest! {
        #[test]
        fn every_item_ends_once(
            items in proptest::collection::vec(
                (
                    prop::sample::select(vec![
                        "event", "session", "attachment", "log", "client_report", "other",
                    ]),
                    prop::sample::select(vec!["{}", "[]", "{", "{\"message\":1}", REPORT]),
                ),
                0..12,
            ),
        ) {
            let mut body = "{}\n".to_owned();
            for (kind, payload) in &items {
                body.push_str(&["{\"type\":\"", kind, "\"}\n", payload, "\n"].concat());
            }
            let mut scratch = Vec::new();
            let expanded = expand(&received(BodyKind::Envelope), body.as_bytes(), &mut scratch);
            let mut ended: Vec<_> = expanded
                .rejected
                .iter()
                .filter(|one| !matches!(one.outcome, Outcome::ClientDiscard(_)))
                .map(|one| one.category)
                .chain(expanded.incoming.map(|_| Category::Error))
                .collect();
            ended.sort_unstable();
            let mut counted = count_items(&received(BodyKind::Envelope), body.as_bytes());
            counted.sort_unstable();
            prop_assert_eq!(counted.len(), items.len());
            prop_assert_eq!(ended, counted);
        }

        #[test]
        fn never_panics(body: Vec<u8>, is_event: bool) {
            let kind = if is_event { BodyKind::Event } else { BodyKind::Envelope };
            let mut scratch = Vec::new();
            expand(&received(kind), &body, &mut scratch);
            count_items(&received(kind), &body);
        }
    }
}
