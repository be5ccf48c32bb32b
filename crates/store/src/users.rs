//! People and their accounts.

use async_trait::async_trait;
use copal_model::{Email, Member, OrgId, Organization, Plan, Timestamp, User, UserId};

use crate::Result;

/// A person who signs up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUser {
    /// Made by the application (UUIDv7).
    pub id: UserId,
    /// Unique.
    pub email: Email,
    /// As the person writes it.
    pub name: String,
    /// Argon2id, PHC format.
    pub password_hash: String,
    /// Id of the personal organization (UUIDv7).
    pub org_id: OrgId,
    /// Plan of the personal organization.
    pub plan: Plan,
    /// Whether it is known already that they read mail sent to the address.
    pub is_verified: bool,
    /// When.
    pub now: Timestamp,
}

/// What signing up made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedUp {
    /// The person.
    pub user: User,
    /// "Ana's Workspace".
    pub organization: Organization,
    /// The person's `OWNER` membership.
    pub member: Member,
}

/// What logging in compares with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginRecord {
    /// The person.
    pub user: User,
    /// Argon2id, PHC format.
    pub password_hash: String,
}

/// A change to the own account; `None` leaves as is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserPatch {
    /// The new name.
    pub name: Option<String>,
    /// The new default organization; the user must be a member.
    pub default_org: Option<OrgId>,
}

/// People and their accounts.
#[async_trait]
pub trait Users: Send + Sync {
    /// Makes a user, the personal organization and the `OWNER` membership in one transaction. The
    /// first user of all becomes instance administrator. The slug comes from the organization's
    /// name and is told apart by a number where taken.
    ///
    /// # Errors
    /// [`Conflict`](crate::Error::Conflict) `email` when the address has an account.
    async fn sign_up(&self, user: NewUser) -> Result<SignedUp>;

    /// How many users there are; 0 means that the first may sign up whatever the mode.
    async fn count_users(&self) -> Result<u64>;

    /// The account of an address.
    async fn find_login(&self, email: &Email) -> Result<Option<LoginRecord>>;

    /// Changes a user; answers the new state.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound) `organization` when the default is not one of theirs.
    async fn update_user(&self, user: UserId, patch: UserPatch) -> Result<User>;
}
