//! Membership: a user in an organization, and what they may do there.

use std::fmt;
use std::str::FromStr;

use crate::{Email, OrgId, Timestamp, UserId};

/// A user in an organization (`OrganizationMember` in the data model).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The organization.
    pub org_id: OrgId,
    /// The person; with the organization it identifies the membership.
    pub user_id: UserId,
    /// What they may do.
    pub role: Role,
    /// The person's name.
    pub name: String,
    /// The person's address.
    pub email: Email,
    /// Since when.
    pub joined_at: Timestamp,
}

/// What a member may do; the order is the rank of rule D-1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Reads.
    Viewer,
    /// Works issues off.
    Member,
    /// Manages projects and people, but no owner.
    Admin,
    /// Everything.
    Owner,
}

/// A text that names no role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a role is OWNER, ADMIN, MEMBER or VIEWER")]
pub struct InvalidRole;

impl Role {
    /// All roles, highest first.
    pub const ALL: [Self; 4] = [Self::Owner, Self::Admin, Self::Member, Self::Viewer];

    /// The name on the wire and in storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "OWNER",
            Self::Admin => "ADMIN",
            Self::Member => "MEMBER",
            Self::Viewer => "VIEWER",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = InvalidRole;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or(InvalidRole)
    }
}
