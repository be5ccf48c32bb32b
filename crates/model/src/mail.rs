//! Mails: what they are about, what became of them, and the secrets in their links.
//!
//! A letter is written when its cause happens and sent some time later, so it is stored in between.
//! The secret of its link is not: where it will stand there is a mark, and the secret itself is
//! made when the letter is sent. Whoever reads stored letters can open nothing with them.

use std::fmt;
use std::str::FromStr;

use crate::{Email, MailId, OrgId, Timestamp};

/// Stands in a letter for the secret of its link. A control character, which no name may hold
/// (see [`name`](crate::name)): nobody can bring the secret into a place of their own.
pub const SECRET_MARK: char = '\u{1a}';

/// A mail's subject and its two bodies, which say the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// One line.
    pub subject: String,
    /// The body for those who read text.
    pub text: String,
    /// The body for those who read HTML.
    pub html: String,
}

impl Letter {
    /// Whether there is a link in it whose secret is still to be made.
    pub fn has_link(&self) -> bool {
        self.text.contains(SECRET_MARK)
    }

    /// The letter with `secret` (of characters that need no escape in a URL) in its links.
    #[must_use]
    pub fn with_secret(&self, secret: &str) -> Self {
        Self {
            subject: self.subject.clone(),
            text: self.text.replace(SECRET_MARK, secret),
            html: self.html.replace(SECRET_MARK, secret),
        }
    }
}

/// A mail as the outbox lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Identifies the mail.
    pub id: MailId,
    /// What it is about.
    pub kind: MailKind,
    /// The organization it is about.
    pub org: Option<OrgId>,
    /// To whom.
    pub recipient: Email,
    /// Its subject.
    pub subject: String,
    /// What became of it.
    pub state: MailState,
    /// How often it was tried.
    pub attempts: u32,
    /// Why the last try failed.
    pub last_error: Option<String>,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it is tried next, while it waits.
    pub next_attempt_at: Timestamp,
    /// When it is of no use any more.
    pub expires_at: Timestamp,
    /// When it was sent or given up.
    pub finished_at: Option<Timestamp>,
}

/// What a mail is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MailKind {
    /// Somebody is invited into an organization.
    Invitation,
}

/// What became of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MailState {
    /// It is to be sent.
    Waiting,
    /// A mail server has taken it.
    Sent,
    /// It was given up.
    Failed,
    /// What it was about is over.
    Cancelled,
}

/// A text that names no kind or state of mails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this says nothing of mails")]
pub struct InvalidMailWord;

impl MailKind {
    /// All kinds.
    pub const ALL: [Self; 1] = [Self::Invitation];

    /// The name in storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invitation => "INVITATION",
        }
    }
}

impl MailState {
    /// All states.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Sent, Self::Failed, Self::Cancelled];

    /// The name in storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "WAITING",
            Self::Sent => "SENT",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
        }
    }
}

impl fmt::Display for MailKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for MailState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for MailKind {
    type Err = InvalidMailWord;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut all = Self::ALL.into_iter();
        all.find(|kind| kind.as_str() == text)
            .ok_or(InvalidMailWord)
    }
}

impl FromStr for MailState {
    type Err = InvalidMailWord;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut all = Self::ALL.into_iter();
        all.find(|state| state.as_str() == text)
            .ok_or(InvalidMailWord)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_stands_where_the_mark_stood_and_nowhere_else() {
        let letter = Letter {
            subject: "Join".to_owned(),
            text: format!("open http://c/{SECRET_MARK}"),
            html: format!("<a href=\"http://c/{SECRET_MARK}\">c/{SECRET_MARK}</a>"),
        };
        assert!(letter.has_link());
        let sent = letter.with_secret("s3cret");
        assert_eq!(sent.text, "open http://c/s3cret");
        assert_eq!(sent.html, "<a href=\"http://c/s3cret\">c/s3cret</a>");
        assert!(!sent.has_link());
    }

    #[test]
    fn no_name_holds_the_mark() {
        assert!(crate::name::parse(&format!("a{SECRET_MARK}"), 9).is_err());
        assert!(Email::parse(&format!("a{SECRET_MARK}@x.io")).is_err());
    }

    #[test]
    fn words_are_read_back() {
        for kind in MailKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
        }
        for state in MailState::ALL {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
    }
}
