//! Rows of stored events, whatever the engine: their order, and the events that they stand for.

use copal_model::{EventSummary, IssueId, Timestamp};
use copal_protocol::EventId;

use super::StoredEvent;
use crate::partition::Partition;
use crate::payload::{BaseKey, Content, FrameReader, Place, Step};
use crate::record::plan::day_of;
use crate::{Error, Result};

/// A place in the order of the events of an issue: when received, and the event's id.
pub(crate) type Order = (i64, [u8; 16]);

/// The row of an event, with the name of its segment.
#[derive(Debug, Clone)]
pub(crate) struct EventRow {
    /// The event.
    pub(crate) event_id: EventId,
    /// The issue that it is of.
    pub(crate) issue: IssueId,
    /// By the SDK's clock.
    pub(crate) occurred_at: Timestamp,
    /// By ours.
    pub(crate) received_at: Timestamp,
    /// Where its frame is.
    pub(crate) place: Place,
}

impl EventRow {
    /// Reads its frame, finding bases by `find`.
    pub(crate) fn read_with(
        &self,
        frames: &mut FrameReader,
        find: impl Fn(BaseKey) -> Result<Option<Place>>,
    ) -> Result<Content> {
        loop {
            match self.step(frames)? {
                Step::Read(content) => return Ok(content),
                Step::NeedsBase(key) => self.supply(frames, key, find(key)?)?,
            }
        }
    }

    /// Reads its frame, or tells which base has to be supplied first.
    pub(crate) fn step(&self, frames: &mut FrameReader) -> Result<Step> {
        let read = frames.read(self.place, self.issue.project(), self.event_id);
        read.map_err(|error| self.named(error))
    }

    /// Supplies the base that its frame needs.
    pub(crate) fn supply(
        &self,
        frames: &mut FrameReader,
        key: BaseKey,
        place: Option<Place>,
    ) -> Result<()> {
        let supplied = frames.read_base(key, place);
        supplied.map_err(|error| self.named(error))
    }

    fn named(&self, error: Error) -> Error {
        match error {
            Error::Broken(why) => Error::Broken(format!("event {}: {why}", self.event_id).into()),
            other => other,
        }
    }

    /// The event with its payload.
    pub(crate) fn stored(&self, content: Content) -> StoredEvent {
        StoredEvent {
            payload: content.payload.clone(),
            grouping: content.grouping.clone(),
            summary: self.summary(content),
        }
    }

    /// What lists show of it.
    pub(crate) fn summary(&self, content: Content) -> EventSummary {
        EventSummary {
            event_id: self.event_id,
            issue_id: self.issue,
            title: content.headline.title,
            occurred_at: self.occurred_at,
            received_at: self.received_at,
            release: content.headline.release,
            environment: content.headline.environment,
        }
    }

    /// Its place in the order of its issue.
    pub(crate) fn order(&self) -> Order {
        (self.received_at.as_microsecond(), *self.event_id.as_bytes())
    }

    /// Its place as a cursor.
    pub(crate) fn cursor(&self) -> String {
        format!("{}.{}", self.received_at.as_microsecond(), self.event_id)
    }
}

/// Reads the events of rows from where `contents` ends. Answers at the end, or with the base that
/// has to be supplied for the next row.
pub(crate) fn read_on(
    rows: &[EventRow],
    frames: &mut FrameReader,
    contents: &mut Vec<Content>,
) -> Result<Option<BaseKey>> {
    for row in &rows[contents.len()..] {
        match row.step(frames)? {
            Step::Read(content) => contents.push(content),
            Step::NeedsBase(key) => return Ok(Some(key)),
        }
    }
    Ok(None)
}

/// The place that a cursor names.
pub(crate) fn parse_cursor(cursor: &str) -> Result<Order> {
    let read = || {
        let (received_at, event) = cursor.split_once('.')?;
        let event: EventId = event.parse().ok()?;
        Some((received_at.parse().ok()?, *event.as_bytes()))
    };
    read().ok_or(Error::BadCursor)
}

/// The partitions that hold events of an issue with their number, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Days(pub(crate) Vec<(Partition, u64)>);

impl Days {
    /// The partitions of each day, oldest first. Days do not overlap, retention classes of one day
    /// do.
    pub(crate) fn by_day(&self) -> impl DoubleEndedIterator<Item = &[(Partition, u64)]> {
        self.0.chunk_by(|a, b| a.0.day == b.0.day)
    }

    /// How many events are stored.
    pub(crate) fn stored(&self) -> u64 {
        self.0.iter().map(|(_, stored)| stored).sum()
    }

    /// How many events are stored of the days before that of `row`; the place among those of its
    /// own day has to be counted.
    pub(crate) fn stored_before(&self, row: &EventRow) -> u64 {
        let day = day_of(row.received_at);
        let earlier = self.0.iter().filter(|(partition, _)| partition.day < day);
        earlier.map(|(_, stored)| stored).sum()
    }

    /// The partitions of the day of `row`.
    pub(crate) fn of_day(&self, row: &EventRow) -> impl Iterator<Item = Partition> {
        let day = day_of(row.received_at);
        let own = self
            .0
            .iter()
            .filter(move |(partition, _)| partition.day == day);
        own.map(|(partition, _)| *partition)
    }
}
