//! Follows the journal: reads what is there, prepares it, records it, tells the journal to forget.
//!
//! One batch is being prepared while the one before is being recorded. A record that cannot be
//! processed is tried three times and then quarantined; a batch that the store cannot take is
//! halved until the record to blame is found. While the store is not available nothing is lost: the
//! journal keeps it. When the store's disk fails, the pipeline ends with an error, and so must the
//! process.
//!
//! # Layout
//! - [`run`]: the loop
//! - `batch`: journal entries to a batch, and what becomes of poison
//! - `scopes`: leave to record, remembered for a second
//! - `tally`: what a batch is counted as in the metrics

mod batch;
mod contract;
mod scopes;
mod tally;

use std::future::Future;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use copal_journal::{Entry, Journal};
use copal_model::Clock;
use copal_store::record::{Batch, JournalId, Recorded};
use tokio::sync::{mpsc, watch};
use uuid::Uuid;

use batch::Preparation;
pub use contract::{Destination, Prepare, Prepared, ToStore};
use scopes::Scopes;
use tally::Tally;

/// Records in one batch.
pub const BATCH_RECORDS_MAX: usize = 500;
/// Bytes of records, as they are in the journal, after which a batch takes no more.
pub const BATCH_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How often a record is tried before it is quarantined.
pub const ATTEMPTS: u32 = 3;
/// The first wait for a store that is not available; each next one is twice as long.
pub const BACKOFF_FIRST: Duration = Duration::from_millis(100);
/// The longest wait for a store that is not available: what waits is recorded soon after its return.
pub const BACKOFF_MAX: Duration = Duration::from_secs(5);
/// Records from which on a batch is prepared by two threads.
const PARALLEL_RECORDS_MIN: usize = 64;

/// Why the pipeline ended before it was told to. The process must end too.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The journal cannot be read.
    #[error("reading the journal: {0}")]
    Journal(#[from] copal_journal::Error),
    /// The store cannot be written to, and trying again is of no use.
    #[error("recording events: {0}")]
    Store(#[from] copal_store::Error),
}

/// What the pipeline works with.
pub struct Pipeline<S, P> {
    /// Where records come from.
    pub journal: Journal,
    /// Where events go.
    pub store: Arc<S>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// The steps between them.
    pub steps: Arc<P>,
}

/// Runs until `stop` is true (or its sender is gone), or something fails for good. The batch in
/// hand is recorded first. `on_recorded` hears of every commit.
///
/// # Errors
/// When the journal cannot be read or the store's disk failed: the process must end.
pub async fn run<S: Destination, P: Prepare>(
    pipeline: Pipeline<S, P>,
    stop: watch::Receiver<bool>,
    on_recorded: impl Fn(&Recorded) + Send + Sync,
) -> Result<(), Error> {
    let driver = Driver {
        scopes: Scopes::default(),
        outage: Outage::default(),
        stop: stop.clone(),
        pipeline,
    };
    let (ready, mut batches) = mpsc::channel::<Ready>(1);
    let prepare = driver.prepare_all(ready, stop);
    let record = async {
        while let Some(ready) = batches.recv().await {
            if !driver.record_all(ready, &on_recorded).await? {
                break;
            }
        }
        // Whoever prepares must not wait for room that will not come.
        batches.close();
        Ok(())
    };
    tokio::try_join!(prepare, record).map(|_| ())
}

/// A batch to be recorded, and the entries it was made of.
struct Ready {
    entries: Arc<Vec<Entry>>,
    batch: Batch,
}

struct Driver<S, P> {
    scopes: Scopes,
    outage: Outage,
    stop: watch::Receiver<bool>,
    pipeline: Pipeline<S, P>,
}

impl<S: Destination, P: Prepare> Driver<S, P> {
    fn journal_id(&self) -> JournalId {
        Uuid::from_bytes(self.pipeline.journal.id())
    }

    async fn prepare_all(
        &self,
        ready: mpsc::Sender<Ready>,
        mut stop: watch::Receiver<bool>,
    ) -> Result<(), Error> {
        let Some(position) = self
            .available(|| self.pipeline.store.journal_position(self.journal_id()))
            .await?
        else {
            return Ok(());
        };
        let mut reader = self.pipeline.journal.reader(position.unwrap_or(0));
        loop {
            let room = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return Ok(()),
                room = ready.reserve() => room,
            };
            let Ok(room) = room else { return Ok(()) };
            let entries = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return Ok(()),
                () = ready.closed() => return Ok(()),
                entries = reader.next(BATCH_RECORDS_MAX, BATCH_BYTES_MAX) => entries?,
            };
            if entries.is_empty() {
                return Ok(());
            }
            let entries = Arc::new(entries);
            let Some(batch) = self.prepare(&entries, 0..entries.len(), None).await? else {
                return Ok(());
            };
            room.send(Ready { entries, batch });
        }
    }

    /// Makes a batch of some entries; `None` when told to stop meanwhile.
    async fn prepare(
        &self,
        entries: &Arc<Vec<Entry>>,
        range: Range<usize>,
        quarantine: Option<&str>,
    ) -> Result<Option<Batch>, Error> {
        let started = Instant::now();
        let projects = batch::projects(&entries[range.clone()]);
        let opened = self
            .available(|| self.scopes.open(&*self.pipeline.store, &projects))
            .await?;
        let Some(scopes) = opened else {
            return Ok(None);
        };
        let preparation = Arc::new(Preparation {
            entries: entries.clone(),
            scopes,
            steps: self.pipeline.steps.clone(),
            now: self.pipeline.clock.now(),
            quarantine: quarantine.map(str::to_owned),
        });
        let middle = match range.len() {
            0..PARALLEL_RECORDS_MIN => range.end,
            len => range.start + len / 2,
        };
        let (one, other) = (preparation.clone(), preparation.clone());
        let (first, second) = (range.start..middle, middle..range.end);
        let first = tokio::task::spawn_blocking(move || one.run(first));
        let second =
            (!second.is_empty()).then(|| tokio::task::spawn_blocking(move || other.run(second)));
        let mut batch = first.await.unwrap_or_else(batch::resume);
        if let Some(second) = second {
            batch::append(&mut batch, second.await.unwrap_or_else(batch::resume));
        }
        batch.journal = self.journal_id();
        batch.position = entries[range.end - 1].sequence();
        metrics::histogram!("copal_pipeline_prepare_seconds").record(started.elapsed());
        Ok(Some(batch))
    }

    /// Records a batch, in parts where it must be. False when told to stop before the end.
    async fn record_all(
        &self,
        ready: Ready,
        on_recorded: &(impl Fn(&Recorded) + Sync),
    ) -> Result<bool, Error> {
        let Ready { entries, batch } = ready;
        let mut first = Some(batch);
        // The last is the next: halves are put on it so that positions only grow.
        let mut parts = vec![(0..entries.len(), 1)];
        while let Some((range, attempt)) = parts.pop() {
            let batch = match first.take() {
                Some(batch) => batch,
                None => match self.prepare(&entries, range.clone(), None).await? {
                    Some(batch) => batch,
                    None => return Ok(false),
                },
            };
            let error = match self
                .record(&entries, range.clone(), batch, None, on_recorded)
                .await?
            {
                Attempt::Recorded => continue,
                Attempt::Stopped => return Ok(false),
                Attempt::Refused(error) => error,
            };
            self.scopes.forget();
            if range.len() > 1 {
                let middle = range.start + range.len() / 2;
                parts.push((middle..range.end, 1));
                parts.push((range.start..middle, 1));
            } else if attempt < ATTEMPTS {
                parts.push((range, attempt + 1));
            } else if !self
                .quarantine(&entries, range, &error, on_recorded)
                .await?
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Puts one record, which the store refuses, where people can look at it.
    async fn quarantine(
        &self,
        entries: &Arc<Vec<Entry>>,
        range: Range<usize>,
        error: &copal_store::Error,
        on_recorded: &(impl Fn(&Recorded) + Sync),
    ) -> Result<bool, Error> {
        let why = error.to_string();
        let Some(batch) = self.prepare(entries, range.clone(), Some(&why)).await? else {
            return Ok(false);
        };
        match self
            .record(entries, range, batch, Some(&why), on_recorded)
            .await?
        {
            Attempt::Recorded => Ok(true),
            Attempt::Stopped => Ok(false),
            // A store that cannot even quarantine is broken as a whole.
            Attempt::Refused(error) => Err(error.into()),
        }
    }

    /// Records one batch, however long the store is not available.
    async fn record(
        &self,
        entries: &Arc<Vec<Entry>>,
        range: Range<usize>,
        batch: Batch,
        quarantine: Option<&str>,
        on_recorded: &(impl Fn(&Recorded) + Sync),
    ) -> Result<Attempt, Error> {
        let mut batch = batch;
        let mut wait = BACKOFF_FIRST;
        loop {
            let position = batch.position;
            let tally = Tally::of(&batch);
            let started = Instant::now();
            match self.pipeline.store.record(batch).await {
                Ok(recorded) => {
                    self.outage.ends();
                    metrics::histogram!("copal_pipeline_record_seconds").record(started.elapsed());
                    tally.count(&recorded, self.pipeline.clock.now());
                    self.pipeline.journal.forget(position);
                    on_recorded(&recorded);
                    return Ok(Attempt::Recorded);
                }
                Err(error @ copal_store::Error::Disk(_)) => return Err(error.into()),
                Err(copal_store::Error::Unavailable(why)) => {
                    self.outage.goes_on(&why);
                    if self.stopped_within(wait).await {
                        return Ok(Attempt::Stopped);
                    }
                    wait = (wait * 2).min(BACKOFF_MAX);
                    match self.prepare(entries, range.clone(), quarantine).await? {
                        Some(again) => batch = again,
                        None => return Ok(Attempt::Stopped),
                    }
                }
                Err(error) => {
                    tracing::error!(%error, records = range.len(), "the store refuses a batch");
                    return Ok(Attempt::Refused(error));
                }
            }
        }
    }

    /// Asks the store until it is available; `None` when told to stop meanwhile.
    async fn available<T, F: Future<Output = copal_store::Result<T>>>(
        &self,
        ask: impl Fn() -> F,
    ) -> Result<Option<T>, Error> {
        let mut wait = BACKOFF_FIRST;
        loop {
            match ask().await {
                Ok(answer) => return Ok(Some(answer)),
                Err(copal_store::Error::Unavailable(why)) => self.outage.goes_on(&why),
                Err(error) => return Err(error.into()),
            }
            if self.stopped_within(wait).await {
                return Ok(None);
            }
            wait = (wait * 2).min(BACKOFF_MAX);
        }
    }

    async fn stopped_within(&self, wait: Duration) -> bool {
        let mut stop = self.stop.clone();
        tokio::time::timeout(wait, stop.wait_for(|stop| *stop))
            .await
            .is_ok()
    }
}

/// A time without a store: said once when it begins, and once when something is recorded again.
#[derive(Debug, Default)]
struct Outage(Mutex<Option<Instant>>);

impl Outage {
    fn goes_on(&self, why: &str) {
        let mut since = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if since.is_none() {
            *since = Some(Instant::now());
            tracing::warn!(
                why,
                "the store is not available: what is received waits in the journal"
            );
        }
    }

    fn ends(&self) {
        let mut since = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(since) = since.take() {
            let secs = since.elapsed().as_secs();
            tracing::info!(secs, "recording goes on");
        }
    }
}

/// How an attempt to record ended.
enum Attempt {
    Recorded,
    Stopped,
    /// The store cannot take this batch, whenever it is asked.
    Refused(copal_store::Error),
}

#[cfg(test)]
mod tests;
