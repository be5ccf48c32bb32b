//! Browser sessions: random secrets of which only the hash is kept (ASVS 7.2).

use std::fmt;

use async_trait::async_trait;
use copal_model::{Timestamp, UserId};

use crate::Result;
use crate::access::SecretHash;

/// A session that begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSession {
    /// SHA-256 of the secret in the cookie.
    pub secret: SecretHash,
    /// Whom it speaks for.
    pub user: UserId,
    /// The browser, as it names itself; shown in the list of sessions.
    pub user_agent: String,
    /// When it begins.
    pub now: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Names a session to its person; not its secret, and of no use without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionId([u8; SESSION_ID_BYTES]);

/// Bytes of a [`SessionId`]: the beginning of the secret's hash.
const SESSION_ID_BYTES: usize = 16;
/// How exactly it is kept when a session was last seen: one write an hour at most.
const LAST_SEEN_SECONDS: i64 = 60 * 60;

impl SessionId {
    /// The name of the session with this secret.
    pub fn of(secret: &SecretHash) -> Self {
        let mut id = [0; SESSION_ID_BYTES];
        id.copy_from_slice(&secret[..SESSION_ID_BYTES]);
        Self(id)
    }

    /// Reads what [`Display`](fmt::Display) writes; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let is_hex =
            text.len() == 2 * SESSION_ID_BYTES && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u128::from_str_radix(text, 16).ok().filter(|_| is_hex)?;
        Some(Self(number.to_be_bytes()))
    }

    pub(crate) const fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

/// A session as its person sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Names it.
    pub id: SessionId,
    /// The browser, as it names itself.
    pub user_agent: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, to the hour.
    pub last_seen_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Browser sessions. [`Access::find_session`](crate::access::Access::find_session) reads them.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Begins a session. `replaces` ends in the same transaction (rotation, ASVS 7.2.4).
    async fn create_session(&self, session: NewSession, replaces: Option<SecretHash>)
    -> Result<()>;

    /// Ends a session; nothing happens when it has ended.
    async fn delete_session(&self, secret: &SecretHash) -> Result<()>;

    /// The user's sessions that live at `now`, the one seen last first.
    async fn list_sessions(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>>;

    /// Ends a session of the user's.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound) when it is not theirs or not there.
    async fn end_session(&self, user: UserId, session: SessionId) -> Result<()>;

    /// Ends all sessions of the user but `kept`: after another password, say. Answers how many.
    async fn end_other_sessions(&self, user: UserId, kept: Option<SecretHash>) -> Result<u64>;
}

/// The time as it is kept of when a session was last seen.
pub(crate) fn to_the_hour(now: Timestamp) -> Timestamp {
    let second = now.as_second();
    Timestamp::from_second(second - second.rem_euclid(LAST_SEEN_SECONDS)).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_sessions_are_read_back_and_nothing_else_is() {
        let secret: SecretHash = std::array::from_fn(|place| u8::try_from(place).unwrap() + 1);
        let id = SessionId::of(&secret);
        assert_eq!(id.to_string(), "0102030405060708090a0b0c0d0e0f10");
        assert_eq!(SessionId::parse(&id.to_string()), Some(id));
        for wrong in ["", "+02030405060708090a0b0c0d0e0f101", "é", &"f".repeat(33)] {
            assert_eq!(SessionId::parse(wrong), None, "{wrong}");
        }
    }
}
