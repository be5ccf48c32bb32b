//! Follows the synced end of the log, and tells exactly what is missing.

use std::{io, sync::Arc};

use tokio::{sync::watch, task::spawn_blocking};

use crate::{
    Error,
    scan::{Found, Scan},
    segment::Seed,
    shared::{Progress, Segment, Shared},
};

/// One step in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A record.
    Record {
        /// Its place.
        sequence: u64,
        /// What was appended.
        record: Vec<u8>,
    },
    /// Records that are gone: damaged or missing.
    Gap {
        /// The first of them.
        from: u64,
        /// The last of them.
        to: u64,
    },
}

impl Entry {
    /// The last sequence that the entry covers: the position once it has been dealt with.
    pub fn sequence(&self) -> u64 {
        match self {
            Self::Record { sequence, .. } => *sequence,
            Self::Gap { to, .. } => *to,
        }
    }
}

/// Reads a journal from some place on.
pub struct Reader {
    shared: Arc<Shared>,
    progress: watch::Receiver<Progress>,
    after: u64,
    /// The segment being read; only spares finding the place again.
    open: Option<Open>,
}

/// A segment being read.
struct Open {
    first: u64,
    scan: Scan,
}

impl Reader {
    pub(crate) fn new(shared: Arc<Shared>, after: u64) -> Self {
        let progress = shared.progress.subscribe();
        Self {
            shared,
            progress,
            after,
            open: None,
        }
    }

    /// The next entries in order: waits for one at least, and takes no more than `records_max`, nor
    /// any after `bytes_max` have been reached. Empty once the journal is closed, or has failed, and
    /// everything has been read.
    ///
    /// When the future is dropped before it answers, the next call answers the same entries.
    pub async fn next(
        &mut self,
        records_max: usize,
        bytes_max: usize,
    ) -> Result<Vec<Entry>, Error> {
        loop {
            let progress = *self.progress.borrow_and_update();
            if progress.last > self.after {
                let mut reading = Reading {
                    shared: self.shared.clone(),
                    after: self.after,
                    open: self.open.take(),
                    entries: Vec::new(),
                    bytes: 0,
                };
                let done = spawn_blocking(move || {
                    reading
                        .fill(records_max.max(1), bytes_max)
                        .map(|()| reading)
                });
                let done = match done.await {
                    Ok(result) => result?,
                    Err(error) => match error.try_into_panic() {
                        Ok(panic) => std::panic::resume_unwind(panic),
                        // The runtime is shutting down.
                        Err(_) => return Ok(Vec::new()),
                    },
                };
                self.after = done.after;
                self.open = done.open;
                if !done.entries.is_empty() {
                    return Ok(done.entries);
                }
            } else if progress.ended || self.progress.changed().await.is_err() {
                return Ok(Vec::new());
            }
        }
    }
}

/// One call of [`Reader::next`], on a thread that may block.
struct Reading {
    shared: Arc<Shared>,
    after: u64,
    open: Option<Open>,
    entries: Vec<Entry>,
    bytes: usize,
}

impl Reading {
    fn fill(&mut self, records_max: usize, bytes_max: usize) -> Result<(), Error> {
        loop {
            let segment = {
                let state = self.shared.state();
                // Who has fallen behind what is consumed has nothing to learn there. A reader that
                // begins at the store's position never is.
                self.after = self.after.max(state.forgotten);
                state.segment_after(self.after)
            };
            let Some(segment) = segment else {
                return Ok(());
            };
            self.pass_gap(segment.first - 1);
            let reading = Error::io("reading", self.shared.path(segment.first));
            if self
                .read_segment(segment, records_max, bytes_max)
                .map_err(reading)?
            {
                return Ok(());
            }
        }
    }

    /// Reads on in a segment; answers whether there is enough.
    fn read_segment(
        &mut self,
        segment: Segment,
        records_max: usize,
        bytes_max: usize,
    ) -> io::Result<bool> {
        let Some((mut open, end)) = self.open(segment)? else {
            self.pass_gap(segment.last);
            return Ok(false);
        };
        let mut enough = false;
        while !enough {
            match open.scan.next(end)? {
                Found::Record { sequence, payload } if sequence > self.after => {
                    self.pass_gap(sequence - 1);
                    self.after = sequence;
                    self.bytes += payload.len();
                    self.entries.push(Entry::Record {
                        sequence,
                        record: payload,
                    });
                    enough = self.entries.len() >= records_max || self.bytes >= bytes_max;
                }
                // Read before, or consumed.
                Found::Record { .. } => {}
                Found::Damage(bytes) => {
                    self.shared
                        .quarantine
                        .keep_bytes(open.scan.file(), segment.first, bytes);
                }
                Found::End => {
                    self.pass_gap(segment.last);
                    break;
                }
            }
        }
        self.open = Some(open);
        Ok(enough)
    }

    /// The segment's file and how far it may be read; `None` when it is gone.
    fn open(&mut self, segment: Segment) -> io::Result<Option<(Open, u64)>> {
        let open = match self.open.take() {
            Some(open) if open.first == segment.first => open,
            _ => match self.shared.fs.open(&self.shared.path(segment.first)) {
                Ok(file) => {
                    let scan = Scan::new(file, Seed::new(self.shared.id), segment.first);
                    Open {
                        first: segment.first,
                        scan,
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            },
        };
        // Somebody may have cut it.
        let end = segment.bytes.min(open.scan.file().size()?);
        Ok(Some((open, end)))
    }

    /// Goes on after a sequence; what has not been met up to there is gone.
    fn pass_gap(&mut self, to: u64) {
        let from = self.after + 1;
        if from <= to {
            tracing::error!(
                journal.from = from,
                journal.to = to,
                "records of the journal are gone"
            );
            self.shared.state().lose(from, to);
            self.entries.push(Entry::Gap { from, to });
            self.after = to;
        }
    }
}
