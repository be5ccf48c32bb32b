//! The segments that this process appends to: files, and how far they are committed.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use uuid::Uuid;

use super::{Place, SegmentName, Segments};
use crate::record::plan::SEGMENT_BYTES_MAX;
use crate::{Error, Result};

/// The open segments of each journal and partition. Forgotten when a transaction fails, so that
/// the next one starts from what is committed.
#[derive(Default)]
pub(crate) struct Tails {
    open: HashMap<(Uuid, i64), Tail>,
    /// Journals whose segments have been cut to their committed lengths.
    recovered: HashSet<Uuid>,
    /// Whether a batch has begun of which it is not known that it is committed.
    is_unsettled: bool,
}

/// A segment that frames are appended to.
#[derive(Debug, Clone)]
pub(crate) struct Tail {
    /// Which.
    pub(crate) segment: SegmentName,
    /// Up to where it is used: what comes next begins here.
    pub(crate) length: u64,
    file: Arc<File>,
}

impl Tails {
    /// Before a batch: what an earlier one left counts only if that was committed.
    pub(crate) fn begin(&mut self) {
        if std::mem::replace(&mut self.is_unsettled, true) {
            self.forget();
        }
    }

    /// The batch that began last is committed.
    pub(crate) const fn settle(&mut self) {
        self.is_unsettled = false;
    }

    /// Whether the segments of a journal have yet to be cut to their committed lengths.
    pub(crate) fn must_recover(&self, journal: Uuid) -> bool {
        !self.recovered.contains(&journal)
    }

    /// Cuts what an earlier process of this journal appended and did not commit; `committed` are
    /// all segments of the journal with their lengths.
    pub(crate) fn recover(
        &mut self,
        segments: &Segments,
        journal: Uuid,
        committed: impl IntoIterator<Item = (SegmentName, u64)>,
    ) -> Result<()> {
        for (segment, length) in committed {
            let bytes = segments.cut(segment, length).map_err(Error::Disk)?;
            if bytes > 0 {
                tracing::info!(
                    segment = segment.id,
                    bytes,
                    "cut an uncommitted payload tail"
                );
            }
        }
        self.recovered.insert(journal);
        Ok(())
    }

    /// Takes the open segment of a partition, if it has room.
    pub(crate) fn take(&mut self, journal: Uuid, partition: i64) -> Option<Tail> {
        let kept = self.open.remove(&(journal, partition));
        kept.filter(|tail| has_room(tail.length))
    }

    /// Puts a segment back for the next batch.
    pub(crate) fn put(&mut self, tail: Tail) {
        let key = (tail.segment.journal, tail.segment.partition);
        self.open.insert(key, tail);
    }

    /// After a failed transaction: nothing that is remembered here counts.
    pub(crate) fn forget(&mut self) {
        self.open.clear();
        self.recovered.clear();
    }
}

impl Tail {
    /// Opens a segment at its committed length, made where it does not exist.
    pub(crate) fn open(segments: &Segments, segment: SegmentName, length: u64) -> Result<Self> {
        let file = segments.open(segment).map_err(Error::of_write)?;
        Ok(Self {
            segment,
            length,
            file: Arc::new(file),
        })
    }

    /// The places of frames that are appended one behind the other, given by their bytes.
    pub(crate) fn places<'a>(&self, frames: impl IntoIterator<Item = &'a [u8]>) -> Vec<Place> {
        let mut start = self.length;
        let places = frames.into_iter().map(|frame| {
            let place = Place {
                segment: self.segment,
                start,
                length: frame.len(),
                ordinal: 0,
            };
            start += frame.len() as u64;
            place
        });
        places.collect()
    }

    /// Appends frames one behind the other and syncs them.
    pub(crate) fn append(&mut self, frames: &[&[u8]]) -> Result<()> {
        let bytes = frames.concat();
        self.file
            .write_all_at(&bytes, self.length)
            .map_err(Error::of_write)?;
        self.file.sync_data().map_err(Error::Disk)?;
        self.length += bytes.len() as u64;
        Ok(())
    }
}

/// Whether a segment of this length is still appended to.
pub(crate) const fn has_room(length: u64) -> bool {
    length < SEGMENT_BYTES_MAX
}
