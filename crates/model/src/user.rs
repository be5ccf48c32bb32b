//! People.

use crate::{Email, OrgId, Timestamp, UserId};

/// A person, across all organizations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Identifies the user.
    pub id: UserId,
    /// Unique among users.
    pub email: Email,
    /// As the person writes it.
    pub name: String,
    /// Where the person lands after logging in.
    pub default_org: OrgId,
    /// May administer the whole instance; the first user is.
    pub is_instance_admin: bool,
    /// Has proved to read mail that is sent to the address. Where no mail can be sent, everybody
    /// counts as if they had.
    pub is_verified: bool,
    /// When the account was made.
    pub created_at: Timestamp,
}
