//! Who is asking: a person, or a program with a token of an organization.
//!
//! Pages take only sessions. The REST API takes a bearer token, or else a session whose changes
//! carry the form token in `X-CSRF-Token`, so that no foreign page can use it.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use copal_model::policy::{Action, Proof};
use copal_store::access::{Bearer, Credential, OrgBearer, Principal};
use copal_store::sessions::SessionId;

use crate::app::App;
use crate::auth::secret::Secret;
use crate::auth::{Refusal, SignedIn, form, session};
use crate::middleware::access_log::Shown;
use crate::middleware::audience::Audience;

/// Who is asking.
#[derive(Debug, Clone)]
pub enum Caller {
    /// A person, in a session or by a personal token.
    Person(SignedIn),
    /// An organization, by a token of its own.
    Organization(OrgBearer),
}

impl Caller {
    /// Whether the credential reaches as far as the policy asks for the action, whatever the role.
    ///
    /// # Errors
    /// When a token is too narrow, or a session is needed, or a fresher one.
    pub fn reaches(&self, action: Action, app: &App) -> Result<(), Refusal> {
        match self {
            Self::Person(signed_in) => signed_in.reaches(action, app),
            Self::Organization(bearer) => {
                let proof = Proof::OrgToken(&bearer.scopes);
                Ok(action.rule().reach.check(proof)?)
            }
        }
    }

    /// Names the credential in the log, so that what a leaked one did can be found (S-06).
    pub(super) fn log_name(&self) -> String {
        match self {
            Self::Organization(bearer) => format!("org-token:{}", bearer.token),
            Self::Person(signed_in) => match &signed_in.credential {
                Credential::Token { id, .. } => format!("token:{id}"),
                Credential::Session { hash, .. } => format!("session:{}", SessionId::of(hash)),
            },
        }
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        if let Some(known) = parts.extensions.get::<Self>() {
            return Ok(known.clone());
        }
        let caller = find(parts, app).await?.ok_or(Refusal::SignInFirst)?;
        if let Some(shown) = parts.extensions.get::<Shown>() {
            shown.note(caller.log_name());
        }
        parts.extensions.insert(caller.clone());
        Ok(caller)
    }
}

async fn find(parts: &Parts, app: &App) -> Result<Option<Caller>, Refusal> {
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
    Ok(found.map(Caller::Person))
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

async fn by_token(parts: &Parts, app: &App) -> Result<Option<Caller>, Refusal> {
    let Some(secret) = bearer(parts) else {
        return Ok(None);
    };
    let now = app.clock.now();
    let found = app.store.find_token(&secret.hash(), now).await?;
    Ok(found.map(|bearer| match bearer {
        Bearer::Person(principal) => Caller::Person(signed_in(principal, None)),
        Bearer::Organization(bearer) => Caller::Organization(bearer),
    }))
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
