//! What the driver asks of the steps before it and of the store behind it.

use std::future::Future;
use std::sync::Arc;

use copal_model::{Category, ProjectId};
use copal_store::Store;
use copal_store::access::RecordAccess;
use copal_store::record::{Batch, JournalId, Recorded};

use crate::expand::Rejected;
use crate::received::{Received, ReceivedError};

/// What one record comes to.
#[derive(Debug, Default)]
pub struct Prepared {
    /// The event to record.
    pub event: Option<copal_store::record::NewEvent>,
    /// Items that end here.
    pub rejected: Vec<Rejected>,
    /// All items that were received, counted apart from what became of them.
    pub received: Vec<Category>,
}

/// What turns a record into an event to record: the steps between journal and store.
pub trait Prepare: Send + Sync + 'static {
    /// Prepares a record. May panic: the record is then tried again, and quarantined at last.
    ///
    /// # Errors
    /// When the record is damaged.
    fn prepare(
        &self,
        received: &Received<'_>,
        access: &RecordAccess,
    ) -> Result<Prepared, ReceivedError>;
}

/// What the pipeline asks of the store.
pub trait Destination: Send + Sync + 'static {
    /// See [`copal_store::record::Recorder::record`].
    fn record(&self, batch: Batch) -> impl Future<Output = copal_store::Result<Recorded>> + Send;
    /// See [`copal_store::record::Recorder::journal_position`].
    fn journal_position(
        &self,
        journal: JournalId,
    ) -> impl Future<Output = copal_store::Result<Option<u64>>> + Send;
    /// See [`copal_store::access::Access::open_recording`].
    fn open_recording(
        &self,
        project: ProjectId,
    ) -> impl Future<Output = copal_store::Result<Option<RecordAccess>>> + Send;
}

/// The store, as a destination.
pub struct ToStore(pub Arc<dyn Store>);

impl Destination for ToStore {
    async fn record(&self, batch: Batch) -> copal_store::Result<Recorded> {
        self.0.record(batch).await
    }

    async fn journal_position(&self, journal: JournalId) -> copal_store::Result<Option<u64>> {
        self.0.journal_position(journal).await
    }

    async fn open_recording(
        &self,
        project: ProjectId,
    ) -> copal_store::Result<Option<RecordAccess>> {
        self.0.open_recording(project).await
    }
}
