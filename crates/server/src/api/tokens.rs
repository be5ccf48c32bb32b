//! API tokens, seen and revoked in sessions only: a token never manages tokens (S-14), and no call
//! answers a secret.

use axum::extract::State;
use axum::http::{Method, StatusCode, Uri};
use copal_model::policy::Action;
use serde::Serialize;
use utoipa::ToSchema;

use super::describe::Call;
use super::list::{Listed, page_of};
use super::query::{Paging, Query};
use super::{Result, names};
use crate::app::App;
use crate::auth::path::TokenInPath;
use crate::auth::permit::{ReadOrgTokens, RevokeMemberTokens, WriteOrgTokens};
use crate::auth::{OrgMember, Refusal, SignedIn};
use crate::routes::{Route, RouteAccess};

/// A personal API token, to its user.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Token {
    id: String,
    name: String,
    /// The first characters of the secret.
    prefix: String,
    /// Missing where it has all its user's rights.
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<Vec<String>>,
    #[schema(format = DateTime)]
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    last_used_at: Option<String>,
    /// Missing where it does not end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    expires_at: Option<String>,
}

/// A token of an organization.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrganizationToken {
    id: String,
    name: String,
    /// The first characters of the secret.
    prefix: String,
    scopes: Vec<String>,
    /// Who made it; missing once their account is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    creator_id: Option<String>,
    /// Whether who made it is a member still.
    creator_is_member: bool,
    #[schema(format = DateTime)]
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    last_used_at: Option<String>,
    #[schema(format = DateTime)]
    expires_at: String,
}

/// A member's own token that reaches the organization, or would.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MemberToken {
    id: String,
    user_id: String,
    /// The user's in the organization.
    role: names::Role,
    /// The first characters of the secret.
    prefix: String,
    /// Missing where it has all its user's rights.
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<Vec<String>>,
    #[schema(format = DateTime)]
    created_at: String,
    /// Missing where it does not end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// Whether the organization does not take it any more.
    is_revoked: bool,
}

const SESSION: &str = "Needs a session; no token may do it.";
const FRESH: &str = "Needs a session whose log-in is recent; no token may do it.";

/// The routes.
pub fn routes() -> Vec<Route> {
    use RouteAccess::{Org, Principal};
    vec![
        Route::get("/api/v1/me/tokens", Principal, "List own tokens", list_own)
            .with_operation(|| Call::lists::<Token>().about(SESSION).operation()),
        Route::new(
            Method::DELETE,
            "/api/v1/me/tokens/{token}",
            Principal,
            "Revoke an own token",
            delete_own,
        )
        .with_operation(|| Call::deletes().about(SESSION).operation()),
        Route::get(
            "/api/v1/organizations/{org}/tokens",
            Org(Action::ReadOrgTokens),
            "List tokens of the organization",
            list,
        )
        .with_operation(|| {
            Call::lists::<OrganizationToken>()
                .about(SESSION)
                .operation()
        }),
        Route::new(
            Method::DELETE,
            "/api/v1/organizations/{org}/tokens/{org_token}",
            Org(Action::WriteOrgTokens),
            "Revoke a token of the organization",
            delete,
        )
        .with_operation(|| Call::deletes().about(FRESH).operation()),
        Route::get(
            "/api/v1/organizations/{org}/member-tokens",
            Org(Action::RevokeMemberTokens),
            "List members' own tokens that reach the organization",
            list_of_members,
        )
        .with_operation(|| Call::lists::<MemberToken>().about(SESSION).operation()),
        Route::new(
            Method::DELETE,
            "/api/v1/organizations/{org}/member-tokens/{member_token}",
            Org(Action::RevokeMemberTokens),
            "Keep a member's own token out of the organization",
            delete_of_member,
        )
        .with_operation(|| Call::deletes().about(SESSION).operation()),
    ]
}

async fn list_own(
    signed_in: SignedIn,
    State(app): State<App>,
    Query(paging): Query<Paging>,
    uri: Uri,
) -> Result<Listed<Token>> {
    signed_in.reaches(Action::WriteOwnTokens, &app)?;
    let request = paging.request()?;
    let all = app.store.list_tokens(signed_in.user.id).await?;
    let page = page_of(all, &request, |token| token.id)?;
    let page = page.map(|token| Token {
        id: token.id.to_string(),
        name: token.name,
        prefix: token.prefix,
        scopes: token.scopes,
        created_at: token.created_at.to_string(),
        last_used_at: token.last_used_at.map(|time| time.to_string()),
        expires_at: token.expires_at.map(|time| time.to_string()),
    });
    Ok(Listed::new(page, &uri, &app.settings))
}

async fn delete_own(
    signed_in: SignedIn,
    TokenInPath(token): TokenInPath,
    State(app): State<App>,
) -> Result<StatusCode> {
    signed_in.reaches(Action::WriteOwnTokens, &app)?;
    app.store.delete_token(signed_in.user.id, token).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn list(
    org: OrgMember<ReadOrgTokens>,
    State(app): State<App>,
    Query(paging): Query<Paging>,
    uri: Uri,
) -> Result<Listed<OrganizationToken>> {
    let request = paging.request()?;
    let now = app.clock.now();
    let all = app.store.list_org_tokens(&org.scope, now).await?;
    let page = page_of(all, &request, |token| token.id)?;
    let page = page.map(|token| OrganizationToken {
        id: token.id.to_string(),
        name: token.name,
        prefix: token.prefix,
        scopes: token.scopes,
        creator_is_member: token.creator.as_ref().is_some_and(|who| who.role.is_some()),
        creator_id: token.creator.map(|who| who.user.to_string()),
        created_at: token.created_at.to_string(),
        last_used_at: token.last_used_at.map(|time| time.to_string()),
        expires_at: token.expires_at.to_string(),
    });
    Ok(Listed::new(page, &uri, &app.settings))
}

async fn delete(
    org: OrgMember<WriteOrgTokens>,
    TokenInPath(token): TokenInPath,
    State(app): State<App>,
) -> Result<StatusCode> {
    app.store.delete_org_token(&org.scope, token).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn list_of_members(
    org: OrgMember<RevokeMemberTokens>,
    State(app): State<App>,
    Query(paging): Query<Paging>,
    uri: Uri,
) -> Result<Listed<MemberToken>> {
    let request = paging.request()?;
    let now = app.clock.now();
    let all = app.store.list_member_tokens(&org.scope, now).await?;
    let page = page_of(all, &request, |token| token.id)?;
    let page = page.map(|token| MemberToken {
        id: token.id.to_string(),
        user_id: token.user.to_string(),
        role: token.role.into(),
        prefix: token.prefix,
        scopes: token.scopes,
        created_at: token.created_at.to_string(),
        expires_at: token.expires_at.map(|time| time.to_string()),
        is_revoked: token.is_shut_out,
    });
    Ok(Listed::new(page, &uri, &app.settings))
}

async fn delete_of_member(
    org: OrgMember<RevokeMemberTokens>,
    TokenInPath(token): TokenInPath,
    State(app): State<App>,
) -> Result<StatusCode> {
    let (actor, now) = (org.signed_in.user.id, app.clock.now());
    let answer = app.store.shut_out_token(&org.scope, actor, token, now);
    answer.await?.map_err(Refusal::from)?;
    Ok(StatusCode::NO_CONTENT)
}
