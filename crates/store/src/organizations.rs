//! Organizations and who is in them.

use async_trait::async_trait;
use copal_model::policy::OrgSetting;
use copal_model::{Member, OrgId, Organization, Plan, Role, Slug, Timestamp, UserId};

use crate::{Error, OrgScope, Result};

/// A shared organization to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOrganization {
    /// Made by the application (UUIDv7).
    pub id: OrgId,
    /// As people write it; the slug comes from it.
    pub name: String,
    /// What it may use.
    pub plan: Plan,
    /// Becomes `OWNER`.
    pub owner: UserId,
    /// When.
    pub now: Timestamp,
}

/// A change to an organization; `None` leaves as is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrganizationPatch {
    /// The new name.
    pub name: Option<String>,
    /// The new slug.
    pub slug: Option<Slug>,
    /// The new plan.
    pub plan: Option<Plan>,
    /// What it allows its members from now on, or does not.
    pub settings: Vec<(OrgSetting, bool)>,
}

impl OrganizationPatch {
    /// Whether a setting is to be on; `None` leaves it as it is.
    pub(crate) fn wants(&self, setting: OrgSetting) -> Option<bool> {
        let mut named = self.settings.iter().rev();
        named
            .find(|(one, _)| *one == setting)
            .map(|(_, is_on)| *is_on)
    }
}

/// Organizations and who is in them.
#[async_trait]
pub trait Organizations: Send + Sync {
    /// Makes a shared organization and its owner's membership in one transaction. The slug comes
    /// from the name and is told apart by a number where taken.
    async fn create_organization(&self, organization: NewOrganization) -> Result<Organization>;

    /// The organizations that a user is in, with their role, personal first, then by name.
    async fn list_organizations(&self, user: UserId) -> Result<Vec<(Organization, Role)>>;

    /// Changes an organization; answers the new state. The slug that it had before leads to it
    /// still, for its members: see [`Access::open_renamed_org`](crate::access::Access).
    ///
    /// # Errors
    /// [`Conflict`](crate::Error::Conflict) `slug` when another organization has it.
    async fn update_organization(
        &self,
        scope: &OrgScope,
        patch: OrganizationPatch,
    ) -> Result<Organization>;

    /// The members, by role and name.
    async fn list_members(&self, scope: &OrgScope) -> Result<Vec<Member>>;
}

/// The organization is not there, or has just been deleted.
pub(crate) const GONE: Error = Error::NotFound {
    what: "organization",
};
