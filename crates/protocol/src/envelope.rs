//! Envelopes: one message of an SDK, a header line and items. Framing only: payloads stay bytes.

mod framer;
mod header;

use std::fmt;

use memchr::memchr;

use crate::limits::{ENVELOPE_ITEMS_MAX, HEADER_LINE_BYTES_MAX};

pub use framer::{Framed, Framer, Parts};
pub use header::{EnvelopeHeader, ItemHeader, ItemType, SdkInfo};

/// One message of an SDK, borrowed from the body it came in.
#[derive(Debug, Clone, PartialEq)]
pub struct Envelope<'a> {
    /// Its first line.
    pub header: EnvelopeHeader<'a>,
    /// Its parts, in order.
    pub items: Vec<Item<'a>>,
}

/// One part of an envelope.
#[derive(Debug, Clone, PartialEq)]
pub struct Item<'a> {
    /// What it is.
    pub header: ItemHeader<'a>,
    /// Its bytes; not looked into.
    pub payload: &'a [u8],
}

/// Where in an envelope something is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// In its first line.
    Header,
    /// In an item, counted from 1.
    Item(usize),
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header => f.write_str("the envelope header"),
            Self::Item(number) => write!(f, "item {number}"),
        }
    }
}

/// Why a body is no envelope: answer 400.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// There is nothing.
    #[error("empty request body")]
    Empty,
    /// A header line is longer than [`HEADER_LINE_BYTES_MAX`].
    #[error("{part} has a header line of more than {HEADER_LINE_BYTES_MAX} bytes")]
    HeaderTooLong {
        /// Whose.
        part: Part,
    },
    /// A header line is not a JSON object, or what must be there is not.
    #[error("{part} has a bad header: {problem}")]
    BadHeader {
        /// Whose.
        part: Part,
        /// What is wrong.
        problem: String,
    },
    /// A payload is shorter than its `length`.
    #[error("{part} should have {expected} bytes of payload, but only {found} follow")]
    TooShort {
        /// Whose.
        part: Part,
        /// Its `length`.
        expected: usize,
        /// Bytes that are left.
        found: usize,
    },
    /// A payload is longer than its `length`.
    #[error("{part} has no newline after the {expected} bytes of its payload")]
    MissingNewline {
        /// Whose.
        part: Part,
        /// Its `length`.
        expected: usize,
    },
    /// There are more than [`ENVELOPE_ITEMS_MAX`] items.
    #[error("too many individual items: at most {ENVELOPE_ITEMS_MAX} per envelope")]
    TooManyItems,
}

impl<'a> Envelope<'a> {
    /// Takes an envelope apart. Blank lines between items are skipped.
    pub fn parse(body: &'a [u8]) -> Result<Self, EnvelopeError> {
        let (header, mut rest) = EnvelopeHeader::parse_first_line(body)?;
        let mut items = Vec::new();
        while let Some((line, after)) = next_header_line(rest) {
            if items.len() == ENVELOPE_ITEMS_MAX {
                return Err(EnvelopeError::TooManyItems);
            }
            let part = Part::Item(items.len() + 1);
            let header = ItemHeader::parse(check_line(line, part)?, part)?;
            let (payload, after) = split_payload(after, header.length, part)?;
            items.push(Item { header, payload });
            rest = after;
        }
        Ok(Self { header, items })
    }
}

impl<'a> EnvelopeHeader<'a> {
    /// Reads the first line of a body; answers the rest of the body too.
    pub fn parse_first_line(body: &'a [u8]) -> Result<(Self, &'a [u8]), EnvelopeError> {
        let (line, rest) = next_header_line(body).ok_or(EnvelopeError::Empty)?;
        let header = Self::parse(check_line(line, Part::Header)?)?;
        Ok((header, rest))
    }
}

/// The next line that is not blank, trimmed, and what follows it.
fn next_header_line(mut rest: &[u8]) -> Option<(&[u8], &[u8])> {
    while !rest.is_empty() {
        let (line, after) = split_line(rest);
        let line = line.trim_ascii();
        if !line.is_empty() {
            return Some((line, after));
        }
        rest = after;
    }
    None
}

fn split_line(text: &[u8]) -> (&[u8], &[u8]) {
    match memchr(b'\n', text) {
        Some(end) => (&text[..end], &text[end + 1..]),
        None => (text, &[]),
    }
}

const fn check_line(line: &[u8], part: Part) -> Result<&[u8], EnvelopeError> {
    if line.len() > HEADER_LINE_BYTES_MAX {
        return Err(EnvelopeError::HeaderTooLong { part });
    }
    Ok(line)
}

/// Without a length, a payload reaches to the end of its line.
fn split_payload(
    text: &[u8],
    length: Option<usize>,
    part: Part,
) -> Result<(&[u8], &[u8]), EnvelopeError> {
    let Some(expected) = length else {
        return Ok(split_line(text));
    };
    let Some((payload, rest)) = text.split_at_checked(expected) else {
        let found = text.len();
        return Err(EnvelopeError::TooShort {
            part,
            expected,
            found,
        });
    };
    match rest {
        [] | [b'\r'] => Ok((payload, &[])),
        [b'\n', rest @ ..] | [b'\r', b'\n', rest @ ..] => Ok((payload, rest)),
        _ => Err(EnvelopeError::MissingNewline { part, expected }),
    }
}

#[cfg(test)]
mod tests;
