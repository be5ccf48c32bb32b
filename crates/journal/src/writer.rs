//! The only thread that writes: it takes all that is pending, writes it with one call, syncs once,
//! and then answers everybody.

use std::{
    io::{self, IoSlice},
    sync::Arc,
    time::Instant,
};

use tokio::sync::{mpsc, oneshot};

use crate::{
    AppendError,
    config::{BATCH_BYTES_MAX, BATCH_RECORDS_MAX},
    fs::{File, Lock, write_full_at},
    segment::{self, HEADER_END, RECORD_HEADER_BYTES, RecordHeader, SegmentHeader},
    shared::{Segment, Shared},
};

/// What the writer is asked to do, in the order it was asked.
pub(crate) enum Request {
    Append(Append),
    Forget(u64),
    Clear,
    Close(oneshot::Sender<()>),
}

/// A record, and who waits for it.
pub(crate) struct Append {
    pub(crate) record: Vec<u8>,
    /// See [`crate::segment::Seed::of_payload`]: made by the appender, on its own core.
    pub(crate) payload_crc: u32,
    pub(crate) answer: oneshot::Sender<Result<u64, AppendError>>,
}

impl Append {
    fn bytes(&self) -> u64 {
        (RECORD_HEADER_BYTES + self.record.len()) as u64
    }
}

/// Why the writer cannot do what it is asked to.
#[derive(Debug)]
enum Refusal {
    /// Only now: there is no room.
    Full,
    /// For ever.
    Failed(io::Error),
}

impl Refusal {
    /// A full disk refuses a write without harm. It never excuses a failed sync.
    fn of_write(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::Failed(error),
        }
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

/// The writer's own knowledge.
pub(crate) struct Writer {
    shared: Arc<Shared>,
    requests: mpsc::UnboundedReceiver<Request>,
    /// Taken from `requests` but not yet done.
    postponed: Option<Request>,
    /// The file of the last segment.
    file: Arc<dyn File>,
    failed: bool,
}

impl Writer {
    pub(crate) fn new(
        shared: Arc<Shared>,
        requests: mpsc::UnboundedReceiver<Request>,
        file: Arc<dyn File>,
    ) -> Self {
        Self {
            shared,
            requests,
            postponed: None,
            file,
            failed: false,
        }
    }

    /// Works until the journal is closed or nobody has a handle to it.
    pub(crate) fn run(mut self, lock: Lock) {
        // Whatever ends this thread, a panic too, must not leave anybody waiting.
        let ending = Ending(self.shared.clone());
        let mut closing = Vec::new();
        while let Some(request) = self.next() {
            match request {
                Request::Append(append) => self.append(append),
                Request::Forget(up_to) => self.forget(up_to),
                Request::Clear => self.free(HEADER_END),
                Request::Close(answer) => {
                    self.requests.close();
                    closing.push(answer);
                }
            }
        }
        drop(ending);
        drop(lock);
        for answer in closing {
            // Who asked may have lost interest.
            let _ = answer.send(());
        }
    }

    fn next(&mut self) -> Option<Request> {
        self.postponed
            .take()
            .or_else(|| self.requests.blocking_recv())
    }

    /// Takes what is pending besides `first` and appends all of it.
    fn append(&mut self, first: Append) {
        let mut bytes = first.bytes();
        let mut batch = vec![first];
        while batch.len() < BATCH_RECORDS_MAX && bytes < BATCH_BYTES_MAX {
            match self.requests.try_recv() {
                Ok(Request::Append(append)) => {
                    bytes += append.bytes();
                    batch.push(append);
                }
                Ok(other) => {
                    self.postponed = Some(other);
                    break;
                }
                Err(_) => break,
            }
        }
        while !batch.is_empty() {
            let (fitting, bytes) = self.fitting(&batch);
            let rest = batch.split_off(fitting);
            let result = self.commit(&batch, bytes);
            self.answer(batch, result);
            batch = rest;
        }
    }

    /// How many of the records go into one segment together, one at least, and their bytes.
    fn fitting(&self, batch: &[Append]) -> (usize, u64) {
        let segment_bytes = self.shared.config.segment_bytes();
        let used = self.shared.state().active().bytes;
        // When not even the first fits into the active segment, a new one will take it.
        let used = if used + batch[0].bytes() > segment_bytes {
            HEADER_END
        } else {
            used
        };
        let mut bytes = batch[0].bytes();
        let mut count = 1;
        for append in &batch[1..] {
            if used + bytes + append.bytes() > segment_bytes {
                break;
            }
            bytes += append.bytes();
            count += 1;
        }
        (count, bytes)
    }

    /// Makes records durable; answers the sequence of the first.
    fn commit(&mut self, batch: &[Append], bytes: u64) -> Result<u64, Refusal> {
        if self.failed {
            return Err(Refusal::Failed(io::Error::other(
                "a write or sync has failed before",
            )));
        }
        let (active, used) = {
            let mut state = self.shared.state();
            (*state.active(), state.bytes())
        };
        let segment_bytes = self.shared.config.segment_bytes();
        let rotates = active.bytes + bytes > segment_bytes && active.bytes > HEADER_END;
        let added = if rotates { HEADER_END + bytes } else { bytes };
        if used + added > self.shared.config.backlog_bytes_max {
            return Err(Refusal::Full);
        }
        let offset = if rotates {
            self.rotate()?;
            HEADER_END
        } else {
            active.bytes
        };
        let first = self.shared.state().last + 1;
        self.write(batch, first, offset)?;
        self.file.sync_data()?;

        let last = first + batch.len() as u64 - 1;
        let mut state = self.shared.state();
        state.last = last;
        state.appended += batch.len() as u64;
        state.syncs += 1;
        state.refused_at = None;
        let active = state.active();
        active.last = last;
        active.bytes = offset + bytes;
        drop(state);
        self.shared
            .progress
            .send_modify(|progress| progress.last = last);
        Ok(first)
    }

    fn write(&self, batch: &[Append], first: u64, offset: u64) -> Result<(), Refusal> {
        let headers: Vec<_> = (first..)
            .zip(batch)
            .map(|(sequence, append)| {
                let length = u32::try_from(append.record.len()).expect("RECORD_BYTES_MAX at most");
                RecordHeader::new(length, append.payload_crc, sequence).encode()
            })
            .collect();
        let mut parts = Vec::with_capacity(batch.len() * 2);
        for (header, append) in headers.iter().zip(batch) {
            parts.push(IoSlice::new(header));
            parts.push(IoSlice::new(&append.record));
        }
        write_full_at(&*self.file, &mut parts, offset).or_else(|error| {
            let refusal = Refusal::of_write(error);
            if matches!(refusal, Refusal::Full) {
                // A full disk takes part of a batch. Nothing of it was synced or acknowledged: cut
                // it off and go on once there is room.
                self.file.truncate(offset)?;
            }
            Err(refusal)
        })
    }

    /// Begins a new segment, durable before anything is written into it.
    fn rotate(&mut self) -> Result<(), Refusal> {
        let first = self.shared.state().last + 1;
        let header = SegmentHeader {
            journal: self.shared.id,
            first,
        };
        let file = segment::begin(&*self.shared.fs, &self.shared.folder, header)
            .map_err(Refusal::of_write)?;
        self.file = file;
        let segment = Segment {
            first,
            last: first - 1,
            bytes: HEADER_END,
        };
        self.shared.state().segments.push(segment);
        Ok(())
    }

    fn answer(&mut self, batch: Vec<Append>, result: Result<u64, Refusal>) {
        let result = result.map_err(|refusal| self.refuse(refusal));
        for (place, append) in (0..).zip(batch) {
            // Who waited may be gone: the record stays.
            let _ = append.answer.send(result.map(|first| first + place));
        }
    }

    fn refuse(&mut self, refusal: Refusal) -> AppendError {
        let Refusal::Failed(error) = refusal else {
            self.shared.state().refused_at = Some(Instant::now());
            return AppendError::Full;
        };
        if !self.failed {
            tracing::error!(%error, "the journal cannot be written; nothing is accepted any more");
            self.failed = true;
            self.shared.failed.send_replace(true);
            self.shared.end();
        }
        AppendError::Failed
    }

    fn forget(&mut self, up_to: u64) {
        if self.failed {
            return;
        }
        let mut state = self.shared.state();
        state.forgotten = state.forgotten.max(up_to.min(state.last));
        drop(state);
        self.free(self.shared.config.consumed_bytes_max);
    }

    /// Deletes what is consumed; the active segment too when it has more bytes than these.
    fn free(&mut self, consumed_bytes_max: u64) {
        if self.failed {
            return;
        }
        let (active, consumed) = {
            let mut state = self.shared.state();
            let consumed = state.forgotten == state.last;
            (*state.active(), consumed)
        };
        let rotated = if consumed && active.bytes > consumed_bytes_max {
            self.rotate()
        } else {
            Ok(())
        };
        // On a full disk there may be no room for a new segment, and all the more need to delete.
        let result = match rotated {
            Ok(()) | Err(Refusal::Full) => self.unlink_consumed(),
            failed => failed,
        };
        if let Err(refusal) = result {
            self.refuse(refusal);
        }
    }

    /// Deletes the segments that hold nothing but consumed records.
    fn unlink_consumed(&mut self) -> Result<(), Refusal> {
        let consumed: Vec<_> = {
            let state = self.shared.state();
            let (_, inactive) = state.segments.split_last().expect("there always is one");
            inactive
                .iter()
                .take_while(|segment| segment.last <= state.forgotten)
                .copied()
                .collect()
        };
        let mut deleted = 0;
        for segment in consumed {
            match self.shared.fs.unlink(&self.shared.path(segment.first)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    // Nothing is lost by it; the next call tries again.
                    tracing::warn!(%error, journal.segment = segment.first, "cannot delete");
                    break;
                }
                _ => deleted += 1,
            }
        }
        if deleted > 0 {
            let mut state = self.shared.state();
            state.segments.drain(..deleted);
            state.refused_at = None;
            drop(state);
            self.shared.fs.sync_folder(&self.shared.folder)?;
        }
        Ok(())
    }
}

/// Ends readers when the writer ends, and says so when it ended by a panic.
struct Ending(Arc<Shared>);

impl Drop for Ending {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.failed.send_replace(true);
        }
        self.0.end();
    }
}
