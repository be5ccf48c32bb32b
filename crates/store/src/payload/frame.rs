//! One event as bytes: a checked header and a zstd frame.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use copal_model::ProjectId;
use copal_protocol::EventId;
use serde::{Deserialize, Serialize};
use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};

use crate::record::NewEvent;
use crate::{Error, Result};

/// Marks the start of a frame and its version.
const MAGIC: [u8; 4] = *b"CPL1";
/// Bytes before the compressed content.
pub(crate) const HEADER_BYTES: usize = 48;
/// zstd's own default: higher levels cost ten times as much for a tenth of the size.
const COMPRESSION_LEVEL: i32 = 3;
/// Decoded bytes of one frame, at most: more is damage, not an event.
const CONTENT_BYTES_MAX: usize = 64 << 20;

/// What a frame holds.
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

/// Compresses and decompresses frames with the dictionaries that the store knows.
#[derive(Default)]
pub(crate) struct Codec {
    dictionaries: RwLock<Dictionaries>,
}

#[derive(Default)]
struct Dictionaries {
    newest: Option<(u32, Arc<EncoderDictionary<'static>>)>,
    decoders: HashMap<u32, Arc<DecoderDictionary<'static>>>,
}

impl Codec {
    /// Makes a dictionary known; frames are compressed with the one with the highest id.
    pub(crate) fn add_dictionary(&self, id: u32, bytes: &[u8]) {
        let encoder = Arc::new(EncoderDictionary::copy(bytes, COMPRESSION_LEVEL));
        let decoder = Arc::new(DecoderDictionary::copy(bytes));
        let mut known = self
            .dictionaries
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if known.newest.as_ref().is_none_or(|(newest, _)| *newest < id) {
            known.newest = Some((id, encoder));
        }
        known.decoders.insert(id, decoder);
    }

    /// Whether frames of this dictionary can be read.
    pub(crate) fn knows(&self, dictionary: u32) -> bool {
        dictionary == 0 || self.decoder(dictionary).is_some()
    }

    /// The frames of events, in order.
    pub(crate) fn encode_all(&self, events: &[NewEvent]) -> Result<Vec<Vec<u8>>> {
        let newest = self
            .dictionaries
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .newest
            .clone();
        let (id, mut compressor) = match &newest {
            Some((id, dictionary)) => (*id, Compressor::with_prepared_dictionary(dictionary)),
            None => (0, Compressor::new(COMPRESSION_LEVEL)),
        };
        let compressor = compressor.as_mut().map_err(|error| broken(&error))?;
        events
            .iter()
            .map(|event| encode(event, id, compressor))
            .collect()
    }

    /// Reads the frame of an event.
    pub(crate) fn decode(
        &self,
        frame: &[u8],
        project: ProjectId,
        event: EventId,
    ) -> Result<Content> {
        let header = Header::read(frame)?;
        if header.project != project.get() || header.event != *event.as_bytes() {
            return Err(broken(&"the frame is another event's"));
        }
        let lengths = [header.payload, header.grouping, header.headline];
        let total: usize = lengths.iter().map(|length| *length as usize).sum();
        if total > CONTENT_BYTES_MAX {
            return Err(broken(&"the frame's content is too long"));
        }
        let mut content = self
            .decompress(header.dictionary, &frame[HEADER_BYTES..], total)
            .map_err(|error| broken(&error))?;
        if content.len() != total {
            return Err(broken(&"the frame's content has another length"));
        }
        let headline = content.split_off((header.payload + header.grouping) as usize);
        let grouping = content.split_off(header.payload as usize);
        Ok(Content {
            payload: content,
            grouping,
            headline: serde_json::from_slice(&headline).map_err(|error| broken(&error))?,
        })
    }

    fn decompress(&self, id: u32, body: &[u8], total: usize) -> std::io::Result<Vec<u8>> {
        if id == 0 {
            return Decompressor::new()?.decompress(body, total);
        }
        let dictionary = self
            .decoder(id)
            .ok_or_else(|| std::io::Error::other(format!("dictionary {id} is missing")))?;
        Decompressor::with_prepared_dictionary(&dictionary)?.decompress(body, total)
    }

    fn decoder(&self, id: u32) -> Option<Arc<DecoderDictionary<'static>>> {
        let known = self
            .dictionaries
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        known.decoders.get(&id).cloned()
    }
}

struct Header {
    project: u32,
    event: [u8; 16],
    dictionary: u32,
    payload: u32,
    grouping: u32,
    headline: u32,
}

impl Header {
    /// Reads the header and compares the checksum over header and body.
    fn read(frame: &[u8]) -> Result<Self> {
        let (header, body) = frame
            .split_at_checked(HEADER_BYTES)
            .ok_or_else(|| broken(&"the frame is cut"))?;
        let number = |at: usize| {
            u32::from_le_bytes(header[at..at + 4].try_into().expect("four bytes of 48"))
        };
        if header[..4] != MAGIC {
            return Err(broken(&"no frame begins here"));
        }
        if number(40) as usize != body.len() {
            return Err(broken(&"the frame has another length"));
        }
        if number(44) != crc32c::crc32c_append(crc32c::crc32c(&header[..44]), body) {
            return Err(broken(&"the frame's checksum does not match"));
        }
        Ok(Self {
            project: number(4),
            event: header[8..24].try_into().expect("sixteen bytes of 48"),
            dictionary: number(24),
            payload: number(28),
            grouping: number(32),
            headline: number(36),
        })
    }
}

fn encode(event: &NewEvent, dictionary: u32, compressor: &mut Compressor<'_>) -> Result<Vec<u8>> {
    let headline = serde_json::to_vec(&Headline {
        title: event.issue.title.clone(),
        release: event.release.clone(),
        environment: event.environment.clone(),
    })
    .map_err(|error| broken(&error))?;
    let parts = [&event.payload, &event.grouping.explanation, &headline];
    let content: Vec<u8> = parts.into_iter().flatten().copied().collect();
    if content.len() > CONTENT_BYTES_MAX {
        return Err(broken(&"an event of more than 64 MiB"));
    }
    let body = compressor
        .compress(&content)
        .map_err(|error| broken(&error))?;
    let mut frame = Vec::with_capacity(HEADER_BYTES + body.len());
    frame.extend(MAGIC);
    frame.extend(event.scope.project().get().to_le_bytes());
    frame.extend(event.event_id.as_bytes());
    frame.extend(dictionary.to_le_bytes());
    for part in parts {
        frame.extend(length(part)?.to_le_bytes());
    }
    frame.extend(length(&body)?.to_le_bytes());
    let checksum = crc32c::crc32c_append(crc32c::crc32c(&frame), &body);
    frame.extend(checksum.to_le_bytes());
    frame.extend(body);
    Ok(frame)
}

fn length(part: &[u8]) -> Result<u32> {
    u32::try_from(part.len()).map_err(|error| broken(&error))
}

fn broken(error: &dyn std::fmt::Display) -> Error {
    Error::Broken(format!("payload: {error}").into())
}
