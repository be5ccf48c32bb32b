//! Journal entries to a batch. A record that cannot be processed does not harm its neighbours.

use std::any::Any;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use copal_journal::Entry;
use copal_model::{Category, Outcome, ProjectId, Timestamp};
use copal_store::record::{Batch, OutcomeCount, Quarantined, ReceivedCount};

use super::scopes::Opened;
use super::{ATTEMPTS, Prepare, Prepared};
use crate::expand::{Rejected, count_items};
use crate::received::Received;

/// What is needed to prepare a batch on another thread.
pub(super) struct Preparation<P> {
    pub(super) entries: Arc<Vec<Entry>>,
    pub(super) scopes: Opened,
    pub(super) steps: Arc<P>,
    pub(super) now: Timestamp,
    /// Why all records are to be quarantined untried, where they are.
    pub(super) quarantine: Option<String>,
}

/// The projects that records are for.
pub(super) fn projects(entries: &[Entry]) -> Vec<ProjectId> {
    let mut projects: Vec<_> = entries
        .iter()
        .filter_map(|entry| match entry {
            Entry::Record { record, .. } => Received::decode(record).ok(),
            Entry::Gap { .. } => None,
        })
        .map(|received| received.project)
        .collect();
    projects.sort_unstable();
    projects.dedup();
    projects
}

/// Puts a batch behind another.
pub(super) fn append(batch: &mut Batch, mut next: Batch) {
    batch.events.append(&mut next.events);
    batch.received.append(&mut next.received);
    batch.outcomes.append(&mut next.outcomes);
    batch.quarantined.append(&mut next.quarantined);
}

/// A panic outside of any record's processing is a panic of the pipeline.
pub(super) fn resume(error: tokio::task::JoinError) -> Batch {
    std::panic::resume_unwind(error.into_panic())
}

impl<P: Prepare> Preparation<P> {
    pub(super) fn run(&self, range: Range<usize>) -> Batch {
        let mut batch = Batch::default();
        for entry in &self.entries[range] {
            match entry {
                Entry::Record { sequence, record } => self.add(*sequence, record, &mut batch),
                Entry::Gap { from, to } => self.add_gap(*from, *to, &mut batch),
            }
        }
        batch
    }

    fn add(&self, sequence: u64, record: &[u8], batch: &mut Batch) {
        if let Some(error) = &self.quarantine {
            self.quarantine(sequence, record, error.clone(), batch);
            return;
        }
        let mut error = String::new();
        for _ in 0..ATTEMPTS {
            match catch_unwind(AssertUnwindSafe(|| self.process(record))) {
                Ok(Ok((received, prepared))) => {
                    batch.events.extend(prepared.event);
                    count(&received, &prepared.received, prepared.rejected, batch);
                    return;
                }
                Ok(Err(problem)) => error = problem.to_string(),
                Err(panic) => error = format!("panic: {}", panic_text(&*panic)),
            }
        }
        self.quarantine(sequence, record, error, batch);
    }

    fn process<'r>(
        &self,
        record: &'r [u8],
    ) -> Result<(Received<'r>, Prepared), crate::received::ReceivedError> {
        let received = Received::decode(record)?;
        let prepared = match self.scopes.get(&received.project) {
            Some(Some(access)) => self.steps.prepare(&received, access)?,
            // The project has been deleted since, and its counters with it.
            _ => Prepared::default(),
        };
        Ok((received, prepared))
    }

    /// Keeps a record for people to look at; all of its items end as our fault.
    fn quarantine(&self, sequence: u64, record: &[u8], error: String, batch: &mut Batch) {
        tracing::error!(sequence, error, "a record is quarantined");
        let received = Received::decode(record).ok();
        if let Some(received) = &received {
            let items = catch_unwind(AssertUnwindSafe(|| {
                let body = received.body_decoded().ok()?;
                Some(count_items(received, &body))
            }));
            let items = items
                .ok()
                .flatten()
                .unwrap_or_else(|| vec![Category::Default]);
            let internal = |category| Rejected {
                outcome: Outcome::Internal,
                category,
                quantity: 1,
            };
            if matches!(self.scopes.get(&received.project), Some(Some(_))) {
                let ended = items.iter().copied().map(internal).collect();
                count(received, &items, ended, batch);
            }
        }
        batch.quarantined.push(Quarantined {
            project: received.as_ref().map(|received| received.project),
            sequence,
            received_at: received.map_or(self.now, |received| received.received_at),
            error,
            record: record.to_vec(),
        });
    }

    fn add_gap(&self, from: u64, to: u64, batch: &mut Batch) {
        tracing::error!(from, to, "journal records are damaged or missing");
        metrics::counter!("copal_journal_damaged_records_total").increment(to - from + 1);
        batch.quarantined.push(Quarantined {
            project: None,
            sequence: to,
            received_at: self.now,
            error: format!("journal records {from} to {to} are damaged or missing"),
            record: Vec::new(),
        });
    }
}

/// The one place where items are counted, and what ended on the way becomes an outcome.
fn count(received: &Received<'_>, items: &[Category], rejected: Vec<Rejected>, batch: &mut Batch) {
    batch
        .received
        .extend(items.iter().map(|category| ReceivedCount {
            project: received.project,
            received_at: received.received_at,
            category: *category,
            quantity: 1,
        }));
    batch
        .outcomes
        .extend(rejected.into_iter().map(|rejected| OutcomeCount {
            project: received.project,
            received_at: received.received_at,
            category: rejected.category,
            outcome: rejected.outcome,
            quantity: rejected.quantity,
        }));
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("of an unknown kind")
}
