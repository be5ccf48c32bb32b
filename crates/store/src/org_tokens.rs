//! Tokens of organizations, for programs that nobody in particular runs, and what an organization
//! does about its members' own tokens.
//!
//! A token of an organization speaks for no person: it stays when its maker leaves, and is listed
//! with that. A member's own token can be kept out of one organization without ending it elsewhere.

use async_trait::async_trait;
use copal_model::limits::TOKENS_PER_ORG_MAX;
use copal_model::policy::Refused;
use copal_model::policy::tokens::{change_org_tokens, shut_out};
use copal_model::{Role, Timestamp, TokenId, UserId};

use crate::access::SecretHash;
use crate::invitations::Answer;
use crate::{Error, OrgScope, Result};

/// A token that an organization is about to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOrgToken {
    /// Made by the application (UUIDv7).
    pub id: TokenId,
    /// What it is for.
    pub name: String,
    /// The first characters of the secret, to tell tokens apart.
    pub prefix: String,
    /// SHA-256 of the secret.
    pub secret: SecretHash,
    /// What it may.
    pub scopes: Vec<String>,
    /// Who makes it.
    pub creator: UserId,
    /// When.
    pub now: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A token of an organization as lists show it; the secret is not among it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrgToken {
    /// Identifies the token.
    pub id: TokenId,
    /// What it is for.
    pub name: String,
    /// The first characters of the secret.
    pub prefix: String,
    /// What it may.
    pub scopes: Vec<String>,
    /// Who made it; `None` once their account is gone.
    pub creator: Option<Creator>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Who made a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Creator {
    /// The person.
    pub user: UserId,
    /// As they call themselves.
    pub name: String,
    /// What they are in the organization now; `None` once they have left it.
    pub role: Option<Role>,
}

/// A member's own token that reaches the organization, or would. What its user calls it, and when
/// they use it, is theirs: it may tell of other organizations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberToken {
    /// Identifies the token.
    pub id: TokenId,
    /// Whom it speaks for.
    pub user: UserId,
    /// As they call themselves.
    pub user_name: String,
    /// What they are here.
    pub role: Role,
    /// The first characters of the secret.
    pub prefix: String,
    /// Narrowed to these scopes; `None` = all its user's rights.
    pub scopes: Option<Vec<String>>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends; `None` = never.
    pub expires_at: Option<Timestamp>,
    /// Whether it has been kept out.
    pub is_shut_out: bool,
}

/// Tokens of organizations. [`Access::find_token`](crate::access::Access::find_token) reads them.
#[async_trait]
pub trait OrgTokens: Send + Sync {
    /// Makes a token of the organization, if its maker still may.
    ///
    /// # Errors
    /// [`LimitReached`](Error::LimitReached) when the organization has too many;
    /// [`NotFound`](Error::NotFound) `member` when the maker has left.
    async fn create_org_token(
        &self,
        scope: &OrgScope,
        new: NewOrgToken,
    ) -> Result<Answer<(), Refused>>;

    /// The organization's tokens that have not ended at `now`, newest first.
    async fn list_org_tokens(&self, scope: &OrgScope, now: Timestamp) -> Result<Vec<OrgToken>>;

    /// Revokes a token of the organization.
    ///
    /// # Errors
    /// [`NotFound`](Error::NotFound) when it is not theirs or not there.
    async fn delete_org_token(&self, scope: &OrgScope, token: TokenId) -> Result<()>;

    /// The tokens of members that have not ended at `now`: by role and name of the member, newest
    /// first.
    async fn list_member_tokens(
        &self,
        scope: &OrgScope,
        now: Timestamp,
    ) -> Result<Vec<MemberToken>>;

    /// Keeps a member's token out of the organization from now on, if `actor` may. It goes on to
    /// open what else its user is in.
    ///
    /// # Errors
    /// [`NotFound`](Error::NotFound) when no member has it, or `actor` has left.
    async fn shut_out_token(
        &self,
        scope: &OrgScope,
        actor: UserId,
        token: TokenId,
        now: Timestamp,
    ) -> Result<Answer<(), Refused>>;
}

/// Whether somebody with this role makes another token where there are so many.
pub(crate) fn check_new(creator: Role, tokens: u64) -> Result<Answer<(), Refused>> {
    if let Err(refused) = change_org_tokens(creator) {
        return Ok(Err(refused));
    }
    if tokens >= TOKENS_PER_ORG_MAX.into() {
        return Err(Error::LimitReached {
            what: "API tokens of one organization",
            limit: TOKENS_PER_ORG_MAX,
        });
    }
    Ok(Ok(()))
}

/// Whether `actor` keeps a token of somebody with the role `holder` out.
pub(crate) fn check_shut_out(actor: Role, holder: Role) -> Answer<(), Refused> {
    shut_out(actor, holder).map(|_| ())
}
