//! The handle that appenders, readers and operators hold.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use crate::{
    AppendError, RECORD_BYTES_MAX, Reader,
    segment::Seed,
    shared::Shared,
    writer::{Append, Request},
};

/// An open journal. Clones are handles to the same one.
#[derive(Clone)]
pub struct Journal {
    shared: Arc<Shared>,
    requests: mpsc::UnboundedSender<Request>,
}

/// Whether a journal takes records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// It does.
    Ready,
    /// It has just refused one for want of room.
    Full,
    /// A write or sync has failed: it never will again.
    Failed,
    /// It has been closed.
    Closed,
}

/// What operators watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    /// Records that wait for the store.
    pub backlog_records: u64,
    /// Bytes of all segment files.
    pub backlog_bytes: u64,
    /// The last sequence that has been acknowledged.
    pub last_sequence: u64,
    /// Everything up to here has been consumed.
    pub forgotten_sequence: u64,
    /// Records found to be damaged or missing since the start.
    pub corrupt_records: u64,
    /// Records acknowledged since the start.
    pub appended_records: u64,
    /// Syncs these took.
    pub syncs: u64,
}

impl Journal {
    pub(crate) fn new(shared: Arc<Shared>, requests: mpsc::UnboundedSender<Request>) -> Self {
        Self { shared, requests }
    }

    /// The journal's own random id, by which the store knows it.
    pub fn id(&self) -> [u8; 16] {
        self.shared.id
    }

    /// Appends a record and answers its sequence once it is durable.
    ///
    /// When the future is dropped before it answers, the record may or may not be appended.
    pub async fn append(&self, record: Vec<u8>) -> Result<u64, AppendError> {
        if record.len() > RECORD_BYTES_MAX {
            return Err(AppendError::TooLarge);
        }
        let payload_crc = Seed::new(self.shared.id).of_payload(&record);
        let (answer, answered) = oneshot::channel();
        let append = Request::Append(Append {
            record,
            payload_crc,
            answer,
        });
        self.requests
            .send(append)
            .map_err(|_| AppendError::Closed)?;
        // The writer answers everything it takes; it is gone without an answer when it panicked.
        answered.await.unwrap_or(Err(AppendError::Failed))
    }

    /// Reads the records whose sequence is greater than `after`.
    pub fn reader(&self, after: u64) -> Reader {
        Reader::new(self.shared.clone(), after)
    }

    /// Tells that everything up to a sequence is in the store. Segments with nothing else are
    /// deleted soon after.
    pub fn forget(&self, up_to: u64) {
        // A closed journal forgets at its next opening.
        let _ = self.requests.send(Request::Forget(up_to));
    }

    /// Deletes even the segment that is being written, if everything in it is in the store: what
    /// SDKs sent must not lie about unscrubbed for long. To be called now and then.
    pub fn clear(&self) {
        // A closed journal clears itself at its next opening.
        let _ = self.requests.send(Request::Clear);
    }

    /// Whether records are taken now.
    pub fn condition(&self) -> Condition {
        self.shared.condition()
    }

    /// How it is going.
    pub fn stats(&self) -> Stats {
        self.shared.stats()
    }

    /// Resolves when a write or sync has failed: the process must then end with an error.
    pub async fn failed(&self) {
        // An error would mean that the sender is gone, but `shared` owns it.
        let _ = self
            .shared
            .failed
            .subscribe()
            .wait_for(|failed| *failed)
            .await;
    }

    /// Syncs what is pending, refuses what comes, and gives the folder free. Readers end when they
    /// have read everything.
    pub async fn close(&self) {
        let (answer, answered) = oneshot::channel();
        if self.requests.send(Request::Close(answer)).is_ok() {
            // An error would mean that the writer is gone, which is as good.
            let _ = answered.await;
        }
    }
}
