//! The framing of an envelope while it streams in, in constant memory.
//!
//! Accepts exactly what [`Envelope::parse`](super::Envelope::parse) accepts, and refuses the rest for
//! the same reasons. What is kept of an envelope, its [`Parts`] decide.

use memchr::memchr;

use super::{EnvelopeError, EnvelopeHeader, ItemHeader, ItemType, Part};
use crate::EventId;
use crate::limits::{ENVELOPE_ITEMS_MAX, EVENT_BYTES_MAX, HEADER_LINE_BYTES_MAX};

/// Checks the framing of an envelope while it streams in, and hands on what it finds.
#[derive(Debug, Default)]
pub struct Framer<P = Framed> {
    at: At,
    /// The header line under way, from its first byte that is not blank.
    line: Vec<u8>,
    has_header: bool,
    items: usize,
    parts: P,
}

/// What is made of an envelope while it streams in.
pub trait Parts {
    /// The first line is complete.
    fn header(&mut self, line: &[u8], header: &EnvelopeHeader<'_>);
    /// The header line of the next item is complete.
    fn item(&mut self, header: ItemHeader<'_>);
    /// A piece of that item's payload.
    fn payload(&mut self, piece: &[u8]);
}

/// What ingest keeps of an envelope.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Framed {
    /// Its first line.
    pub header_line: Vec<u8>,
    /// The event id in its header.
    pub event_id: Option<EventId>,
    /// What its items are, in order.
    pub item_types: Vec<ItemType<'static>>,
    /// The payload of its first event; only where the header has no event id, and only up to
    /// [`EVENT_BYTES_MAX`].
    pub event: Option<Vec<u8>>,
    /// Whether the payload under way is that of the event to keep.
    keeps_payload: bool,
}

impl Parts for Framed {
    fn header(&mut self, line: &[u8], header: &EnvelopeHeader<'_>) {
        self.event_id = header.event_id;
        self.header_line = line.to_vec();
    }

    fn item(&mut self, header: ItemHeader<'_>) {
        let item_type = header.item_type.into_owned();
        self.keeps_payload = item_type == ItemType::Event
            && self.event_id.is_none()
            && !self.item_types.contains(&item_type);
        if self.keeps_payload {
            self.event = Some(Vec::new());
        }
        self.item_types.push(item_type);
    }

    fn payload(&mut self, piece: &[u8]) {
        let Some(event) = self.event.as_mut().filter(|_| self.keeps_payload) else {
            return;
        };
        if event.len() + piece.len() > EVENT_BYTES_MAX {
            self.event = None;
        } else {
            event.extend_from_slice(piece);
        }
    }
}

impl Framer<Framed> {
    /// The first line, as soon as it is complete.
    pub fn header_line(&self) -> Option<&[u8]> {
        self.has_header.then_some(&self.parts.header_line)
    }
}

/// Where in the envelope the next byte is.
#[derive(Debug, Clone, Copy, Default)]
enum At {
    /// In a header line, or in the blank lines before one.
    #[default]
    Line,
    /// In a payload of a known length.
    Payload { expected: usize, found: usize },
    /// Behind it, where a newline or the end must be.
    PayloadEnd {
        expected: usize,
        is_after_return: bool,
    },
    /// In a payload that reaches to the end of its line.
    PayloadLine,
}

impl<P: Parts> Framer<P> {
    /// A framer at the beginning of an envelope.
    pub fn new(parts: P) -> Self {
        Self {
            at: At::default(),
            line: Vec::new(),
            has_header: false,
            items: 0,
            parts,
        }
    }

    /// Takes the next piece of the envelope.
    ///
    /// # Errors
    /// As soon as the framing is known to be broken.
    pub fn feed(&mut self, mut piece: &[u8]) -> Result<(), EnvelopeError> {
        while !piece.is_empty() {
            piece = match self.at {
                At::Line => self.feed_line(piece)?,
                At::Payload { expected, found } => self.feed_payload(piece, expected, found),
                At::PayloadEnd {
                    expected,
                    is_after_return,
                } => self.feed_payload_end(piece, expected, is_after_return)?,
                At::PayloadLine => self.feed_payload_line(piece),
            };
        }
        Ok(())
    }

    /// Says that the envelope is over.
    ///
    /// # Errors
    /// When it is over too early, or its last header line is broken.
    pub fn finish(mut self) -> Result<P, EnvelopeError> {
        if !self.line.is_empty() {
            self.end_line()?;
        }
        if !self.has_header {
            return Err(EnvelopeError::Empty);
        }
        if let At::Payload { expected, found } = self.at {
            let part = Part::Item(self.items);
            return Err(EnvelopeError::TooShort {
                part,
                expected,
                found,
            });
        }
        Ok(self.parts)
    }

    fn feed_line<'a>(&mut self, piece: &'a [u8]) -> Result<&'a [u8], EnvelopeError> {
        let (mut text, rest) = match memchr(b'\n', piece) {
            Some(end) => (&piece[..end], Some(&piece[end + 1..])),
            None => (piece, None),
        };
        if self.line.is_empty() {
            text = text.trim_ascii_start();
            if !text.is_empty() && self.items == ENVELOPE_ITEMS_MAX {
                return Err(EnvelopeError::TooManyItems);
            }
        }
        let fitting = text.len().min(HEADER_LINE_BYTES_MAX - self.line.len());
        let (kept, beyond) = text.split_at(fitting);
        // Blanks at the end of a line do not count.
        if !beyond.trim_ascii().is_empty() {
            return Err(EnvelopeError::HeaderTooLong {
                part: self.part_of_line(),
            });
        }
        self.line.extend_from_slice(kept);
        if rest.is_some() && !self.line.is_empty() {
            self.end_line()?;
        }
        Ok(rest.unwrap_or_default())
    }

    /// A header line is complete.
    fn end_line(&mut self) -> Result<(), EnvelopeError> {
        let line = self.line.trim_ascii_end();
        if !self.has_header {
            self.parts.header(line, &EnvelopeHeader::parse(line)?);
            self.has_header = true;
            self.line.clear();
            return Ok(());
        }
        let header = ItemHeader::parse(line, self.part_of_line())?;
        self.at = match header.length {
            Some(0) => At::PayloadEnd {
                expected: 0,
                is_after_return: false,
            },
            Some(expected) => At::Payload { expected, found: 0 },
            None => At::PayloadLine,
        };
        self.parts.item(header);
        self.items += 1;
        self.line.clear();
        Ok(())
    }

    const fn part_of_line(&self) -> Part {
        if self.has_header {
            Part::Item(self.items + 1)
        } else {
            Part::Header
        }
    }

    fn feed_payload<'a>(&mut self, piece: &'a [u8], expected: usize, found: usize) -> &'a [u8] {
        let (payload, rest) = piece.split_at(piece.len().min(expected - found));
        self.parts.payload(payload);
        let found = found + payload.len();
        self.at = if found == expected {
            At::PayloadEnd {
                expected,
                is_after_return: false,
            }
        } else {
            At::Payload { expected, found }
        };
        rest
    }

    fn feed_payload_end<'a>(
        &mut self,
        piece: &'a [u8],
        expected: usize,
        is_after_return: bool,
    ) -> Result<&'a [u8], EnvelopeError> {
        self.at = match piece[0] {
            b'\n' => At::Line,
            b'\r' if !is_after_return => At::PayloadEnd {
                expected,
                is_after_return: true,
            },
            _ => {
                let part = Part::Item(self.items);
                return Err(EnvelopeError::MissingNewline { part, expected });
            }
        };
        Ok(&piece[1..])
    }

    fn feed_payload_line<'a>(&mut self, piece: &'a [u8]) -> &'a [u8] {
        let Some(end) = memchr(b'\n', piece) else {
            self.parts.payload(piece);
            return &[];
        };
        self.parts.payload(&piece[..end]);
        self.at = At::Line;
        &piece[end + 1..]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Envelope;
    use super::*;

    fn in_pieces(body: &[u8], piece_bytes: usize) -> Result<Framed, EnvelopeError> {
        let mut framer = Framer::new(Framed::default());
        for piece in body.chunks(piece_bytes) {
            framer.feed(piece)?;
        }
        let kept = framer.finish()?;
        Ok(Framed {
            keeps_payload: false,
            ..kept
        })
    }

    /// What the other parser makes of it.
    fn at_once(body: &[u8]) -> Result<Framed, EnvelopeError> {
        let envelope = Envelope::parse(body)?;
        let mut items = envelope.items.iter();
        let event = items.find(|item| item.header.item_type == ItemType::Event);
        let event = event.filter(|_| envelope.header.event_id.is_none());
        let event = event.filter(|item| item.payload.len() <= EVENT_BYTES_MAX);
        let types = envelope.items.iter().map(|item| &item.header.item_type);
        let first = body.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
        Ok(Framed {
            header_line: first
                .into_iter()
                .find(|line| !line.is_empty())
                .unwrap()
                .to_vec(),
            event_id: envelope.header.event_id,
            item_types: types.cloned().map(ItemType::into_owned).collect(),
            event: event.map(|item| item.payload.to_vec()),
            keeps_payload: false,
        })
    }

    #[track_caller]
    fn check(body: &[u8]) -> Result<Framed, EnvelopeError> {
        let expected = at_once(body);
        for piece_bytes in [1, 2, 3, 7, 4_096, body.len().max(1)] {
            assert_eq!(in_pieces(body, piece_bytes), expected, "by {piece_bytes}");
        }
        expected
    }

    #[test]
    fn envelopes_are_framed_alike_in_any_pieces() {
        let id = "0123456789abcdef0123456789abcdef";
        for body in [
            "",
            "\n \n",
            "{}",
            "{}\n",
            "\r\n {} \r\n{\"type\":\"event\"}\n{}\r\n",
            "{}\n{\"type\":\"event\",\"length\":2}\n{}",
            "{}\n{\"type\":\"event\",\"length\":2}\n{}\r",
            "{}\n{\"type\":\"event\",\"length\":2}\n{}\r\r",
            "{}\n{\"type\":\"event\",\"length\":2}\n{}x",
            "{}\n{\"type\":\"event\",\"length\":2}\n{",
            "{}\n{\"type\":\"event\",\"length\":2}",
            "{}\n{\"type\":\"a\",\"length\":0}\n\n\n{\"type\":\"event\"}\n1\n{\"type\":\"event\"}\n2",
            "[]\n",
            "{}\nx",
            &format!("{{\"event_id\":\"{id}\"}}\n{{\"type\":\"event\"}}\n1"),
        ] {
            let _ = check(body.as_bytes());
        }
    }

    #[test]
    fn limits_have_the_same_edges() {
        let line = |bytes: usize| {
            let filler = "a".repeat(bytes - "{\"a\":\"\"}".len());
            format!("  {{\"a\":\"{filler}\"}}   ")
        };
        check(line(HEADER_LINE_BYTES_MAX).as_bytes()).unwrap();
        check(line(HEADER_LINE_BYTES_MAX + 1).as_bytes()).unwrap_err();
        let items = |count: usize| format!("{{}}{}", "\n{\"type\":\"x\"}\n".repeat(count));
        check(items(ENVELOPE_ITEMS_MAX).as_bytes()).unwrap();
        check(items(ENVELOPE_ITEMS_MAX + 1).as_bytes()).unwrap_err();
        let event = |bytes: usize| format!("{{}}\n{{\"type\":\"event\"}}\n{}\n", "a".repeat(bytes));
        let largest = check(event(EVENT_BYTES_MAX).as_bytes()).unwrap();
        assert_eq!(largest.event.unwrap().len(), EVENT_BYTES_MAX);
        let larger = check(event(EVENT_BYTES_MAX + 1).as_bytes()).unwrap();
        assert_eq!((larger.event, larger.item_types.len()), (None, 1));
    }

    #[test]
    fn the_first_line_is_there_before_the_rest() {
        let mut framer = Framer::new(Framed::default());
        framer.feed(b" {\"dsn\"").unwrap();
        assert_eq!(framer.header_line(), None);
        framer.feed(b":1}\n{").unwrap();
        assert_eq!(framer.header_line(), Some(&b"{\"dsn\":1}"[..]));
    }

    proptest! {
        #[test]
        fn whatever_comes_is_framed_alike(
            parts in proptest::collection::vec(
                prop::sample::select(vec![
                    "{}", "\n", "\r", " ", "{\"type\":\"event\"}", "{\"type\":\"x\",\"length\":3}",
                    "{\"type\":\"event\",\"length\":2}", "abc", "x", "{\"length\":1}", "\n",
                ]),
                0..24,
            ),
            piece_bytes in 1_usize..40,
        ) {
            let body = parts.concat().into_bytes();
            prop_assert_eq!(in_pieces(&body, piece_bytes), at_once(&body));
        }
    }
}
