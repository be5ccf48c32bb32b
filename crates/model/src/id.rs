//! Identifiers. Each noun has a type of its own, so that one can never be passed for another.
//!
//! People and organizations have UUIDs (version 7, made by the application). Projects have small
//! positive integers, because SDKs parse them as such (SDK DSN spec). An issue's identifier packs
//! its project and its number within it, so that it sorts by project and costs eight bytes.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

/// A text that is not the identifier it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {what} id")]
pub struct ParseIdError {
    what: &'static str,
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps a UUID that the application made.
            pub const fn new(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID itself, for storage.
            pub const fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self).map_err(|_| ParseIdError { what: $what })
            }
        }
    };
}

uuid_id!(
    /// Identifies a [`User`](crate::User).
    UserId,
    "user"
);
uuid_id!(
    /// Identifies an [`Organization`](crate::Organization).
    OrgId,
    "organization"
);
uuid_id!(
    /// Identifies a personal API token.
    TokenId,
    "token"
);
uuid_id!(
    /// Identifies a [`ClientKey`](crate::ClientKey).
    KeyId,
    "key"
);
uuid_id!(
    /// Identifies a [`Mail`](crate::mail::Mail).
    MailId,
    "mail"
);
uuid_id!(
    /// Identifies an [`AuditEntry`](crate::AuditEntry).
    AuditId,
    "audit entry"
);
uuid_id!(
    /// Identifies an [`Invitation`](crate::Invitation).
    InvitationId,
    "invitation"
);

/// Identifies a [`Project`](crate::Project): a small positive integer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProjectId(u32);

impl ProjectId {
    /// The largest project id; with it every [`IssueId`] fits a signed 64-bit integer.
    pub const MAX: u32 = i32::MAX as u32;

    /// Makes a project id.
    ///
    /// # Errors
    /// When `value` is not in `1..=2_147_483_647`.
    pub const fn new(value: u32) -> Result<Self, ParseIdError> {
        if value == 0 || value > Self::MAX {
            return Err(ParseIdError { what: "project" });
        }
        Ok(Self(value))
    }

    /// The number itself.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl fmt::Display for ProjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for ProjectId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(ParseIdError { what: "project" });
        }
        text.parse()
            .map_err(|_| ParseIdError { what: "project" })
            .and_then(Self::new)
    }
}

/// Identifies an [`Issue`](crate::Issue): its project and its number within the project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IssueId {
    project: ProjectId,
    number: u32,
}

impl IssueId {
    /// The `number`-th issue (from 1) of `project`.
    pub const fn new(project: ProjectId, number: u32) -> Self {
        Self { project, number }
    }

    /// The project that owns the issue.
    pub const fn project(self) -> ProjectId {
        self.project
    }

    /// The issue's number within its project; the one in its short id.
    pub const fn number(self) -> u32 {
        self.number
    }

    /// Project in the high half, number in the low half: the stored form.
    pub const fn to_i64(self) -> i64 {
        ((self.project.0 as i64) << 32) | self.number as i64
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// When the high half is not a project id.
    pub const fn from_i64(packed: i64) -> Result<Self, ParseIdError> {
        #[expect(
            clippy::cast_sign_loss,
            clippy::cast_possible_truncation,
            reason = "takes halves"
        )]
        let (high, low) = ((packed as u64 >> 32) as u32, packed as u32);
        match ProjectId::new(high) {
            Ok(project) => Ok(Self {
                project,
                number: low,
            }),
            Err(_) => Err(ParseIdError { what: "issue" }),
        }
    }
}

impl fmt::Display for IssueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_i64().fmt(f)
    }
}

impl FromStr for IssueId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(ParseIdError { what: "issue" });
        }
        text.parse()
            .map_err(|_| ParseIdError { what: "issue" })
            .and_then(Self::from_i64)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn project_id_has_edges() {
        assert!("0".parse::<ProjectId>().is_err());
        assert!("+1".parse::<ProjectId>().is_err());
        assert!("".parse::<ProjectId>().is_err());
        assert_eq!(
            "2147483647".parse::<ProjectId>().unwrap().get(),
            ProjectId::MAX
        );
        assert!("2147483648".parse::<ProjectId>().is_err());
    }

    proptest! {
        #[test]
        fn issue_id_survives_text_and_storage(project in 1..=ProjectId::MAX, number: u32) {
            let id = IssueId::new(ProjectId::new(project).unwrap(), number);
            prop_assert_eq!(IssueId::from_i64(id.to_i64()).unwrap(), id);
            prop_assert_eq!(id.to_string().parse::<IssueId>().unwrap(), id);
        }
    }
}
