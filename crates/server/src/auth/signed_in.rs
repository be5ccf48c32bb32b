//! Who is asking: the person in a session, or the program with their token.
//!
//! Pages take only sessions. The REST API takes a bearer token, or else a session whose changes
//! carry the form token in `X-CSRF-Token`, so that no foreign page can use it.

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use copal_model::User;
use copal_model::policy::{Action, Proof};
use copal_store::access::{Credential, Principal};

use crate::app::App;
use crate::auth::secret::Secret;
use crate::auth::{Refusal, form, session};
use crate::middleware::audience::Audience;

/// Who is asking.
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

    fn proof(&self, app: &App) -> Proof<'_> {
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

    /// What forms on a page of this caller must carry; empty for a token's caller, who has none.
    pub fn form_token_text(&self) -> &str {
        self.form_token.as_ref().map_or("", Secret::expose)
    }
}

impl FromRequestParts<App> for SignedIn {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        if let Some(known) = parts.extensions.get::<Self>() {
            return Ok(known.clone());
        }
        let signed_in = find(parts, app).await?.ok_or(Refusal::SignInFirst)?;
        parts.extensions.insert(signed_in.clone());
        Ok(signed_in)
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

async fn find(parts: &Parts, app: &App) -> Result<Option<SignedIn>, Refusal> {
    let audience = Audience::of(parts.uri.path());
    if audience == Audience::Api && parts.headers.contains_key(header::AUTHORIZATION) {
        return by_token(parts, app).await;
    }
    let found = by_session(&parts.headers, app).await?;
    let form_token = found.as_ref().and_then(|found| found.form_token.as_ref());
    if let Some(form_token) = form_token
        && audience == Audience::Api
        && changes_something(&parts.method)
    {
        form::check_api_call(&parts.headers, form_token, app)?;
    }
    Ok(found)
}

/// Whoever is logged in in the browser that sends these headers.
///
/// # Errors
/// When the store cannot say.
pub async fn by_session(headers: &HeaderMap, app: &App) -> Result<Option<SignedIn>, Refusal> {
    let Some(secret) = session::secret_of(headers, app) else {
        return Ok(None);
    };
    let now = app.clock.now();
    let found = app.store.find_session(&secret.hash(), now).await?;
    let form_token = form::token_of_session(&secret);
    Ok(found.map(|principal| signed_in(principal, Some(form_token))))
}

async fn by_token(parts: &Parts, app: &App) -> Result<Option<SignedIn>, Refusal> {
    let Some(secret) = bearer(parts) else {
        return Ok(None);
    };
    let found = app
        .store
        .find_token(&secret.hash(), app.clock.now())
        .await?;
    Ok(found.map(|principal| signed_in(principal, None)))
}

fn bearer(parts: &Parts) -> Option<Secret> {
    let mut values = parts.headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next()?.to_str().ok()?;
    if values.next().is_some() {
        return None;
    }
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| Secret::shown(token.trim()))
}

fn signed_in(principal: Principal, form_token: Option<Secret>) -> SignedIn {
    SignedIn {
        user: principal.user,
        credential: principal.credential,
        form_token,
    }
}

/// Whether a request of this method may change something, so that it must not be forged.
pub fn changes_something(method: &Method) -> bool {
    !(method == Method::GET || method == Method::HEAD || method == Method::OPTIONS)
}
