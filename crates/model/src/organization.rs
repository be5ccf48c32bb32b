//! Organizations: the tenants, and the boundary of billing.

use std::fmt;
use std::str::FromStr;

use crate::limits::ORG_NAME_CHARS_MAX;
use crate::policy::OrgSettings;
use crate::{OrgId, Slug, Timestamp};

/// A tenant: everything else belongs to one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Identifies the organization.
    pub id: OrgId,
    /// As people write it.
    pub name: String,
    /// Its name in URLs, unique among organizations.
    pub slug: Slug,
    /// What it may use.
    pub plan: Plan,
    /// Made with its user's account, and that user's alone (rule D-5).
    pub is_personal: bool,
    /// What it allows its members.
    pub settings: OrgSettings,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Organization {
    /// The name of a person's own organization, within the limit of names: `Ana's Workspace`.
    pub fn personal_name(user_name: &str) -> String {
        const SUFFIX: &str = "'s Workspace";
        let room = ORG_NAME_CHARS_MAX - SUFFIX.len();
        let user_name: String = user_name.chars().take(room).collect();
        format!("{}{SUFFIX}", user_name.trim_end())
    }

    /// The slug that a name asks for; where it is taken, a number tells them apart.
    pub fn wanted_slug(name: &str) -> Slug {
        Slug::from_name(name, "org")
    }
}

/// What an organization may use. The limits behind it are configuration
/// ([`Plans`](crate::Plans)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Plan {
    /// The default.
    Free,
    /// Larger limits.
    Pro,
    /// No limits but those of the machine.
    Enterprise,
}

/// A text that names no plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a plan is FREE, PRO or ENTERPRISE")]
pub struct InvalidPlan;

impl Plan {
    /// All plans, from small to large.
    pub const ALL: [Self; 3] = [Self::Free, Self::Pro, Self::Enterprise];

    /// The name on the wire and in storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Free => "FREE",
            Self::Pro => "PRO",
            Self::Enterprise => "ENTERPRISE",
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Plan {
    type Err = InvalidPlan;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "FREE" => Ok(Self::Free),
            "PRO" => Ok(Self::Pro),
            "ENTERPRISE" => Ok(Self::Enterprise),
            _ => Err(InvalidPlan),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn personal_name_stays_within_the_limit() {
        assert_eq!(Organization::personal_name("Ana"), "Ana's Workspace");
        let long = Organization::personal_name(&"ü".repeat(ORG_NAME_CHARS_MAX));
        assert_eq!(long.chars().count(), ORG_NAME_CHARS_MAX);
        assert!(long.ends_with("ü's Workspace"));
    }
}
