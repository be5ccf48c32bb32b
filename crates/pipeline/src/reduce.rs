//! A large envelope without what nobody looks at.
//!
//! Attachments, replays and profiles make envelopes large, and a bomb is larger still. They are
//! counted and dropped, so their payloads need not be in memory: the envelope is taken apart while
//! it is unpacked, and put together again with payloads cut to what [`expand`](crate::expand) reads.

use copal_protocol::limits::EVENT_BYTES_MAX;
use copal_protocol::{EnvelopeHeader, ItemHeader, ItemType, Parts};

use crate::expand::REPORT_BYTES_MAX;

/// An envelope that is being reduced.
#[derive(Debug, Default)]
pub(crate) struct Reduced {
    envelope: Vec<u8>,
    item: Option<Item>,
    has_event: bool,
}

#[derive(Debug)]
struct Item {
    name: String,
    payload: Vec<u8>,
    /// One more than is looked at: what is too large must still be seen to be.
    payload_bytes_max: usize,
}

impl Reduced {
    /// The reduced envelope.
    pub(crate) fn into_envelope(mut self) -> Vec<u8> {
        self.end_item();
        self.envelope
    }

    fn end_item(&mut self) {
        let Some(item) = self.item.take() else {
            return;
        };
        let header = serde_json::json!({ "type": item.name, "length": item.payload.len() });
        self.envelope.extend(header.to_string().as_bytes());
        self.envelope.push(b'\n');
        self.envelope.extend(&item.payload);
        self.envelope.push(b'\n');
    }
}

impl Parts for Reduced {
    fn header(&mut self, line: &[u8], _: &EnvelopeHeader<'_>) {
        self.envelope.extend(line);
        self.envelope.push(b'\n');
    }

    fn item(&mut self, header: ItemHeader<'_>) {
        self.end_item();
        let payload_bytes_max = match header.item_type {
            // Only the first is looked at.
            ItemType::Event if !self.has_event => EVENT_BYTES_MAX + 1,
            ItemType::ClientReport => REPORT_BYTES_MAX + 1,
            _ => 0,
        };
        self.has_event |= header.item_type == ItemType::Event;
        self.item = Some(Item {
            name: header.item_type.as_str().to_owned(),
            payload: Vec::new(),
            payload_bytes_max,
        });
    }

    fn payload(&mut self, piece: &[u8]) {
        if let Some(item) = &mut self.item {
            let room = item.payload_bytes_max - item.payload.len();
            item.payload.extend(&piece[..piece.len().min(room)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use copal_model::{ProjectId, Timestamp};
    use copal_protocol::{EventId, Framer};
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::expand::{count_items, expand};
    use crate::received::{BodyEncoding, BodyKind, Received};

    fn received(body: &[u8]) -> Received<'_> {
        Received {
            project: ProjectId::new(1).unwrap(),
            received_at: Timestamp::UNIX_EPOCH,
            fallback_event_id: EventId::new(Uuid::from_u128(9)),
            client_ip: None,
            user_agent: "",
            sdk: "",
            kind: BodyKind::Envelope,
            encoding: BodyEncoding::Identity,
            decoded_bytes: body.len() as u64,
            body,
        }
    }

    fn reduced(envelope: &[u8]) -> Vec<u8> {
        let mut framer = Framer::new(Reduced::default());
        for piece in envelope.chunks(1_000) {
            framer.feed(piece).unwrap();
        }
        framer.finish().unwrap().into_envelope()
    }

    /// Everything that comes of an envelope.
    fn comes_of(envelope: &[u8]) -> String {
        let received = received(envelope);
        let mut scratch = Vec::new();
        let expanded = expand(&received, envelope, &mut scratch);
        let counted = count_items(&received, envelope);
        format!("{expanded:?} {counted:?}")
    }

    fn item(name: &str, payload: &str) -> String {
        let length = payload.len();
        format!("{{\"type\":\"{name}\",\"length\":{length},\"filename\":\"x\"}}\n{payload}\n")
    }

    fn event(bytes: usize) -> String {
        let filler = "a".repeat(bytes - "{\"message\":\"\"}".len());
        format!("{{\"message\":\"{filler}\"}}")
    }

    fn report(bytes: usize) -> String {
        let entry = "{\"discarded_events\":[{\"reason\":\"x\",\"category\":\"error\",\"quantity\":3}],\"a\":\"\"}";
        entry.replace("\"\"", &format!("\"{}\"", "a".repeat(bytes - entry.len())))
    }

    #[test]
    fn what_is_dropped_takes_no_memory() {
        let large = "x".repeat(10_000_000);
        let items = [
            item("attachment", &large),
            item("event", "{\"message\":\"a\"}"),
            item("event", &large),
            item("of \\\"next\\\" year", "\n\n"),
        ];
        let envelope = format!(
            "{{\"sent_at\":\"2026-01-01T00:00:00Z\"}}\n{}",
            items.concat()
        );
        let reduced = reduced(envelope.as_bytes());
        assert!(reduced.len() < 1_000, "{}", reduced.len());
        assert_eq!(comes_of(&reduced), comes_of(envelope.as_bytes()));
    }

    #[test]
    fn a_large_body_decodes_to_its_reduced_form() {
        let large = "x".repeat(10_000_000);
        let envelope = format!(
            "{{}}\n{}{}",
            item("attachment", &large),
            item("event", "{}")
        );
        let body = received(envelope.as_bytes()).body_decoded().unwrap();
        assert_eq!(body, reduced(envelope.as_bytes()));
        let damaged = received(large.as_bytes()).body_decoded().unwrap();
        assert_eq!(comes_of(&damaged), comes_of(large.as_bytes()));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn the_same_comes_of_an_envelope_once_reduced(
            items in proptest::collection::vec(
                prop::sample::select(vec![
                    item("event", "{\"message\":\"a\",\"event_id\":\"00000000000000000000000000000008\"}"),
                    item("event", "[1]"),
                    item("event", "{\"a\":"),
                    item("event", &event(EVENT_BYTES_MAX)),
                    item("event", &event(EVENT_BYTES_MAX + 1)),
                    item("client_report", &report(200)),
                    item("client_report", &report(REPORT_BYTES_MAX)),
                    item("client_report", &report(REPORT_BYTES_MAX + 1)),
                    item("transaction", "{}"),
                    "{\"type\":\"session\"}\n{}\r\n".to_owned(),
                    "\n".to_owned(),
                ]),
                0..6,
            ),
        ) {
            let envelope = format!("{{\"x\":1}}\n{}", items.concat());
            let reduced = reduced(envelope.as_bytes());
            prop_assert_eq!(comes_of(&reduced), comes_of(envelope.as_bytes()));
        }
    }
}
