//! Events: single occurrences, immutable.

use std::fmt;

use copal_protocol::EventId;

use crate::{IssueId, Timestamp};

/// One row of an event list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventSummary {
    /// The id the SDK gave it, unique in its project.
    pub event_id: EventId,
    /// The issue it is counted in.
    pub issue_id: IssueId,
    /// What happened, in one line.
    pub title: String,
    /// When, by the SDK's clock (drift corrected).
    pub occurred_at: Timestamp,
    /// When Copal received it.
    pub received_at: Timestamp,
    /// The version that ran.
    pub release: Option<String>,
    /// Where it ran.
    pub environment: Option<String>,
}

/// Which attribute of the user identifies them; kinds never merge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UserIdentityKind {
    /// `user.id`.
    Id,
    /// `user.username`.
    Username,
    /// `user.email`.
    Email,
    /// `user.ip_address`.
    Ip,
}

impl UserIdentityKind {
    /// The prefix in the `user` tag and in storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Username => "username",
            Self::Email => "email",
            Self::Ip => "ip",
        }
    }
}

/// Who was affected: the first of id, username, e-mail, IP address that is given.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserIdentity {
    /// Which attribute.
    pub kind: UserIdentityKind,
    /// Its value.
    pub value: String,
}

impl fmt::Display for UserIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.as_str(), self.value)
    }
}
