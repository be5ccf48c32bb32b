//! Issues as pages and the API read and triage them.

pub(crate) mod filter;
pub(crate) mod list;

use async_trait::async_trait;
use copal_model::search::Query;
use copal_model::{Issue, IssueId, ProjectId, Timestamp};

use crate::access::IssueRef;
use crate::{OrgScope, Page, PageRequest, ProjectScope, Result};

/// Which issues are wanted, and in which order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IssueQuery {
    /// All terms must hold.
    pub query: Query,
    /// Only these projects; empty = all of the organization's.
    pub projects: Vec<ProjectId>,
    /// Only issues with an event in this environment.
    pub environment: Option<String>,
    /// Only issues seen at or after this time.
    pub seen_since: Option<Timestamp>,
    /// The order.
    pub sort: IssueSort,
}

/// Orders of a list of issues, each from the highest down.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum IssueSort {
    /// By the latest event.
    #[default]
    LastSeen,
    /// By the earliest event.
    FirstSeen,
    /// By the number of events.
    Events,
    /// By the number of users.
    Users,
}

/// Events of an issue in one hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HourCount {
    /// Start of the hour.
    pub hour: Timestamp,
    /// Events that happened in it, by the client's clock as corrected on the way in.
    pub events: u64,
}

/// A tag key of an issue and its most frequent values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagSummary {
    /// The key.
    pub key: String,
    /// Events that have the key.
    pub total: u64,
    /// Values with their number of events, most frequent first; `(other)` stands for the rest
    /// beyond the limit of distinct values.
    pub values: Vec<(String, u64)>,
}

impl TagSummary {
    /// A key with the values that are listed first, and events beyond the limit of values.
    pub(crate) fn new(key: String, total: u64, mut values: Vec<(String, u64)>, other: u64) -> Self {
        if other > 0 {
            values.push(("(other)".to_owned(), other));
        }
        Self { key, total, values }
    }
}

/// How many issues have each status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StatusCounts {
    /// Open issues.
    pub open: u64,
    /// Resolved issues.
    pub resolved: u64,
    /// Ignored issues.
    pub ignored: u64,
}

/// Issues as pages and the API read and triage them.
#[async_trait]
pub trait Issues: Send + Sync {
    /// The organization's issues that match.
    async fn list_issues(
        &self,
        scope: &OrgScope,
        query: &IssueQuery,
        page: &PageRequest,
    ) -> Result<Page<Issue>>;

    /// An issue of the organization and the scope of its project; `None` when foreign or missing.
    async fn find_issue(
        &self,
        scope: &OrgScope,
        issue: &IssueRef,
    ) -> Result<Option<(ProjectScope, Issue)>>;

    /// How many issues of the organization have each status.
    async fn count_issues(&self, scope: &OrgScope) -> Result<StatusCounts>;

    /// Deletes an issue with its events. Its hashes are forgotten: an equal event makes a new one.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound) when the project has no such issue.
    async fn delete_issue(&self, scope: &ProjectScope, issue: IssueId) -> Result<()>;

    /// Events of issues by the hour in which they happened, from that of `since` on, oldest first,
    /// hours without events left out. Issues of other organizations are left out too.
    async fn list_trends(
        &self,
        scope: &OrgScope,
        issues: &[IssueId],
        since: Timestamp,
    ) -> Result<Vec<(IssueId, Vec<HourCount>)>>;

    /// Tag keys with their most frequent `values` values each, keys in alphabetical order.
    async fn list_issue_tags(
        &self,
        scope: &ProjectScope,
        issue: IssueId,
        values: usize,
    ) -> Result<Vec<TagSummary>>;
}
