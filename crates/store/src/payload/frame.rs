//! Events of one issue as bytes: a checked header and a zstd frame.
//!
//! Events of an issue are nearly equal: compressed side by side, the second costs a tenth of the
//! first. So a frame holds those that one batch has of an issue, up to a size that is still quick
//! to read one event from, and may be compressed against an earlier event of the issue, its base.

use copal_model::ProjectId;
use copal_protocol::EventId;
use serde::{Deserialize, Serialize};

use super::broken;
use crate::Result;
use crate::record::NewEvent;

/// Marks the start of a frame and its version.
const MAGIC: [u8; 4] = *b"CPL1";
/// Bytes before the event ids.
pub(crate) const HEADER_BYTES: usize = 44;
/// In place of a dictionary: the frame has a base.
const BASED: u32 = u32::MAX;
/// Bytes of an event id.
const ID_BYTES: usize = 16;
/// Bytes that tell the lengths of an event's three parts.
const LENGTHS_BYTES: usize = 12;
/// Decoded bytes after which a frame takes no further event: reading one event decodes them all,
/// in a fifth of a millisecond.
pub(crate) const FRAME_BYTES_MAX: usize = 256 << 10;
/// Decoded bytes of one frame, at most: more is damage, not events.
const CONTENT_BYTES_MAX: usize = 64 << 20;

/// What is kept of an event outside the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Content {
    /// Event JSON.
    pub(crate) payload: Vec<u8>,
    /// Grouping JSON.
    pub(crate) grouping: Vec<u8>,
    /// What lists show.
    pub(crate) headline: Headline,
}

/// What lists show of an event; kept out of the database, whose rows are slim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Headline {
    pub(crate) title: String,
    pub(crate) release: Option<String>,
    pub(crate) environment: Option<String>,
}

/// What a frame was compressed against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Against {
    /// Nothing.
    Nothing,
    /// A dictionary of the store.
    Dictionary(u32),
    /// The bytes of another event of the same project, partition and deciding hash, hence issue.
    Event(EventId),
}

/// The header of a frame and its checked body, still compressed.
pub(crate) struct Sealed<'a> {
    /// What is needed to decompress the body.
    pub(crate) against: Against,
    /// Bytes of the body once decompressed.
    pub(crate) content_bytes: usize,
    /// The compressed body.
    pub(crate) body: &'a [u8],
    ids: Vec<EventId>,
}

/// A frame that has been decompressed.
pub(crate) struct Opened {
    ids: Vec<EventId>,
    content: Vec<u8>,
}

/// The content of a frame of these events, to be compressed.
pub(crate) fn content_of(events: &[&NewEvent]) -> Result<Vec<u8>> {
    let mut lengths = Vec::with_capacity(events.len() * LENGTHS_BYTES);
    let mut parts = Vec::with_capacity(events.iter().map(|event| bytes_of(event)).sum());
    for event in events {
        let headline = serde_json::to_vec(&Headline {
            title: event.issue.title.clone(),
            release: event.release.clone(),
            environment: event.environment.clone(),
        })
        .map_err(|error| broken(&error))?;
        for part in [&event.payload, &event.grouping.explanation, &headline] {
            lengths.extend(length(part)?.to_le_bytes());
            parts.extend_from_slice(part);
        }
    }
    if lengths.len() + parts.len() > CONTENT_BYTES_MAX {
        return Err(broken(&"an event of more than 64 MiB"));
    }
    lengths.append(&mut parts);
    Ok(lengths)
}

/// Decoded bytes that an event takes in a frame, roughly.
pub(crate) fn bytes_of(event: &NewEvent) -> usize {
    event.payload.len() + event.grouping.explanation.len() + event.issue.title.len() + 128
}

/// Puts the header before a compressed body.
pub(crate) fn seal(
    events: &[&NewEvent],
    against: Against,
    content: &[u8],
    body: &[u8],
) -> Result<Vec<u8>> {
    let Some(first) = events.first() else {
        return Err(broken(&"a frame of no event"));
    };
    let mut frame = Vec::with_capacity(HEADER_BYTES + events.len() * ID_BYTES + body.len());
    frame.extend(MAGIC);
    frame.extend(first.scope.project().get().to_le_bytes());
    let (dictionary, base) = match against {
        Against::Nothing => (0, [0; ID_BYTES]),
        Against::Dictionary(id) => (id, [0; ID_BYTES]),
        Against::Event(event) => (BASED, *event.as_bytes()),
    };
    frame.extend(dictionary.to_le_bytes());
    frame.extend(base);
    for number in [events.len(), content.len(), body.len()] {
        let number = u32::try_from(number).map_err(|error| broken(&error))?;
        frame.extend(number.to_le_bytes());
    }
    let mut checksum = crc32c::crc32c(&frame);
    frame.extend([0; 4]);
    for event in events {
        frame.extend(event.event_id.as_bytes());
    }
    frame.extend_from_slice(body);
    checksum = crc32c::crc32c_append(checksum, &frame[HEADER_BYTES..]);
    frame[HEADER_BYTES - 4..HEADER_BYTES].copy_from_slice(&checksum.to_le_bytes());
    Ok(frame)
}

impl<'a> Sealed<'a> {
    /// Reads the header, compares the checksum, and makes sure that the frame is of `project`.
    pub(crate) fn read(frame: &'a [u8], project: ProjectId) -> Result<Self> {
        let (header, rest) = frame
            .split_at_checked(HEADER_BYTES)
            .ok_or_else(|| broken(&"the frame is cut"))?;
        let number = |at: usize| {
            u32::from_le_bytes(header[at..at + 4].try_into().expect("four bytes of 44"))
        };
        if header[..4] != MAGIC {
            return Err(broken(&"no frame begins here"));
        }
        let ids_bytes = (number(28) as usize).saturating_mul(ID_BYTES);
        let (ids, body) = rest
            .split_at_checked(ids_bytes)
            .filter(|(_, body)| body.len() == number(36) as usize)
            .ok_or_else(|| broken(&"the frame has another length"))?;
        let checksum = crc32c::crc32c(&header[..HEADER_BYTES - 4]);
        if number(40) != crc32c::crc32c_append(checksum, rest) {
            return Err(broken(&"the frame's checksum does not match"));
        }
        if number(4) != project.get() {
            return Err(broken(&"the frame is another project's"));
        }
        let content_bytes = number(32) as usize;
        if content_bytes > CONTENT_BYTES_MAX {
            return Err(broken(&"the frame's content is too long"));
        }
        let base = header[12..28].try_into().expect("sixteen bytes of 44");
        let (ids, _) = ids.as_chunks::<ID_BYTES>();
        Ok(Self {
            against: match number(8) {
                0 => Against::Nothing,
                BASED => Against::Event(event_id(base)),
                id => Against::Dictionary(id),
            },
            content_bytes,
            body,
            ids: ids.iter().copied().map(event_id).collect(),
        })
    }

    /// The frame with its decompressed content.
    pub(crate) fn open(self, content: Vec<u8>) -> Result<Opened> {
        if content.len() != self.content_bytes {
            return Err(broken(&"the frame's content has another length"));
        }
        Ok(Opened {
            ids: self.ids,
            content,
        })
    }
}

impl Opened {
    /// The event at `ordinal`, which must be `event`.
    pub(crate) fn content(&self, ordinal: usize, event: EventId) -> Result<Content> {
        let (bytes, [payload, grouping, _]) = self.find(ordinal, event)?;
        let (payload, rest) = bytes.split_at(payload);
        let (grouping, headline) = rest.split_at(grouping);
        Ok(Content {
            payload: payload.to_vec(),
            grouping: grouping.to_vec(),
            headline: serde_json::from_slice(headline).map_err(|error| broken(&error))?,
        })
    }

    /// All bytes of the event at `ordinal`, which must be `event`, for others to be compressed
    /// against.
    pub(crate) fn base(&self, ordinal: usize, event: EventId) -> Result<&[u8]> {
        self.find(ordinal, event).map(|(bytes, _)| bytes)
    }

    /// The bytes of an event, and the lengths of its parts.
    fn find(&self, ordinal: usize, event: EventId) -> Result<(&[u8], [usize; 3])> {
        if self.ids.get(ordinal) != Some(&event) {
            return Err(broken(&"the frame holds another event there"));
        }
        let cut = || broken(&"the frame's content is cut");
        let (lengths, parts) = self
            .content
            .split_at_checked(self.ids.len() * LENGTHS_BYTES)
            .ok_or_else(cut)?;
        let (lengths, _) = lengths.as_chunks::<4>();
        let mut lengths = lengths
            .iter()
            .map(|bytes| u32::from_le_bytes(*bytes) as usize);
        let start: usize = lengths.by_ref().take(ordinal * 3).sum();
        let mut own = [0; 3];
        for (part, length) in own.iter_mut().zip(lengths) {
            *part = length;
        }
        let bytes = parts.get(start..).ok_or_else(cut)?;
        let bytes = bytes.get(..own.iter().sum()).ok_or_else(cut)?;
        Ok((bytes, own))
    }
}

/// The bytes of the first event in the content of `events`: what [`Opened::base`] will answer.
pub(crate) fn first_of(content: &[u8], events: usize) -> Option<&[u8]> {
    let (lengths, parts) = content.split_at_checked(events * LENGTHS_BYTES)?;
    let (lengths, _) = lengths.as_chunks::<4>();
    let own = lengths.iter().take(3);
    parts.get(..own.map(|bytes| u32::from_le_bytes(*bytes) as usize).sum())
}

fn event_id(bytes: [u8; ID_BYTES]) -> EventId {
    EventId::new(uuid::Uuid::from_bytes(bytes))
}

fn length(part: &[u8]) -> Result<u32> {
    u32::try_from(part.len()).map_err(|error| broken(&error))
}
