//! Browser sessions: random secrets of which only the hash is kept (ASVS 7.2).

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

/// Browser sessions. [`Access::find_session`](crate::access::Access::find_session) reads them.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Begins a session. `replaces` ends in the same transaction (rotation, ASVS 7.2.4).
    async fn create_session(&self, session: NewSession, replaces: Option<SecretHash>)
    -> Result<()>;

    /// Ends a session; nothing happens when it has ended.
    async fn delete_session(&self, secret: &SecretHash) -> Result<()>;
}
