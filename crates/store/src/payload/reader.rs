//! Reads events one after the other.

use copal_model::ProjectId;
use copal_protocol::EventId;

use super::broken;
use super::frame::{Content, Opened};
use super::{Codec, Place, Segments};
use crate::Result;

/// Reads events. The frame that was opened last is kept, since neighbours in a list share one.
pub(crate) struct FrameReader<'a> {
    segments: &'a Segments,
    codec: &'a Codec,
    opened: Option<((i64, u64, ProjectId), Opened)>,
}

impl<'a> FrameReader<'a> {
    /// A reader with nothing opened.
    pub(crate) const fn new(segments: &'a Segments, codec: &'a Codec) -> Self {
        Self {
            segments,
            codec,
            opened: None,
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
        let opened = if let Some((_, opened)) = kept {
            opened
        } else {
            let frame = self.segments.read(place).map_err(|error| broken(&error))?;
            self.codec.open(&frame, project)?
        };
        let (_, opened) = self.opened.insert((key, opened));
        opened.content(place.ordinal, event)
    }
}
