//! `/o/{org}/settings/tokens`: tokens of the organization, and members' own that reach it.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use copal_model::policy::Action;
use copal_model::policy::tokens::shut_out;
use copal_model::{Role, TokenId};
use copal_store::org_tokens::{Creator, MemberToken, NewOrgToken, OrgToken};
use copal_ui::NavItem;
use copal_ui::pages::tokens::{MemberTokenRow, OrgTokenRow, OrgTokens};
use copal_ui::urls;

use crate::app::App;
use crate::auth::path::TokenInPath;
use crate::auth::permit::{Permit, ReadOrgTokens, RevokeMemberTokens, WriteOrgTokens};
use crate::auth::secret::Secret;
use crate::auth::{Form, OrgMember, Refusal};
use crate::fresh;
use crate::web::Error;
use crate::web::frame::Frame;
use crate::web::notice;
use crate::web::token_form::Maker;

pub(super) async fn show(
    State(app): State<App>,
    frame: Frame,
    member: OrgMember<ReadOrgTokens>,
) -> Result<Response, Error> {
    let page = page(&frame, &member, &app).await?;
    frame.show(&page)
}

pub(super) async fn create(
    State(app): State<App>,
    frame: Frame,
    member: OrgMember<WriteOrgTokens>,
    form: Form,
) -> Result<Response, Error> {
    let now = app.clock.now();
    let wanted = match Maker::Organization.read(&form, now)? {
        Ok(wanted) => wanted,
        Err(typed) => {
            let mut page = page(&frame, &member, &app).await?;
            page.form = typed;
            return frame.show_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    let secret = Secret::new_org_token(&*app.entropy);
    let new = NewOrgToken {
        id: TokenId::new(fresh::uuid_v7(&*app.clock, &*app.entropy)),
        name: wanted.name,
        prefix: secret.token_shown(),
        secret: secret.hash(),
        scopes: wanted.scopes.unwrap_or_default(),
        creator: member.signed_in.user.id,
        now,
        expires_at: wanted.expires_at.unwrap_or(now),
    };
    let made = app.store.create_org_token(&member.scope, new).await?;
    made.map_err(Refusal::from)?;
    let mut page = page(&frame, &member, &app).await?;
    page.new_token = Some(secret.expose().to_owned());
    frame.show(&page)
}

pub(super) async fn delete(
    State(app): State<App>,
    member: OrgMember<WriteOrgTokens>,
    TokenInPath(token): TokenInPath,
    _form: Form,
) -> Result<Response, Error> {
    app.store.delete_org_token(&member.scope, token).await?;
    let path = urls::org_tokens(member.organization.slug.as_str());
    Ok(notice::redirect(&path, "Revoked the token.", &app))
}

pub(super) async fn revoke_members(
    State(app): State<App>,
    member: OrgMember<RevokeMemberTokens>,
    TokenInPath(token): TokenInPath,
    _form: Form,
) -> Result<Response, Error> {
    let (actor, now) = (member.signed_in.user.id, app.clock.now());
    let answer = app.store.shut_out_token(&member.scope, actor, token, now);
    answer.await?.map_err(Refusal::from)?;
    let path = urls::org_tokens(member.organization.slug.as_str());
    let text = "Revoked the token here. It does not open this organization any more.";
    Ok(notice::redirect(&path, text, &app))
}

async fn page<A: Permit>(
    frame: &Frame,
    member: &OrgMember<A>,
    app: &App,
) -> Result<OrgTokens, Error> {
    let now = app.clock.now();
    let tokens = app.store.list_org_tokens(&member.scope, now).await?;
    let of_members = app.store.list_member_tokens(&member.scope, now).await?;
    let role = member.member.role;
    Ok(OrgTokens {
        nav: frame.in_org(member, NavItem::Nothing, app).await?,
        org: member.organization.clone(),
        tokens: tokens.into_iter().map(row).collect(),
        form: Maker::Organization.empty(),
        may_write: member.permission(Action::WriteOrgTokens, app).await?,
        new_token: None,
        member_tokens: of_members
            .into_iter()
            .map(|token| member_row(token, role))
            .collect(),
    })
}

fn row(token: OrgToken) -> OrgTokenRow {
    let is_orphaned = token.creator.as_ref().is_none_or(|who| who.role.is_none());
    OrgTokenRow {
        id: token.id.to_string(),
        name: token.name,
        prefix: token.prefix,
        scopes: token.scopes,
        creator: in_words(token.creator),
        is_orphaned,
        created_at: token.created_at,
        last_used_at: token.last_used_at,
        expires_at: token.expires_at,
    }
}

fn in_words(creator: Option<Creator>) -> String {
    match creator {
        None => "somebody whose account is gone".to_owned(),
        Some(Creator {
            name, role: None, ..
        }) => format!("{name}, who has left"),
        Some(Creator { name, .. }) => name,
    }
}

fn member_row(token: MemberToken, viewer: Role) -> MemberTokenRow {
    MemberTokenRow {
        id: token.id.to_string(),
        may_shut_out: !token.is_shut_out && shut_out(viewer, token.role).is_ok(),
        member: token.user_name,
        role: token.role.as_str(),
        prefix: token.prefix,
        scopes: token.scopes,
        created_at: token.created_at,
        expires_at: token.expires_at,
        is_shut_out: token.is_shut_out,
    }
}
