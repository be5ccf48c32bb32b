//! Triage of many issues at once, and taking it back.

use std::collections::HashSet;

use async_trait::async_trait;
use copal_model::{IssueId, IssueStatus};

use crate::access::IssueRef;
use crate::{OrgScope, Result};

/// What a person changed about one issue: all that taking it back needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusChange {
    /// The issue.
    pub issue: IssueId,
    /// Its status before.
    pub before: IssueStatus,
    /// Whether it was marked as regressed before.
    pub was_regressed: bool,
    /// The status that it was given.
    pub after: IssueStatus,
}

/// Changes by the places of issues that were named, each once, in the order in which they were.
pub(crate) fn each_once<P: Ord>(mut changes: Vec<(P, StatusChange)>) -> Vec<StatusChange> {
    changes.sort_by(|(one, _), (other, _)| one.cmp(other));
    let mut seen = HashSet::new();
    let changes = changes.into_iter().map(|(_, change)| change);
    changes.filter(|change| seen.insert(change.issue)).collect()
}

/// Triage of many issues at once, and taking it back.
#[async_trait]
pub trait Triage: Send + Sync {
    /// Sets the status of those of `issues` that are the organization's, all in one transaction.
    /// Answers what changed, in their order; each issue counts once, however often it is named.
    async fn set_issue_statuses(
        &self,
        scope: &OrgScope,
        issues: &[IssueRef],
        status: IssueStatus,
    ) -> Result<Vec<StatusChange>>;

    /// Takes changes back in one transaction, where the issue still has the status that it was
    /// given: what somebody did since stays. Answers how many were taken back.
    async fn undo_issue_statuses(
        &self,
        scope: &OrgScope,
        changes: &[StatusChange],
    ) -> Result<usize>;
}
