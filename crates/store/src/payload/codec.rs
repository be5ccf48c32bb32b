//! Compresses and decompresses frames with the dictionaries that the store knows.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use copal_protocol::EventId;
use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};

use super::bases::{BASE_BYTES_MAX, Base, Bases};
use super::broken;
use super::frame::{Against, Opened, Sealed, content_of, first_of, seal};
use crate::Result;
use crate::record::NewEvent;
use crate::record::bundle::key_of;

/// With a dictionary, and events of an issue side by side, level 3 takes twice as long for a tenth
/// less, and higher ones ten times as long.
const COMPRESSION_LEVEL: i32 = 1;
/// Bytes of events that a batch can make bases.
const NEW_BASES_BYTES_MAX: usize = 2 << 20;

/// The frames of a batch.
#[derive(Debug, Default)]
pub(crate) struct Encoded {
    /// The dictionary that they are compressed with, those without a base; 0 = none.
    pub(crate) dictionary: u32,
    /// One for each bundle of events.
    pub(crate) frames: Vec<Frame>,
}

/// A frame to be appended.
#[derive(Debug)]
pub(crate) struct Frame {
    /// Its events' indexes in the batch.
    pub(crate) events: Vec<usize>,
    /// Its bytes.
    pub(crate) bytes: Vec<u8>,
    /// The event that it is compressed against.
    pub(crate) base: Option<EventId>,
    /// What its first event would be as a base.
    pub(crate) new_base: Option<Base>,
}

/// Compresses and decompresses frames.
#[derive(Default)]
pub(crate) struct Codec {
    /// Events that others are compressed against.
    pub(crate) bases: Bases,
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
        dictionary == 0 || self.known().decoders.contains_key(&dictionary)
    }

    /// One frame for each bundle of events, given by their indexes.
    pub(crate) fn encode(&self, events: &[NewEvent], bundles: Vec<Vec<usize>>) -> Result<Encoded> {
        let newest = self.known().newest.clone();
        let bases: Vec<Option<Arc<Base>>> = bundles
            .iter()
            .map(|bundle| self.bases.find(&key_of(&events[*bundle.first()?])))
            .collect();
        let mut encoder = Encoder::new(newest.as_ref())?;
        let mut frames = Vec::with_capacity(bundles.len());
        for (bundle, base) in std::iter::zip(bundles, &bases) {
            frames.push(encoder.encode(events, bundle, base.as_deref())?);
        }
        Ok(Encoded {
            dictionary: newest.as_ref().map_or(0, |(id, _)| *id),
            frames,
        })
    }

    /// Decompresses a frame that has no base.
    pub(crate) fn open(&self, sealed: Sealed<'_>) -> Result<Opened> {
        let content = match sealed.against {
            Against::Nothing => decompress(Decompressor::new(), &sealed),
            Against::Dictionary(id) => {
                let dictionary = self.known().decoders.get(&id).cloned();
                let dictionary = dictionary
                    .ok_or_else(|| broken(&format_args!("dictionary {id} is missing")))?;
                decompress(Decompressor::with_prepared_dictionary(&dictionary), &sealed)
            }
            Against::Event(_) => return Err(broken(&"a base has a base")),
        };
        sealed.open(content?)
    }

    /// Decompresses a frame with the bytes of its base.
    pub(crate) fn open_with(sealed: Sealed<'_>, base: &[u8]) -> Result<Opened> {
        let content = decompress(Decompressor::with_dictionary(base), &sealed)?;
        sealed.open(content)
    }

    fn known(&self) -> RwLockReadGuard<'_, Dictionaries> {
        self.dictionaries
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Compresses the frames of one batch.
struct Encoder<'a> {
    against: Against,
    compressor: Compressor<'a>,
    with_base: Compressor<'a>,
    new_bases_bytes: usize,
}

impl<'a> Encoder<'a> {
    fn new(dictionary: Option<&'a (u32, Arc<EncoderDictionary<'static>>)>) -> Result<Self> {
        let (against, compressor) = match dictionary {
            Some((id, dictionary)) => (
                Against::Dictionary(*id),
                Compressor::with_prepared_dictionary(dictionary),
            ),
            None => (Against::Nothing, Compressor::new(COMPRESSION_LEVEL)),
        };
        Ok(Self {
            against,
            compressor: compressor.map_err(|error| broken(&error))?,
            with_base: Compressor::new(COMPRESSION_LEVEL).map_err(|error| broken(&error))?,
            new_bases_bytes: 0,
        })
    }

    fn encode(
        &mut self,
        events: &[NewEvent],
        bundle: Vec<usize>,
        base: Option<&'a Base>,
    ) -> Result<Frame> {
        let own: Vec<&NewEvent> = bundle.iter().map(|index| &events[*index]).collect();
        let content = content_of(&own)?;
        let (against, body) = match base {
            Some(base) => {
                self.with_base
                    .context_mut()
                    .ref_prefix(&base.bytes)
                    .map_err(|code| broken(&zstd::zstd_safe::get_error_name(code)))?;
                (
                    Against::Event(base.event),
                    self.with_base.compress(&content),
                )
            }
            None => (self.against, self.compressor.compress(&content)),
        };
        let body = body.map_err(|error| broken(&error))?;
        Ok(Frame {
            bytes: seal(&own, against, &content, &body)?,
            base: base.map(|base| base.event),
            new_base: match base {
                Some(_) => None,
                None => self.new_base(&own, &content),
            },
            events: bundle,
        })
    }

    /// What the first event of a frame would be as a base, if it is small and there is room.
    fn new_base(&mut self, events: &[&NewEvent], content: &[u8]) -> Option<Base> {
        let bytes = first_of(content, events.len())?;
        let room = NEW_BASES_BYTES_MAX - self.new_bases_bytes;
        if bytes.len() > BASE_BYTES_MAX.min(room) {
            return None;
        }
        self.new_bases_bytes += bytes.len();
        Some(Base {
            event: events.first()?.event_id,
            bytes: bytes.to_vec(),
        })
    }
}

fn decompress(
    decompressor: std::io::Result<Decompressor<'_>>,
    sealed: &Sealed<'_>,
) -> Result<Vec<u8>> {
    decompressor
        .and_then(|mut decompressor| decompressor.decompress(sealed.body, sealed.content_bytes))
        .map_err(|error| broken(&error))
}
