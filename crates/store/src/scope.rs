//! Scopes: proof that an access lookup has let the caller in. Tenancy is a type.
//!
//! A scope cannot be made outside this crate, and inside it only by the engines' `access` modules
//! (a tidy test checks that). Every method on tenant data takes one as its first argument.

use copal_model::{OrgId, ProjectId};

/// Leave to read and write one organization's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OrgScope {
    org: OrgId,
}

/// Leave to read and write one project's telemetry: issues, events, counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ProjectScope {
    org: OrgId,
    project: ProjectId,
}

impl OrgScope {
    /// For the engines' `access` modules only.
    pub(crate) const fn granted(org: OrgId) -> Self {
        Self { org }
    }

    /// The organization.
    pub const fn org(&self) -> OrgId {
        self.org
    }

    /// Narrows to a project that the engine has just found to belong to this organization.
    pub(crate) const fn project(self, project: ProjectId) -> ProjectScope {
        ProjectScope {
            org: self.org,
            project,
        }
    }
}

impl ProjectScope {
    /// The project.
    pub const fn project(&self) -> ProjectId {
        self.project
    }

    /// The organization that the project belongs to.
    pub const fn org(&self) -> OrgId {
        self.org
    }

    /// The scope of the whole organization.
    pub const fn org_scope(&self) -> OrgScope {
        OrgScope { org: self.org }
    }
}
