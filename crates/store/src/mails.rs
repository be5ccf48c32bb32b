//! The outbox: mails are written in the transaction that causes them and sent afterwards.
//!
//! Nobody writes a mail by itself: the use cases that cause one take a [`NewMail`]. No secret is
//! among what is stored. A link opens by a secret that is made when the mail is sent, and of which
//! only the hash is kept; each attempt makes another, and all of one mail open the same.

use async_trait::async_trait;
use copal_model::{Email, Letter, Mail, MailId, MailKind, MailState, OrgId, Timestamp, UserId};
use jiff::SignedDuration;

use crate::access::SecretHash;
use crate::{Page, PageRequest, Result};

/// Days that a mail is listed after it is over and of no use any more.
pub const MAIL_KEPT_DAYS: i64 = 30;
/// Characters of the reason for a failed attempt that are kept.
const ERROR_CHARS_MAX: usize = 500;
/// Why a mail was given up that nobody has ever tried to send.
pub(crate) const NEVER_TRIED: &str = "there was no mail server while it was of use";

/// A mail to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMail {
    /// Made by the application (UUIDv7).
    pub id: MailId,
    /// What it is about.
    pub kind: MailKind,
    /// Which organization it is about.
    pub org: Option<OrgId>,
    /// Who caused it; counts towards their limit.
    pub sender: Option<UserId>,
    /// To whom.
    pub recipient: Email,
    /// What it says.
    pub letter: Letter,
    /// When it is of no use any more: it is not sent then.
    pub expires_at: Timestamp,
    /// When.
    pub now: Timestamp,
}

/// A mail to be sent now, by whoever took it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Identifies the mail.
    pub id: MailId,
    /// What it is about.
    pub kind: MailKind,
    /// To whom.
    pub recipient: Email,
    /// What it says, with the mark where the secret goes.
    pub letter: Letter,
    /// Which attempt this is, from 1.
    pub attempt: u32,
}

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// A mail server has taken it.
    Sent,
    /// Not now, but it may go later.
    Later {
        /// When to try again.
        at: Timestamp,
        /// Why not now.
        error: String,
    },
    /// It will never go.
    Refused {
        /// Why.
        error: String,
    },
}

/// The outbox.
#[async_trait]
pub trait Mails: Send + Sync {
    /// Takes the mail that is due the longest, if there is one; nobody else is given it before
    /// `until`. `secret` is what its link will open by, if it has one.
    async fn take_mail(
        &self,
        secret: &SecretHash,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Outgoing>>;

    /// Notes what became of an attempt. Nothing happens when the mail is over by now, or somebody
    /// else has taken it since.
    async fn settle_mail(
        &self,
        mail: MailId,
        attempt: u32,
        delivery: Delivery,
        now: Timestamp,
    ) -> Result<()>;

    /// The mails of all organizations, newest first: for administrators of the instance only.
    async fn list_mails(&self, state: Option<MailState>, page: &PageRequest) -> Result<Page<Mail>>;

    /// A mail with what it says, for the same people. The letter is gone once it is of no use.
    async fn find_mail(&self, mail: MailId) -> Result<Option<(Mail, Option<Letter>)>>;

    /// Has a mail tried again at once that waits or failed.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound) when it is over, or not there.
    async fn retry_mail(&self, mail: MailId, now: Timestamp) -> Result<()>;

    /// How many mails wait.
    async fn count_waiting_mails(&self) -> Result<u64>;

    /// Gives up mails that are of no use any more, and forgets those that were over long ago.
    async fn forget_mails(&self, now: Timestamp) -> Result<()>;
}

impl Delivery {
    /// What to store: the state, why it failed, when it is tried next and when it was over.
    pub(crate) fn outcome(&self, now: Timestamp) -> Outcome {
        match self {
            Self::Sent => Outcome {
                state: MailState::Sent,
                error: None,
                next_attempt_at: now,
                finished_at: Some(now),
            },
            Self::Later { at, error } => Outcome {
                state: MailState::Waiting,
                error: Some(shortened(error)),
                next_attempt_at: *at,
                finished_at: None,
            },
            Self::Refused { error } => Outcome {
                state: MailState::Failed,
                error: Some(shortened(error)),
                next_attempt_at: now,
                finished_at: Some(now),
            },
        }
    }
}

/// What an attempt comes to, as it is stored.
pub(crate) struct Outcome {
    pub(crate) state: MailState,
    pub(crate) error: Option<String>,
    pub(crate) next_attempt_at: Timestamp,
    pub(crate) finished_at: Option<Timestamp>,
}

impl Outcome {
    /// A mail that was sent is not read again; one that failed can be tried again.
    pub(crate) fn erases(&self) -> bool {
        self.state == MailState::Sent
    }
}

/// Mails that were over, and of no use, before this are forgotten.
pub(crate) fn forgotten_before(now: Timestamp) -> Timestamp {
    now - SignedDuration::from_hours(24 * MAIL_KEPT_DAYS)
}

/// One line of what a mail server said.
fn shortened(error: &str) -> String {
    let printable = error.chars().map(|c| if c.is_control() { ' ' } else { c });
    printable.take(ERROR_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_is_one_short_line() {
        let said = format!(
            "550 no\r\nsuch \u{1b}[31muser{}",
            "x".repeat(ERROR_CHARS_MAX)
        );
        let kept = shortened(&said);
        assert!(kept.starts_with("550 no  such  [31muser"), "{kept}");
        assert_eq!(kept.chars().count(), ERROR_CHARS_MAX);
    }
}
