//! Reads events one after the other.
//!
//! A frame may need a base, whose place only the database knows. The reader asks for it instead of
//! asking the database, so that it is the same for every engine.

use std::io;
use std::sync::Arc;

use copal_model::ProjectId;
use copal_protocol::EventId;

use super::broken;
use super::frame::{Against, Content, Opened, Sealed};
use super::{Codec, Place, Segments};
use crate::{Error, Result};

/// An event that others are compressed against: what to look up where it stands by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BaseKey {
    /// The partition, the same as of those that need it.
    pub(crate) partition: i64,
    /// The project.
    pub(crate) project: ProjectId,
    /// The event.
    pub(crate) event: EventId,
}

/// What came of reading an event.
#[derive(Debug)]
pub(crate) enum Step {
    /// It is read.
    Read(Content),
    /// This base has to be read first, by [`FrameReader::read_base`].
    NeedsBase(BaseKey),
}

/// Reads events. The frame and the base that were opened last are kept, since neighbours in a list
/// share them.
pub(crate) struct FrameReader {
    segments: Segments,
    codec: Arc<Codec>,
    opened: Option<((i64, u64, ProjectId), Opened)>,
    base: Option<(BaseKey, Vec<u8>)>,
}

impl FrameReader {
    /// A reader with nothing opened.
    pub(crate) const fn new(segments: Segments, codec: Arc<Codec>) -> Self {
        Self {
            segments,
            codec,
            opened: None,
            base: None,
        }
    }

    /// Reads an event of a project.
    pub(crate) fn read(
        &mut self,
        place: Place,
        project: ProjectId,
        event: EventId,
    ) -> Result<Step> {
        let key = (place.segment.id, place.start, project);
        if self
            .opened
            .as_ref()
            .is_none_or(|(opened, _)| *opened != key)
        {
            let frame = self.frame(place)?;
            let sealed = Sealed::read(&frame, project)?;
            let opened = match sealed.against {
                Against::Event(event) => {
                    let key = BaseKey {
                        partition: place.segment.partition,
                        project,
                        event,
                    };
                    match &self.base {
                        Some((base, bytes)) if *base == key => Codec::open_with(sealed, bytes)?,
                        _ => return Ok(Step::NeedsBase(key)),
                    }
                }
                _ => self.codec.open(sealed)?,
            };
            self.opened = Some((key, opened));
        }
        match &self.opened {
            Some((_, opened)) => opened.content(place.ordinal, event).map(Step::Read),
            None => Err(broken(&"no frame is open")),
        }
    }

    /// Reads a base, given where it stands, for the events that need it.
    pub(crate) fn read_base(&mut self, key: BaseKey, place: Option<Place>) -> Result<()> {
        let BaseKey { project, event, .. } = key;
        let place =
            place.ok_or_else(|| broken(&format_args!("its base, event {event}, is gone")))?;
        let frame = self.frame(place)?;
        let opened = self.codec.open(Sealed::read(&frame, project)?)?;
        self.base = Some((key, opened.base(place.ordinal, event)?.to_vec()));
        Ok(())
    }

    fn frame(&self, place: Place) -> Result<Vec<u8>> {
        self.segments.read(place).map_err(|error| {
            if error.kind() == io::ErrorKind::NotFound && self.segments.are_shared() {
                Error::Unavailable(format!(
                    "payload segment {} is not in this data folder: it is another node's, or lost",
                    place.segment.id
                ))
            } else {
                broken(&error)
            }
        })
    }
}
