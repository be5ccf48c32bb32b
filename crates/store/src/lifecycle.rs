//! Organizations and accounts that become something else, go, and come back.
//!
//! A deleted organization is gone for everybody at once: nobody is let in, its keys are unknown.
//! For [`ORG_GRACE_DAYS`] an owner, or the operator, can take that back; then it is purged with all
//! that was recorded of it. Its slug stays taken until then, so that it comes back as it was.

use async_trait::async_trait;
use copal_model::limits::ORG_GRACE_DAYS;
use copal_model::policy::OrgSettings;
use copal_model::policy::membership::Departure;
use copal_model::{OrgId, Organization, Plan, Slug, Timestamp, User, UserId};
use jiff::SignedDuration;

use crate::invitations::{AddressProof, Answer};
use crate::mails::NewMail;
use crate::members::{Actor, NotChanged};
use crate::{OrgScope, Result};

/// An organization that was deleted and can still be taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletedOrganization {
    /// As it was.
    pub organization: Organization,
    /// When it was deleted.
    pub deleted_at: Timestamp,
}

impl DeletedOrganization {
    /// From when on it cannot be taken back.
    pub fn purged_at(&self) -> Timestamp {
        self.deleted_at + GRACE
    }
}

/// The personal organization of somebody whose first one becomes a team.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewHome {
    /// Made by the application (UUIDv7).
    pub id: OrgId,
    /// What it may use.
    pub plan: Plan,
}

/// Who takes a deletion back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RestoredBy {
    /// An owner.
    Owner(Actor),
    /// The operator.
    Operator,
}

/// Why an account was not deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotDeleted {
    /// Organizations with other members would be without an owner (rule D-13).
    LastOwnerOf(Vec<Organization>),
}

/// Organizations and accounts that become something else, go, and come back.
#[async_trait]
pub trait Lifecycle: Send + Sync {
    /// Turns a personal organization into a team for good. Its person gets an empty personal one,
    /// for everybody has one.
    async fn convert_organization(
        &self,
        scope: &OrgScope,
        actor: Actor,
        home: NewHome,
    ) -> Result<Answer<Organization, NotChanged>>;

    /// Deletes a shared organization. Whose default it was lands in the personal one from now on;
    /// mails about it that wait are cancelled, and `mails` are written.
    async fn delete_organization(
        &self,
        scope: &OrgScope,
        actor: Actor,
        mails: Vec<NewMail>,
    ) -> Result<Answer<(), NotChanged>>;

    /// The deleted organizations that a user could take back, the one deleted last first.
    async fn list_deleted_organizations(&self, owner: UserId) -> Result<Vec<DeletedOrganization>>;

    /// Takes a deletion back: everything is as it was, but for default organizations.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound) when it was not deleted, or is purged by now.
    async fn restore_organization(
        &self,
        scope: &OrgScope,
        by: RestoredBy,
    ) -> Result<Answer<Organization, NotChanged>>;

    /// Purges organizations that were deleted so long ago that nobody can take it back. Answers
    /// how many.
    async fn purge_organizations(&self, now: Timestamp) -> Result<usize>;

    /// The organizations that hold a user back who wants to delete their account, by name.
    async fn list_holding(&self, user: UserId, proof: AddressProof) -> Result<Vec<Organization>>;

    /// Deletes an account with the personal organization and those that nobody else is in, or
    /// changes nothing. `proof` says which owners count for those that are left.
    async fn delete_account(
        &self,
        user: UserId,
        proof: AddressProof,
        now: Timestamp,
    ) -> Result<Answer<(), NotDeleted>>;
}

impl NewHome {
    /// As an organization of `user`.
    pub(crate) fn organization(self, user: &User, slug: Slug, now: Timestamp) -> Organization {
        Organization {
            id: self.id,
            name: Organization::personal_name(&user.name),
            slug,
            plan: self.plan,
            is_personal: true,
            settings: OrgSettings::STANDARD,
            created_at: now,
        }
    }

    /// The slug that it asks for.
    pub(crate) fn wanted_slug(user: &User) -> Slug {
        Organization::wanted_slug(&Organization::personal_name(&user.name))
    }
}

/// How long a deletion can be taken back.
const GRACE: SignedDuration = SignedDuration::from_hours(24 * ORG_GRACE_DAYS);

/// What was deleted at this time or before is purged.
pub(crate) fn purged_until(now: Timestamp) -> Timestamp {
    now - GRACE
}

/// What becomes of an organization when one of its members deletes their account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It goes on without them.
    GoesOn,
    /// It goes with them.
    Goes,
    /// They must not go.
    HoldsThem,
}

/// An organization that somebody is in who deletes their account.
pub(crate) struct Leaving {
    pub(crate) departure: Departure,
    /// It was deleted and can be taken back.
    pub(crate) is_deleted: bool,
}

/// Those of the organizations that somebody is in which hold them.
pub(crate) fn holding(all: &[(Organization, Leaving)]) -> Vec<Organization> {
    let held = all
        .iter()
        .filter(|(_, leaving)| leaving.fate() == Fate::HoldsThem);
    held.map(|(org, _)| org.clone()).collect()
}

impl Leaving {
    /// What becomes of it. One that was deleted holds nobody: its last owner has let go of it.
    pub(crate) const fn fate(&self) -> Fate {
        if self.departure.is_personal || self.departure.other_members == 0 {
            return Fate::Goes;
        }
        match (self.departure.leaves_others_alone(), self.is_deleted) {
            (false, _) => Fate::GoesOn,
            (true, true) => Fate::Goes,
            (true, false) => Fate::HoldsThem,
        }
    }
}

#[cfg(test)]
mod tests {
    use copal_model::Role;

    use super::*;

    #[test]
    fn nobody_leaves_others_alone_in_what_is_not_deleted() {
        let last = Departure {
            role: Role::Owner,
            is_personal: false,
            other_owners: 0,
            other_members: 1,
        };
        let fate = |departure, is_deleted| {
            let leaving = Leaving {
                departure,
                is_deleted,
            };
            leaving.fate()
        };
        assert_eq!(fate(last, false), Fate::HoldsThem);
        assert_eq!(fate(last, true), Fate::Goes);
        for is_deleted in [false, true] {
            let alone = Departure {
                other_members: 0,
                ..last
            };
            assert_eq!(fate(alone, is_deleted), Fate::Goes);
            let personal = Departure {
                is_personal: true,
                ..last
            };
            assert_eq!(fate(personal, is_deleted), Fate::Goes);
            let one_of_two = Departure {
                other_owners: 1,
                ..last
            };
            assert_eq!(fate(one_of_two, is_deleted), Fate::GoesOn);
            let member = Departure {
                role: Role::Member,
                ..last
            };
            assert_eq!(fate(member, is_deleted), Fate::GoesOn);
        }
    }
}
