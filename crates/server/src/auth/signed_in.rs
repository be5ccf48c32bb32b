//! The person who is asking: in a session, or by a program with their token.

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use copal_model::policy::{Action, Proof};
use copal_model::{OrgId, User};
use copal_store::access::Credential;

use crate::app::App;
use crate::auth::secret::Secret;
use crate::auth::{Caller, Refusal, session};

/// The person who is asking.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The person.
    pub user: User,
    /// By which credential.
    pub credential: Credential,
    /// What forms of this session must carry; of a token's caller: `None`.
    pub form_token: Option<Secret>,
}

impl SignedIn {
    /// Whether the credential reaches as far as the policy asks for the action, whatever the role.
    ///
    /// # Errors
    /// When a token is too narrow, or a session is needed, or a fresher one.
    pub fn reaches(&self, action: Action, app: &App) -> Result<(), Refusal> {
        action.rule().reach.check(self.proof(app))?;
        Ok(())
    }

    /// What was shown to get in, as far as reach is concerned.
    pub fn proof(&self, app: &App) -> Proof<'_> {
        match &self.credential {
            Credential::Token { scopes: None, .. } => Proof::Token,
            Credential::Token {
                scopes: Some(scopes),
                ..
            } => Proof::NarrowToken(scopes),
            Credential::Session {
                authenticated_at, ..
            } if session::is_fresh(*authenticated_at, app.clock.now()) => Proof::FreshSession,
            Credential::Session { .. } => Proof::Session,
        }
    }

    /// Refuses a token that the organization does not take (row 41).
    ///
    /// # Errors
    /// When it is one.
    pub fn require_taken_by(&self, org: OrgId) -> Result<(), Refusal> {
        match &self.credential {
            Credential::Token { shut_out, .. } if shut_out.contains(&org) => {
                Err(Refusal::TokenShutOut)
            }
            _ => Ok(()),
        }
    }

    /// What forms on a page of this caller must carry; empty for a token's caller, who has none.
    pub fn form_token_text(&self) -> &str {
        self.form_token.as_ref().map_or("", Secret::expose)
    }
}

impl FromRequestParts<App> for SignedIn {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        match Caller::from_request_parts(parts, app).await? {
            Caller::Person(signed_in) => Ok(signed_in),
            Caller::Organization(_) => Err(Refusal::PersonNeeded),
        }
    }
}

impl OptionalFromRequestParts<App> for SignedIn {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Option<Self>, Refusal> {
        match <Self as FromRequestParts<App>>::from_request_parts(parts, app).await {
            Ok(signed_in) => Ok(Some(signed_in)),
            Err(Refusal::SignInFirst) => Ok(None),
            Err(other) => Err(other),
        }
    }
}
