//! What changes an organization for good, and the way back from its deletion.

use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use copal_model::policy::Action;
use copal_model::{OrgId, UserId};
use copal_store::access::OrgAccess;
use copal_store::lifecycle::{NewHome, RestoredBy};
use copal_store::members::Afterwards;
use copal_ui::form::Field;
use copal_ui::urls;

use super::settings::page;
use crate::app::App;
use crate::auth::permit::{ConvertOrg, DeleteOrg, TransferOwnership};
use crate::auth::{Form, OrgMember, Refusal, SignedIn, path};
use crate::fresh;
use crate::web::Error;
use crate::web::frame::Frame;
use crate::web::{home, notice};

pub(super) async fn hand_over(
    State(app): State<App>,
    member: OrgMember<TransferOwnership>,
    form: Form,
) -> Result<Response, Error> {
    let heir: UserId = form
        .text("member")?
        .parse()
        .map_err(|_| Error::not_found("member"))?;
    let afterwards = match form.text("afterwards")? {
        "ADMIN" => Afterwards::Admin,
        _ => Afterwards::Owner,
    };
    let actor = member.signed_in.actor(&app);
    let answer = app.store.hand_over(&member.scope, actor, heir, afterwards);
    let heir = member.changed(answer.await?, &app).await?;
    let back = urls::members(member.organization.slug.as_str());
    let text = format!("{} is OWNER now.", heir.name);
    Ok(notice::redirect(&back, &text, &app))
}

pub(super) async fn convert(
    State(app): State<App>,
    member: OrgMember<ConvertOrg>,
    _form: Form,
) -> Result<Response, Error> {
    let home = NewHome {
        id: OrgId::new(fresh::uuid_v7(&*app.clock, &*app.entropy)),
        plan: app.settings.default_plan,
    };
    let actor = member.signed_in.actor(&app);
    let answer = app.store.convert_organization(&member.scope, actor, home);
    let team = member.changed(answer.await?, &app).await?;
    let back = urls::members(team.slug.as_str());
    let text = format!("{} is a team now.", team.name);
    Ok(notice::redirect(&back, &text, &app))
}

pub(super) async fn delete(
    State(app): State<App>,
    frame: Frame,
    member: OrgMember<DeleteOrg>,
    form: Form,
) -> Result<Response, Error> {
    let organization = &member.organization;
    let typed = form.text("confirm")?;
    let is_named = [organization.slug.as_str(), &organization.name].contains(&typed.trim());
    // A personal one is refused for what it is, whatever is typed.
    if !is_named && !organization.is_personal {
        let mut page = page(&frame, &member, &app).await?;
        page.confirm = Field::wrong(typed, "Type the slug as it is written above.");
        return frame.show_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let actor = member.signed_in.actor(&app);
    let answer = app
        .store
        .delete_organization(&member.scope, actor, Vec::new());
    member.changed(answer.await?, &app).await?;
    let text = format!(
        "Deleted {}. On the page Account you can take that back.",
        organization.name
    );
    let home = home::path_of(&app, &member.signed_in.user).await?;
    Ok(notice::redirect(&home, &text, &app))
}

pub(super) async fn restore(
    State(app): State<App>,
    deleted: DeletedOrg,
    _form: Form,
) -> Result<Response, Error> {
    let DeletedOrg { signed_in, access } = deleted;
    let access = access.ok_or(Refusal::NotDeleted)?;
    signed_in.reaches(Action::DeleteOrg, &app)?;
    let by = RestoredBy::Owner(signed_in.actor(&app));
    let answer = app.store.restore_organization(&access.scope, by).await?;
    let Ok(organization) = answer else {
        return Err(Error::not_found("organization"));
    };
    let dashboard = urls::dashboard(organization.slug.as_str());
    let text = format!("{} is back, as it was.", organization.name);
    Ok(notice::redirect(&dashboard, &text, &app))
}

/// An organization that was deleted, for one of its owners; for everybody else it is not there.
#[derive(Debug)]
pub(super) struct DeletedOrg {
    signed_in: SignedIn,
    /// `None` where it was not deleted, which only who could delete it is told.
    access: Option<OrgAccess>,
}

impl FromRequestParts<App> for DeletedOrg {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let signed_in = <SignedIn as FromRequestParts<App>>::from_request_parts(parts, app).await?;
        if let Some(wanted) = path::parse_org(&path::path_param(parts, "org").await?) {
            let user = signed_in.user.id;
            let access = app.store.open_deleted_org(user, &wanted).await?;
            if access.is_some() {
                return Ok(Self { signed_in, access });
            }
        }
        OrgMember::<DeleteOrg>::from_request_parts(parts, app).await?;
        Ok(Self {
            signed_in,
            access: None,
        })
    }
}
