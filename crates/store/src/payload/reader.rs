//! Reads events one after the other.

use copal_model::ProjectId;
use copal_protocol::EventId;

use super::broken;
use super::frame::{Against, Content, Opened, Sealed};
use super::{Codec, Place, Segments};
use crate::Result;

/// Tells where an event of a partition and project is stored.
pub(crate) type FindPlace<'a> = &'a dyn Fn(i64, ProjectId, EventId) -> Result<Option<Place>>;

/// Reads events. The frame and the base that were opened last are kept, since neighbours in a list
/// share them.
pub(crate) struct FrameReader<'a> {
    segments: &'a Segments,
    codec: &'a Codec,
    find: FindPlace<'a>,
    opened: Option<((i64, u64, ProjectId), Opened)>,
    base: Option<((i64, ProjectId, EventId), Vec<u8>)>,
}

impl<'a> FrameReader<'a> {
    /// A reader with nothing opened.
    pub(crate) const fn new(segments: &'a Segments, codec: &'a Codec, find: FindPlace<'a>) -> Self {
        Self {
            segments,
            codec,
            find,
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
    ) -> Result<Content> {
        let key = (place.segment.id, place.start, project);
        let kept = self.opened.take().filter(|(opened, _)| *opened == key);
        let opened = match kept {
            Some((_, opened)) => opened,
            None => self.open(place, project)?,
        };
        let (_, opened) = self.opened.insert((key, opened));
        opened.content(place.ordinal, event)
    }

    fn open(&mut self, place: Place, project: ProjectId) -> Result<Opened> {
        let frame = self.segments.read(place).map_err(|error| broken(&error))?;
        let sealed = Sealed::read(&frame, project)?;
        let Against::Event(event) = sealed.against else {
            return self.codec.open(sealed);
        };
        let key = (place.segment.partition, project, event);
        let kept = self.base.take().filter(|(base, _)| *base == key);
        let base = match kept {
            Some((_, base)) => base,
            None => self.read_base(key)?,
        };
        let (_, base) = self.base.insert((key, base));
        Codec::open_with(sealed, base)
    }

    fn read_base(&self, (partition, project, event): (i64, ProjectId, EventId)) -> Result<Vec<u8>> {
        let place = (self.find)(partition, project, event)?
            .ok_or_else(|| broken(&format_args!("its base, event {event}, is gone")))?;
        let frame = self.segments.read(place).map_err(|error| broken(&error))?;
        let opened = self.codec.open(Sealed::read(&frame, project)?)?;
        Ok(opened.base(place.ordinal, event)?.to_vec())
    }
}
