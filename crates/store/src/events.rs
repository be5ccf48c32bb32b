//! Stored events, and the way from one to the next.

pub(crate) mod row;

use async_trait::async_trait;
use copal_model::{EventSummary, IssueId};
use copal_protocol::EventId;

use crate::{Page, PageRequest, ProjectScope, Result};

/// A stored event with what was sent, normalised and scrubbed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its row.
    pub summary: EventSummary,
    /// Normalised, scrubbed event JSON.
    pub payload: Vec<u8>,
    /// How it was grouped, as JSON: version, variants, hashes, reasons.
    pub grouping: Vec<u8>,
}

/// Which stored event of an issue is wanted. Stored events are ordered by when they were received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventPick {
    /// The one received last.
    Latest,
    /// The one received first, of those still stored.
    Oldest,
    /// This one.
    Id(EventId),
}

/// A stored event within its issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventInIssue {
    /// The event.
    pub event: StoredEvent,
    /// The one received before it.
    pub previous: Option<EventId>,
    /// The one received after it.
    pub next: Option<EventId>,
    /// Its place among the stored events of the issue, from 1, oldest first.
    pub number: u64,
    /// How many events of the issue are stored (not: counted).
    pub stored: u64,
}

/// Stored events.
#[async_trait]
pub trait Events: Send + Sync {
    /// Stored events of an issue, received last first.
    async fn list_events(
        &self,
        scope: &ProjectScope,
        issue: IssueId,
        page: &PageRequest,
    ) -> Result<Page<EventSummary>>;

    /// A stored event of the project.
    async fn find_event(&self, scope: &ProjectScope, event: EventId)
    -> Result<Option<StoredEvent>>;

    /// A stored event of an issue and its place there; `None` when the issue has no such event.
    async fn find_event_in_issue(
        &self,
        scope: &ProjectScope,
        issue: IssueId,
        pick: EventPick,
    ) -> Result<Option<EventInIssue>>;
}
