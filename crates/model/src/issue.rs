//! Issues: all events that were grouped as one error.

use std::fmt;
use std::str::FromStr;

use crate::{IssueId, Slug, Timestamp};

/// All events grouped as one error, and their counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// Identifies the issue.
    pub id: IssueId,
    /// Readable id, `SHOP-12`.
    pub short_id: ShortId,
    /// The deciding hash of the first event, 32 hexadecimal digits.
    pub fingerprint: String,
    /// What happens, in one line.
    pub title: String,
    /// The exception's type, where the title has one; the rest of the title is its value.
    pub error_type: Option<String>,
    /// The place blamed, in one line; may be empty.
    pub culprit: String,
    /// Severity of the last event.
    pub level: Level,
    /// The SDK platform of the first event.
    pub platform: String,
    /// Where people have got to with it.
    pub status: IssueStatus,
    /// It came back after it had been resolved, and is open since.
    pub is_regressed: bool,
    /// All accepted events, also those that retention has dropped.
    pub events_count: u64,
    /// Distinct users by identity, over all accepted events.
    pub users_affected: u64,
    /// When the earliest event occurred.
    pub first_seen: Timestamp,
    /// When the latest event occurred.
    pub last_seen: Timestamp,
    /// Release of the first event.
    pub first_release: Option<String>,
    /// Release of the last event.
    pub last_release: Option<String>,
}

/// Where people have got to with an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IssueStatus {
    /// To be looked at.
    Open,
    /// Mended; the next event reopens it.
    Resolved,
    /// Not to be looked at; events count silently.
    Ignored,
}

/// A text that names no status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a status is OPEN, RESOLVED or IGNORED")]
pub struct InvalidStatus;

impl IssueStatus {
    /// The name on the wire and in storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Resolved => "RESOLVED",
            Self::Ignored => "IGNORED",
        }
    }
}

impl fmt::Display for IssueStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for IssueStatus {
    type Err = InvalidStatus;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "OPEN" => Ok(Self::Open),
            "RESOLVED" => Ok(Self::Resolved),
            "IGNORED" => Ok(Self::Ignored),
            _ => Err(InvalidStatus),
        }
    }
}

/// Severity, as the SDK sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Of use to developers.
    Debug,
    /// Nothing wrong.
    Info,
    /// May become wrong.
    Warning,
    /// Went wrong.
    Error,
    /// Ended the program.
    Fatal,
}

/// A text that names no level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a level is fatal, error, warning, info or debug")]
pub struct InvalidLevel;

impl Level {
    /// The name in event JSON and in tags.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Fatal => "fatal",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Level {
    type Err = InvalidLevel;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "debug" => Ok(Self::Debug),
            "info" => Ok(Self::Info),
            "warning" => Ok(Self::Warning),
            "error" => Ok(Self::Error),
            "fatal" => Ok(Self::Fatal),
            _ => Err(InvalidLevel),
        }
    }
}

/// A readable issue id: the project's slug in capitals and the issue's number, `SHOP-12`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShortId {
    project: Slug,
    number: u32,
}

/// A text that is no short id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a short id is a project's slug and a number, such as SHOP-12")]
pub struct InvalidShortId;

impl ShortId {
    /// The `number`-th issue of the project called `project`.
    pub const fn new(project: Slug, number: u32) -> Self {
        Self { project, number }
    }

    /// The project's slug.
    pub const fn project(&self) -> &Slug {
        &self.project
    }

    /// The issue's number within the project.
    pub const fn number(&self) -> u32 {
        self.number
    }
}

impl fmt::Display for ShortId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}-{}",
            self.project.as_str().to_ascii_uppercase(),
            self.number
        )
    }
}

impl FromStr for ShortId {
    type Err = InvalidShortId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (project, number) = text.rsplit_once('-').ok_or(InvalidShortId)?;
        let project = Slug::parse(&project.to_ascii_lowercase()).map_err(|_| InvalidShortId)?;
        if number.starts_with('0') || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(InvalidShortId);
        }
        Ok(Self {
            project,
            number: number.parse().map_err(|_| InvalidShortId)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_id_reads_back() {
        let id: ShortId = "my-shop-2-12".parse().unwrap();
        assert_eq!((id.project().as_str(), id.number()), ("my-shop-2", 12));
        assert_eq!(id.to_string(), "MY-SHOP-2-12");
        for text in [
            "SHOP", "SHOP-", "SHOP-0", "SHOP-01", "12-3", "-3", "SHOP--1",
        ] {
            assert!(text.parse::<ShortId>().is_err(), "{text}");
        }
    }
}
