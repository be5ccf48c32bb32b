//! Reads the records of one segment file, across damage.

use std::{io, ops::Range, sync::Arc};

use crate::{
    fs::{File, read_full_at},
    segment::{HEADER_END, RECORD_HEADER_BYTES, RecordHeader, Seed},
};

/// Read from the file at once, in bytes, unless one record is larger.
const WINDOW_BYTES: u64 = 256 * 1024;

/// A place in a segment file, and how to go on from there.
pub(crate) struct Scan {
    file: Arc<dyn File>,
    seed: Seed,
    offset: u64,
    /// The last sequence met.
    last: u64,
    window: Vec<u8>,
    window_at: u64,
}

/// What stands at a place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// An intact record, of a greater sequence than all before.
    Record { sequence: u64, payload: Vec<u8> },
    /// Bytes that are no record.
    Damage(Range<u64>),
    /// Nothing more.
    End,
}

impl Scan {
    /// Begins after the header of the segment with this first sequence.
    pub(crate) fn new(file: Arc<dyn File>, seed: Seed, first: u64) -> Self {
        let offset = HEADER_END;
        Self {
            file,
            seed,
            offset,
            last: first - 1,
            window: Vec::new(),
            window_at: 0,
        }
    }

    pub(crate) fn file(&self) -> &dyn File {
        &*self.file
    }

    /// The next thing before `end`.
    pub(crate) fn next(&mut self, end: u64) -> io::Result<Found> {
        while self.offset < end {
            let at = self.offset;
            let Some(header) = self.record_at(at, end)? else {
                self.offset = self.resume(end)?;
                return Ok(Found::Damage(at..self.offset));
            };
            self.offset += header.record_bytes();
            // An older record here is a copy of what was met before: nothing is lost by passing it.
            if header.sequence > self.last {
                self.last = header.sequence;
                let payload = at + RECORD_HEADER_BYTES as u64;
                let payload = self
                    .bytes(payload, header.length as usize)?
                    .unwrap_or_default();
                return Ok(Found::Record {
                    sequence: header.sequence,
                    payload: payload.to_vec(),
                });
            }
        }
        Ok(Found::End)
    }

    /// The intact record that begins at a place.
    fn record_at(&mut self, at: u64, end: u64) -> io::Result<Option<RecordHeader>> {
        let Some(header) = self.header_at(at, end)? else {
            return Ok(None);
        };
        if header.record_bytes() > end - at {
            return Ok(None);
        }
        let payload = at + RECORD_HEADER_BYTES as u64;
        let seed = self.seed;
        let payload = self.bytes(payload, header.length as usize)?;
        Ok(payload
            .is_some_and(|payload| header.is_of(payload, seed))
            .then_some(header))
    }

    fn header_at(&mut self, at: u64, end: u64) -> io::Result<Option<RecordHeader>> {
        if end.saturating_sub(at) < RECORD_HEADER_BYTES as u64 {
            return Ok(None);
        }
        let Some(bytes) = self.bytes(at, RECORD_HEADER_BYTES)? else {
            return Ok(None);
        };
        Ok(bytes.try_into().ok().and_then(RecordHeader::decode))
    }

    /// Where records go on after the damage at the present place; `end` when they do not.
    fn resume(&mut self, end: u64) -> io::Result<u64> {
        // When only the payload is damaged, its length still says where the next record begins.
        if let Some(header) = self.header_at(self.offset, end)? {
            let after = self.offset.saturating_add(header.record_bytes());
            if after < end && self.is_later_record(after, end)? {
                return Ok(after);
            }
        }
        for at in self.offset + 1..end {
            if self.is_later_record(at, end)? {
                return Ok(at);
            }
        }
        Ok(end)
    }

    fn is_later_record(&mut self, at: u64, end: u64) -> io::Result<bool> {
        let Some(header) = self.header_at(at, end)? else {
            return Ok(false);
        };
        // Each record takes bytes, so the sequence cannot be far: this spares most checksums.
        let between = (at - self.offset) / RECORD_HEADER_BYTES as u64 + 1;
        let plausible = self.last < header.sequence && header.sequence - self.last <= between + 1;
        Ok(plausible && self.record_at(at, end)?.is_some())
    }

    /// These bytes of the file; `None` when it ends before them.
    fn bytes(&mut self, at: u64, count: usize) -> io::Result<Option<&[u8]>> {
        let loaded = self.window_at..self.window_at + self.window.len() as u64;
        if at < loaded.start || at + count as u64 > loaded.end {
            let size = (count as u64).max(WINDOW_BYTES);
            self.window = vec![0; usize::try_from(size).expect("a record fits into memory")];
            let read = read_full_at(&*self.file, &mut self.window, at)?;
            self.window.truncate(read);
            self.window_at = at;
        }
        let from = usize::try_from(at - self.window_at).expect("the window is in memory");
        Ok(self.window.get(from..from + count))
    }
}
