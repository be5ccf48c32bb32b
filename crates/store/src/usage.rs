//! How much of its plan an organization uses.
//!
//! Events are counted where they are recorded, in the same transaction: the count is exact, whatever
//! crashes and however many processes record.

use async_trait::async_trait;
use copal_model::{OrgId, Plan, PlanLimits, Timestamp, Usage};

use crate::record::OutcomeCount;
use crate::{Error, OrgScope, Result};

/// How much of its plan an organization uses.
#[async_trait]
pub trait UsageCounts: Send + Sync {
    /// What an organization uses of its plan, in the month of `now`.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound) `organization` when it has just been deleted.
    async fn find_usage(&self, scope: &OrgScope, now: Timestamp) -> Result<Usage>;

    /// Organizations that may not record another event in the month of `now`, sorted.
    async fn list_full(&self, now: Timestamp) -> Result<Vec<OrgId>>;

    /// Counts items that ingest refused: as received, as ended, and what was refused for want of
    /// room ([`Outcome::QUOTA`](copal_model::Outcome::QUOTA)) as such. Items of projects that are
    /// gone are not counted.
    async fn count_refused(&self, refused: Vec<OutcomeCount>) -> Result<()>;
}

/// Refuses another project in an organization whose plan allows no more.
pub(crate) fn require_plan_project(plan: Plan, limits: &PlanLimits, projects: u64) -> Result<()> {
    require_room("projects", plan, limits.projects, projects)
}

/// Refuses another member in an organization whose plan allows no more.
pub(crate) fn require_plan_member(plan: Plan, limits: &PlanLimits, members: u64) -> Result<()> {
    require_room("members", plan, limits.members, members)
}

fn require_room(what: &'static str, plan: Plan, limit: Option<u32>, used: u64) -> Result<()> {
    match limit {
        Some(limit) if used >= limit.into() => Err(Error::PlanLimit { what, plan, limit }),
        _ => Ok(()),
    }
}

/// A stored count as numbers of things are given.
pub(crate) fn narrow(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
