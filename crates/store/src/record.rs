//! The pipeline's one write: a batch of events and the journal position, in one transaction.

pub(crate) mod assign;
pub(crate) mod bundle;
pub(crate) mod frames;
pub(crate) mod outcomes;
pub(crate) mod plan;
pub(crate) mod quota;
pub(crate) mod tags;
pub(crate) mod texts;

use async_trait::async_trait;
use copal_model::{Category, IssueId, Level, Outcome, ProjectId, Timestamp, UserIdentity};
use copal_protocol::EventId;
use uuid::Uuid;

use crate::{ProjectScope, Result};
use assign::Fate;

/// Identifies a journal: the folder's own UUID, so that several nodes can share one store.
pub type JournalId = Uuid;

/// The stored form of a fingerprint: MD5 over the contributing values, as Sentry's.
pub type GroupHash = [u8; 16];

/// All that one step of the pipeline writes.
#[derive(Debug, Default)]
pub struct Batch {
    /// The journal that the batch comes from.
    pub journal: JournalId,
    /// The sequence of the last journal record that the batch covers, that is, the position that
    /// the journal may forget up to once the batch is recorded.
    pub position: u64,
    /// Events to record. The store drops those whose id the project has had within the
    /// deduplication window (today's and yesterday's partitions), and those whose project is gone.
    pub events: Vec<NewEvent>,
    /// All items that the batch's records held, counted before anything became of them. Each ends in
    /// exactly one outcome, which `fsck` compares.
    pub received: Vec<ReceivedCount>,
    /// Outcomes of everything but `events`, whose outcomes the store decides: accepted, or invalid
    /// (`duplicate`), or limited (`quota`).
    pub outcomes: Vec<OutcomeCount>,
    /// Records that could not be processed.
    pub quarantined: Vec<Quarantined>,
}

/// An event to record.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// Where it goes.
    pub scope: ProjectScope,
    /// Retention class, in days.
    pub retention_days: u16,
    /// Unique in the project.
    pub event_id: EventId,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// When ingest received it; decides the partition.
    pub received_at: Timestamp,
    /// Normalised, scrubbed event JSON.
    pub payload: Vec<u8>,
    /// How it was grouped.
    pub grouping: NewGrouping,
    /// What a new issue would look like.
    pub issue: IssueSeed,
    /// Severity.
    pub level: Level,
    /// Who was affected.
    pub user: Option<UserIdentity>,
    /// The version that ran.
    pub release: Option<String>,
    /// Where it ran.
    pub environment: Option<String>,
    /// Tags, unique by key; `release`, `environment`, `level`, `user`, `url` among them.
    pub tags: Vec<(String, String)>,
}

/// How an event was grouped.
#[derive(Debug, Clone)]
pub struct NewGrouping {
    /// Version of the algorithm, such as `copal-1`.
    pub version: &'static str,
    /// Hashes of all contributing variants, the deciding one first. The event joins the issue of
    /// the first that exists; a new issue owns them all.
    pub hashes: Vec<GroupHash>,
    /// Variants, hashes and reasons as JSON, for people.
    pub explanation: Vec<u8>,
}

/// What the first event of an issue gives it.
#[derive(Debug, Clone)]
pub struct IssueSeed {
    /// What happens, in one line.
    pub title: String,
    /// The exception's type.
    pub error_type: Option<String>,
    /// The place blamed.
    pub culprit: String,
    /// The SDK platform.
    pub platform: String,
    /// Terms of the stack to search by: (`stack.function`, name) and so on; counted like tags but
    /// only when the issue is made.
    pub search_terms: Vec<(&'static str, String)>,
}

/// How many items of a project were received, in the hour of `received_at`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedCount {
    /// The project.
    pub project: ProjectId,
    /// When the items were received.
    pub received_at: Timestamp,
    /// What they are.
    pub category: Category,
    /// How many.
    pub quantity: u64,
}

/// How many items of a project ended how, in the hour of `received_at`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutcomeCount {
    /// The project.
    pub project: ProjectId,
    /// When the items were received.
    pub received_at: Timestamp,
    /// What they are.
    pub category: Category,
    /// How they ended.
    pub outcome: Outcome,
    /// How many.
    pub quantity: u64,
}

/// A journal record that could not be processed in three tries. It is kept for people to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    /// The project, where the record could be read so far.
    pub project: Option<ProjectId>,
    /// Its place in the journal.
    pub sequence: u64,
    /// When it was received, or when it was found where that is unknown.
    pub received_at: Timestamp,
    /// What went wrong in the last try.
    pub error: String,
    /// The record's bytes.
    pub record: Vec<u8>,
}

/// What became of a batch, events in the order given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recorded {
    /// One for each event.
    pub events: Vec<RecordedEvent>,
}

impl Recorded {
    /// By what was decided.
    pub(crate) fn of(batch: &Batch, fates: &[Fate]) -> Self {
        let events = std::iter::zip(&batch.events, fates).map(|(event, fate)| match fate {
            Fate::Kept(kept) => RecordedEvent::of(event, Some(kept.issue), kept.disposition),
            Fate::Duplicate => RecordedEvent::of(event, None, Disposition::Duplicate),
            Fate::OverQuota => RecordedEvent::of(event, None, Disposition::OverQuota),
            Fate::ProjectGone => RecordedEvent::of(event, None, Disposition::ProjectGone),
        });
        Self {
            events: events.collect(),
        }
    }

    /// Of a batch that has been recorded before.
    pub(crate) fn before(batch: &Batch) -> Self {
        let events = batch.events.iter();
        let events = events.map(|event| RecordedEvent::of(event, None, Disposition::Duplicate));
        Self {
            events: events.collect(),
        }
    }

    /// How many events it stored.
    pub(crate) fn stored(&self) -> u64 {
        let stored = self.events.iter().filter(|event| event.issue.is_some());
        stored.count() as u64
    }
}

/// What became of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedEvent {
    /// The project.
    pub project: ProjectId,
    /// The event.
    pub event_id: EventId,
    /// The issue that it is counted in; of a duplicate: `None`.
    pub issue: Option<IssueId>,
    /// How.
    pub disposition: Disposition,
}

impl RecordedEvent {
    fn of(event: &NewEvent, issue: Option<IssueId>, disposition: Disposition) -> Self {
        Self {
            project: event.scope.project(),
            event_id: event.event_id,
            issue,
            disposition,
        }
    }
}

/// How an event was taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// It made a new issue.
    New,
    /// It reopened a resolved issue.
    Regressed,
    /// It joined an issue.
    Joined,
    /// It was there already: neither stored nor counted.
    Duplicate,
    /// The plan of its organization had no room left in the month: not stored, counted as refused.
    OverQuota,
    /// Its project has been deleted since it was received, and its counters with it: neither
    /// stored nor counted.
    ProjectGone,
}

/// The pipeline's one write.
#[async_trait]
pub trait Recorder: Send + Sync {
    /// Records a batch: dedupe, events, issues, counters, users, tags, outcomes, quarantine and the
    /// journal position, all or nothing. Recording the same batch again changes nothing: a batch
    /// whose position is not beyond the stored one is answered without a write.
    ///
    /// # Errors
    /// [`Disk`](crate::Error::Disk) when a write or fsync failed: stop acknowledging.
    async fn record(&self, batch: Batch) -> Result<Recorded>;

    /// The position of the last recorded batch of a journal; `None` when there was none.
    async fn journal_position(&self, journal: JournalId) -> Result<Option<u64>>;
}
