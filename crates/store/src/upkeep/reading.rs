//! Reads the frames of many rows, one after the other, and keeps only what went wrong.

use crate::Error;
use crate::events::row::EventRow;
use crate::payload::{BaseKey, FrameReader, Place, Step};

/// Rows whose frames are read, and those that could not be.
pub(crate) struct Reading {
    rows: Vec<EventRow>,
    at: usize,
    broken: Vec<Error>,
}

impl Reading {
    /// Nothing read yet. Events of an issue are compressed against one of them: rows are sorted so
    /// that this one is read once.
    pub(crate) fn new(mut rows: Vec<EventRow>) -> Self {
        rows.sort_unstable_by_key(|row| (row.issue, row.place.start));
        Self {
            rows,
            at: 0,
            broken: Vec::new(),
        }
    }

    /// Reads on until a base is needed, which is then to be looked up and given to
    /// [`supply`](Self::supply), or to the end: `None`.
    pub(crate) fn go_on(&mut self, frames: &mut FrameReader) -> Option<BaseKey> {
        while let Some(row) = self.rows.get(self.at) {
            match row.step(frames) {
                Ok(Step::NeedsBase(key)) => return Some(key),
                Ok(Step::Read(_)) => {}
                Err(error) => self.broken.push(error),
            }
            self.at += 1;
        }
        None
    }

    /// Supplies the base that was needed.
    pub(crate) fn supply(&mut self, frames: &mut FrameReader, key: BaseKey, place: Option<Place>) {
        if let Some(row) = self.rows.get(self.at)
            && let Err(error) = row.supply(frames, key, place)
        {
            self.broken.push(error);
            self.at += 1;
        }
    }

    /// What went wrong, an error for each event.
    pub(crate) fn broken(self) -> Vec<Error> {
        self.broken
    }
}
