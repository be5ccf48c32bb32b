//! The audit log of an organization: who did, or tried to do, what matters.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::{AuditId, Timestamp, UserId};

/// One line of an audit log. It is written once and never changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Identifies the line; later ones sort after earlier ones.
    pub id: AuditId,
    /// When.
    pub at: Timestamp,
    /// Who, if it was a person.
    pub actor: Option<UserId>,
    /// Their name at that time, or what else acted: a token of the organization, the operator.
    pub actor_name: String,
    /// By which credential: `session:…`, `token:…`, `org-token:…`; empty where there was none.
    pub credential: String,
    /// From where.
    pub ip: Option<IpAddr>,
    /// The request, as the server's log names it; empty outside of one.
    pub request_id: String,
    /// What, as the policy names it: `DeleteProject`.
    pub action: String,
    /// What it was done to.
    pub target: String,
    /// Whether it was done.
    pub result: AuditResult,
    /// What was before, where that says something.
    pub before: Option<String>,
    /// What is now.
    pub after: Option<String>,
}

/// Whether something was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AuditResult {
    /// It was.
    Allowed,
    /// The role or the credential did not reach so far.
    Denied,
}

/// A text that names no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a result is ALLOWED or DENIED")]
pub struct InvalidAuditResult;

impl AuditResult {
    /// The name on the wire and in storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "ALLOWED",
            Self::Denied => "DENIED",
        }
    }
}

impl fmt::Display for AuditResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for AuditResult {
    type Err = InvalidAuditResult;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "ALLOWED" => Ok(Self::Allowed),
            "DENIED" => Ok(Self::Denied),
            _ => Err(InvalidAuditResult),
        }
    }
}
