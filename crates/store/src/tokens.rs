//! Personal API tokens: random secrets of which only the hash is kept.

use async_trait::async_trait;
use copal_model::limits::TOKENS_PER_USER_MAX;
use copal_model::{Timestamp, TokenId, UserId};

use crate::access::SecretHash;
use crate::{Error, Result};

/// How exactly it is kept when a token was last used: a busy one costs one write a minute.
const LAST_USED_SECONDS: i64 = 60;

/// A token as lists show it; the secret is not among it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Identifies the token.
    pub id: TokenId,
    /// Whom it speaks for.
    pub user: UserId,
    /// What its user calls it.
    pub name: String,
    /// The first characters of the secret, to tell tokens apart.
    pub prefix: String,
    /// Narrowed to these scopes; `None` = all its user's rights.
    pub scopes: Option<Vec<String>>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// When it ends; `None` = never.
    pub expires_at: Option<Timestamp>,
}

/// Personal API tokens. [`Access::find_token`](crate::access::Access::find_token) reads them.
#[async_trait]
pub trait Tokens: Send + Sync {
    /// Makes a token.
    ///
    /// # Errors
    /// [`LimitReached`](crate::Error::LimitReached) when the user has too many.
    async fn create_token(&self, token: Token, secret: SecretHash) -> Result<()>;

    /// The user's tokens, newest first.
    async fn list_tokens(&self, user: UserId) -> Result<Vec<Token>>;

    /// Revokes a token of the user's.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound) when it is not theirs or not there.
    async fn delete_token(&self, user: UserId, token: TokenId) -> Result<()>;
}

/// Refuses another token of a user who has so many.
pub(crate) fn require_room(tokens: u64) -> Result<()> {
    if tokens >= TOKENS_PER_USER_MAX.into() {
        return Err(Error::LimitReached {
            what: "API tokens of one user",
            limit: TOKENS_PER_USER_MAX,
        });
    }
    Ok(())
}

/// The time as it is kept of a token's last use.
pub(crate) fn to_the_minute(now: Timestamp) -> Timestamp {
    let second = now.as_second();
    Timestamp::from_second(second - second.rem_euclid(LAST_USED_SECONDS)).unwrap_or(now)
}

/// Scopes as they are stored.
pub(crate) fn join_scopes(scopes: Option<&Vec<String>>) -> Option<String> {
    scopes.map(|scopes| scopes.join(" "))
}

/// The scopes a token is narrowed to. None at all is not the same as not narrowed.
pub(crate) fn split_scopes(stored: Option<&str>) -> Option<Vec<String>> {
    stored.map(|text| text.split_whitespace().map(str::to_owned).collect())
}
