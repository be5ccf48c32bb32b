//! `/o/{org}/settings`: name, slug and what members may do.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use copal_model::limits::ORG_NAME_CHARS_MAX;
use copal_model::policy::{Action, OrgSetting, OrgSettings};
use copal_model::{Member, Slug};
use copal_store::Error as StoreError;
use copal_store::organizations::OrganizationPatch;
use copal_ui::form::Field;
use copal_ui::pages::organization::{DeletedProject, Settings};
use copal_ui::{NavItem, urls};

use crate::app::App;
use crate::auth::form::Fields;
use crate::auth::new_account::{name_error, sentence};
use crate::auth::permit::{Permit, ReadOrg, WriteOrg};
use crate::auth::{Form, OrgMember};
use crate::web::Error;
use crate::web::frame::Frame;
use crate::web::notice;

pub(super) async fn show(
    State(app): State<App>,
    frame: Frame,
    member: OrgMember<ReadOrg>,
) -> Result<Response, Error> {
    let page = page(&frame, &member, &app).await?;
    frame.show(&page)
}

pub(super) async fn update(
    State(app): State<App>,
    frame: Frame,
    member: OrgMember<WriteOrg>,
    form: Form,
) -> Result<Response, Error> {
    let mut wrong = page(&frame, &member, &app).await?;
    wrong.allowed = allowed(&form);
    let Some(patch) = patch(&form, &mut wrong)? else {
        return frame.show_as(StatusCode::UNPROCESSABLE_ENTITY, &wrong);
    };
    match app.store.update_organization(&member.scope, patch).await {
        Ok(changed) => {
            let back = urls::org_settings(changed.slug.as_str());
            Ok(notice::redirect(&back, "Saved the settings.", &app))
        }
        Err(StoreError::Conflict { what: "slug" }) => {
            wrong.slug.error = Some("This slug is taken. Choose another.".to_owned());
            frame.show_as(StatusCode::CONFLICT, &wrong)
        }
        Err(other) => Err(other.into()),
    }
}

/// What the form asks for, or else what is wrong with it, marked in the page.
fn patch(form: &Fields, page: &mut Settings) -> Result<Option<OrganizationPatch>, Error> {
    let (name, text) = (form.text("name")?, form.text("slug")?);
    page.name = Field {
        error: name_error(name, ORG_NAME_CHARS_MAX),
        ..Field::filled(name)
    };
    let slug = Slug::parse(text.trim());
    page.slug = Field {
        error: slug.as_ref().err().map(|why| sentence(&why.to_string())),
        ..Field::filled(text)
    };
    let (Ok(slug), false) = (slug, page.name.is_wrong()) else {
        return Ok(None);
    };
    let settings = OrgSetting::ALL.into_iter();
    Ok(Some(OrganizationPatch {
        name: Some(name.trim().to_owned()),
        slug: Some(slug),
        plan: None,
        settings: settings
            .map(|setting| (setting, page.allowed.has(setting)))
            .collect(),
    }))
}

fn allowed(form: &Fields) -> OrgSettings {
    form.all("allow")
        .filter_map(|name| name.parse().ok())
        .collect()
}

/// The page with nothing typed yet.
pub(super) async fn page<A: Permit>(
    frame: &Frame,
    member: &OrgMember<A>,
    app: &App,
) -> Result<Settings, Error> {
    let org = &member.organization;
    Ok(Settings {
        nav: frame.in_org(member, NavItem::Settings, app).await?,
        name: Field::filled(&org.name),
        slug: Field::filled(org.slug.as_str()),
        allowed: org.settings,
        may_write: member.permission(Action::WriteOrg, app).await?,
        deleted_projects: deleted_projects(member, app).await?,
        heirs: heirs(member, app).await?,
        may_hand_over: member.permission(Action::TransferOwnership, app).await?,
        may_convert: member.permission(Action::ConvertOrg, app).await?,
        confirm: Field::default(),
        may_delete: member.permission(Action::DeleteOrg, app).await?,
        is_fresh: member.signed_in.reaches(Action::DeleteOrg, app).is_ok(),
        org: org.clone(),
    })
}

/// Who could own the organization besides the caller, where the caller may decide that.
async fn heirs<A>(member: &OrgMember<A>, app: &App) -> Result<Vec<Member>, Error> {
    if !member.may(Action::TransferOwnership) {
        return Ok(Vec::new());
    }
    let mut members = app.store.list_members(&member.scope).await?;
    members.retain(|other| other.user_id != member.member.user_id);
    Ok(members)
}

/// Projects whose deletion the caller may take back.
async fn deleted_projects<A>(
    member: &OrgMember<A>,
    app: &App,
) -> Result<Vec<DeletedProject>, Error> {
    if !member.may(Action::DeleteProject) {
        return Ok(Vec::new());
    }
    let deleted = app.store.list_deleted_projects(&member.scope).await?;
    let rows = deleted.into_iter().map(|deleted| DeletedProject {
        purged_at: deleted.purged_at(),
        deleted_at: deleted.deleted_at,
        project: deleted.project,
    });
    Ok(rows.collect())
}
