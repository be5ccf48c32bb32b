//! The second factor: what a person shows beside the password, and log-ins that wait for it.
//!
//! Whether a code counts is decided in the transaction that takes the try and notes its step, so that
//! neither many guesses at once nor the same code in two processes get further than one.

use async_trait::async_trait;
use copal_model::totp::TotpSecret;
use copal_model::{Timestamp, User, UserId};
use jiff::SignedDuration;

use crate::Result;
use crate::access::SecretHash;
use crate::invitations::Answer;

/// Wrong codes that may be tried at once.
pub const TRIES: i64 = 5;
/// Seconds after which there is one more. With three codes that count at a time, a guesser who has
/// the password already gets in within a day by a chance of less than one in a thousand.
pub const TRY_SECS: i64 = 5 * 60;
/// Recovery codes that a person has at first.
pub const RECOVERY_CODES: usize = 10;

/// A person's second factor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondFactor {
    /// What the app knows.
    pub secret: TotpSecret,
    /// Since when it is asked for; `None` while its person has not shown to have it.
    pub confirmed_at: Option<Timestamp>,
    /// Recovery codes that are left.
    pub recovery_codes_left: u64,
}

/// What somebody shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// A code of the app, as it was typed.
    Code(String),
    /// A recovery code.
    Recovery(SecretHash),
}

/// Why it did not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotProven {
    /// It is wrong, over, or has counted before.
    Wrong,
    /// Too many wrong ones.
    TooManyTries {
        /// When there may be another.
        until: Timestamp,
    },
}

/// A log-in whose password was right, and which waits for the second factor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLogInStep {
    /// SHA-256 of the secret in the cookie.
    pub secret: SecretHash,
    /// Who logs in.
    pub user: UserId,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Second factors, and log-ins that wait for them.
#[async_trait]
pub trait SecondFactors: Send + Sync {
    /// The person's second factor, if they have one or are setting one up.
    async fn find_second_factor(&self, user: UserId) -> Result<Option<SecondFactor>>;

    /// Sets one up that is not confirmed yet, in the place of another such one.
    ///
    /// # Errors
    /// [`Conflict`](crate::Error::Conflict) `second factor` when there is a confirmed one.
    async fn begin_second_factor(
        &self,
        user: UserId,
        secret: TotpSecret,
        now: Timestamp,
    ) -> Result<()>;

    /// Confirms what was set up by its first code; the person has these recovery codes then.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound) when nothing waits to be confirmed.
    async fn confirm_second_factor(
        &self,
        user: UserId,
        code: String,
        recovery_codes: Vec<SecretHash>,
        now: Timestamp,
    ) -> Result<Answer<(), NotProven>>;

    /// Whether what was shown counts; it does so once.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound) when the person has no confirmed second factor.
    async fn prove_second_factor(
        &self,
        user: UserId,
        shown: Shown,
        now: Timestamp,
    ) -> Result<Answer<(), NotProven>>;

    /// Gives the person other recovery codes.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound) when the person has no confirmed second factor.
    async fn replace_recovery_codes(
        &self,
        user: UserId,
        recovery_codes: Vec<SecretHash>,
    ) -> Result<()>;

    /// Ends the second factor with its recovery codes; nothing happens when there is none.
    async fn remove_second_factor(&self, user: UserId) -> Result<()>;

    /// Notes a log-in that waits for the second factor.
    async fn create_log_in_step(&self, step: NewLogInStep) -> Result<()>;

    /// Whose log-in waits under this secret at `now`.
    async fn find_log_in_step(&self, secret: &SecretHash, now: Timestamp) -> Result<Option<User>>;

    /// Ends a log-in that waits.
    async fn delete_log_in_step(&self, secret: &SecretHash) -> Result<()>;
}

/// A second factor as it is stored.
pub(crate) struct Stored {
    pub(crate) secret: TotpSecret,
    pub(crate) is_confirmed: bool,
    pub(crate) last_step: Option<i64>,
    pub(crate) tries_full_at: Timestamp,
}

/// What becomes of it by a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tried {
    /// The step that counted last.
    pub(crate) last_step: Option<i64>,
    /// When all tries are there again.
    pub(crate) tries_full_at: Timestamp,
    /// Whether what was shown counted.
    pub(crate) answer: Answer<(), NotProven>,
}

impl Stored {
    /// Tries a code.
    pub(crate) fn try_code(&self, code: &str, now: Timestamp) -> Tried {
        let step = self.secret.accept(code, now, self.last_step);
        let tried = self.judge(step.is_some(), now);
        match tried.answer {
            Ok(()) => Tried {
                last_step: step,
                ..tried
            },
            Err(_) => tried,
        }
    }

    /// Takes a try and judges it: one that is right gives all back, and none counts when there is
    /// no try left.
    pub(crate) fn judge(&self, is_right: bool, now: Timestamp) -> Tried {
        let refill = SignedDuration::from_secs(TRY_SECS);
        let taken = self.tries_full_at.max(now) + refill;
        let until = taken - refill * i32::try_from(TRIES).unwrap_or(i32::MAX);
        let kept = |tries_full_at, answer| Tried {
            last_step: self.last_step,
            tries_full_at,
            answer,
        };
        if until > now {
            return kept(self.tries_full_at, Err(NotProven::TooManyTries { until }));
        }
        if is_right {
            kept(now, Ok(()))
        } else {
            kept(taken, Err(NotProven::Wrong))
        }
    }
}

#[cfg(test)]
mod tests {
    use copal_model::totp::step_at;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn stored() -> Stored {
        Stored {
            secret: TotpSecret::from_bytes([7; 20]),
            is_confirmed: true,
            last_step: None,
            tries_full_at: at(-1_000_000),
        }
    }

    #[test]
    fn tries_have_an_edge_and_come_back() {
        let mut stored = stored();
        for _ in 0..TRIES {
            let tried = stored.judge(false, at(0));
            assert_eq!(tried.answer, Err(NotProven::Wrong));
            stored.tries_full_at = tried.tries_full_at;
        }
        let until = at(TRY_SECS);
        let refused = Err(NotProven::TooManyTries { until });
        // Not even the right one, or guesses would go on.
        let right = stored.secret.code(step_at(at(0)));
        assert_eq!(stored.try_code(&right, at(0)).answer, refused);
        assert_eq!(stored.judge(true, at(TRY_SECS - 1)).answer, refused);
        let tried = stored.judge(true, at(TRY_SECS));
        assert_eq!((tried.answer, tried.tries_full_at), (Ok(()), until));
    }

    #[test]
    fn what_counted_is_noted_and_what_did_not_is_not() {
        let stored = stored();
        let step = step_at(at(0));
        let tried = stored.try_code(&stored.secret.code(step), at(0));
        assert_eq!((tried.answer, tried.last_step), (Ok(()), Some(step)));
        let tried = stored.try_code("000000", at(0));
        assert_eq!(tried.last_step, None);
    }
}
