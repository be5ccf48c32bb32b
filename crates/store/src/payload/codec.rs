//! Compresses and decompresses frames with the dictionaries that the store knows.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use copal_model::ProjectId;
use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};

use super::broken;
use super::frame::{Opened, Sealed, content_of, seal};
use crate::Result;
use crate::record::NewEvent;

/// With a dictionary, and events of an issue side by side, level 3 takes twice as long for a tenth
/// less, and higher ones ten times as long.
const COMPRESSION_LEVEL: i32 = 1;

/// The frames of a batch.
#[derive(Debug, Default)]
pub(crate) struct Encoded {
    /// The dictionary that they are compressed with; 0 = none.
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
}

/// Compresses and decompresses frames.
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
        dictionary == 0 || self.known().decoders.contains_key(&dictionary)
    }

    /// One frame for each bundle of events, given by their indexes.
    pub(crate) fn encode(&self, events: &[NewEvent], bundles: Vec<Vec<usize>>) -> Result<Encoded> {
        let newest = self.known().newest.clone();
        let (dictionary, compressor) = match &newest {
            Some((id, dictionary)) => (*id, Compressor::with_prepared_dictionary(dictionary)),
            None => (0, Compressor::new(COMPRESSION_LEVEL)),
        };
        let mut compressor = compressor.map_err(|error| broken(&error))?;
        let mut frames = Vec::with_capacity(bundles.len());
        for bundle in bundles {
            let own: Vec<&NewEvent> = bundle.iter().map(|index| &events[*index]).collect();
            let content = content_of(&own)?;
            let body = compressor
                .compress(&content)
                .map_err(|error| broken(&error))?;
            frames.push(Frame {
                bytes: seal(&own, dictionary, &content, &body)?,
                events: bundle,
            });
        }
        Ok(Encoded { dictionary, frames })
    }

    /// Decompresses a frame of a project.
    pub(crate) fn open(&self, frame: &[u8], project: ProjectId) -> Result<Opened> {
        let sealed = Sealed::read(frame, project)?;
        let content = self.decompress(&sealed).map_err(|error| broken(&error))?;
        sealed.open(content)
    }

    fn decompress(&self, sealed: &Sealed<'_>) -> std::io::Result<Vec<u8>> {
        let id = sealed.dictionary;
        if id == 0 {
            return Decompressor::new()?.decompress(sealed.body, sealed.content_bytes);
        }
        let dictionary = self.known().decoders.get(&id).cloned();
        let dictionary = dictionary
            .ok_or_else(|| std::io::Error::other(format!("dictionary {id} is missing")))?;
        Decompressor::with_prepared_dictionary(&dictionary)?
            .decompress(sealed.body, sealed.content_bytes)
    }

    fn known(&self) -> RwLockReadGuard<'_, Dictionaries> {
        self.dictionaries
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
