//! Projects that go, come back, and move to another organization.
//!
//! A deleted project is gone for everybody at once: nothing of it is found, its keys are unknown. For
//! [`PROJECT_GRACE_DAYS`] that can be taken back; then it is purged with all that was recorded of it.
//! Its slug stays taken until then, so that it comes back as it was.

use async_trait::async_trait;
use copal_model::limits::PROJECT_GRACE_DAYS;
use copal_model::{OrgId, Project, Timestamp};
use jiff::SignedDuration;

use crate::access::ProjectRef;
use crate::invitations::Answer;
use crate::members::{Actor, NotChanged};
use crate::{Error, OrgScope, ProjectScope, Result};

/// A project that was deleted and can still be taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletedProject {
    /// As it was.
    pub project: Project,
    /// When it was deleted.
    pub deleted_at: Timestamp,
}

impl DeletedProject {
    /// From when on it cannot be taken back.
    pub fn purged_at(&self) -> Timestamp {
        self.deleted_at + GRACE
    }
}

/// Projects that go, come back, and move.
#[async_trait]
pub trait ProjectLife: Send + Sync {
    /// Deletes a project, so that it can be taken back. What was received of it is recorded still.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound) `project` when it is deleted already.
    async fn retire_project(&self, scope: &ProjectScope, now: Timestamp) -> Result<()>;

    /// The deleted projects that can be taken back, the one deleted last first.
    async fn list_deleted_projects(&self, scope: &OrgScope) -> Result<Vec<DeletedProject>>;

    /// Takes a deletion back: everything is as it was.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound) `project` when it was not deleted, or is purged by now;
    /// [`PlanLimit`](crate::Error::PlanLimit) when the plan has no room for it any more.
    async fn restore_project(&self, scope: &OrgScope, project: &ProjectRef) -> Result<Project>;

    /// Purges projects that were deleted so long ago that nobody can take it back. Answers how many.
    async fn purge_projects(&self, now: Timestamp) -> Result<usize>;

    /// Moves a project, with all that is recorded of it, to another organization of the actor's. Its
    /// id, keys and issues stay; its slug, where it is taken there, gets a number. What the old
    /// organization has used of its plan stays used.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound) `organization` when the actor is not in the other one;
    /// [`PlanLimit`](crate::Error::PlanLimit) when its plan has no room for another project.
    async fn transfer_project(
        &self,
        scope: &ProjectScope,
        actor: Actor,
        to: OrgId,
    ) -> Result<Answer<Project, NotChanged>>;
}

/// There is no such project.
pub(crate) const NO_PROJECT: Error = Error::NotFound { what: "project" };

/// How long a deletion can be taken back.
const GRACE: SignedDuration = SignedDuration::from_hours(24 * PROJECT_GRACE_DAYS);

/// What was deleted at this time or before is purged.
pub(crate) fn purged_until(now: Timestamp) -> Timestamp {
    now - GRACE
}
