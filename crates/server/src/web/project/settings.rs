//! `/o/{org}/projects/{project}/settings`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use copal_model::limits::PROJECT_NAME_CHARS_MAX;
use copal_model::policy::Action;
use copal_model::{Origins, Plan, Slug};
use copal_store::Error as StoreError;
use copal_store::projects::ProjectPatch;
use copal_ui::form::Field;
use copal_ui::pages::project::{KeyRow, Settings};
use copal_ui::platforms::Platform;
use copal_ui::{NavItem, urls};

use super::{inbound, transfer};
use crate::api::projects::retention_in;
use crate::app::App;
use crate::auth::form::Fields;
use crate::auth::new_account::{name_error, sentence};
use crate::auth::permit::{Permit, ReadOrg, WriteProject};
use crate::auth::{Form, ProjectMember};
use crate::web::Error;
use crate::web::frame::Frame;
use crate::web::notice;

pub(super) async fn show(
    State(app): State<App>,
    frame: Frame,
    member: ProjectMember<ReadOrg>,
) -> Result<Response, Error> {
    let page = page(&frame, &member, &app).await?;
    frame.show(&page)
}

pub(super) async fn update(
    State(app): State<App>,
    frame: Frame,
    member: ProjectMember<WriteProject>,
    form: Form,
) -> Result<Response, Error> {
    let mut wrong = page(&frame, &member, &app).await?;
    let plan = member.org.organization.plan;
    let Some(patch) = patch(&form, &mut wrong, plan, &app) else {
        return frame.show_as(StatusCode::UNPROCESSABLE_ENTITY, &wrong);
    };
    match app.store.update_project(&member.scope, patch).await {
        Ok(project) => {
            let org = member.org.organization.slug.as_str();
            let back = urls::project_settings(org, project.slug.as_str());
            Ok(notice::redirect(&back, "Saved the project.", &app))
        }
        Err(StoreError::Conflict { what: "slug" }) => {
            wrong.slug.error = Some("Another project has this slug. Choose another.".to_owned());
            frame.show_as(StatusCode::CONFLICT, &wrong)
        }
        Err(other) => Err(other.into()),
    }
}

/// What the fields that were sent ask for, or else what is wrong with them, marked in the page.
fn patch(form: &Fields, page: &mut Settings, plan: Plan, app: &App) -> Option<ProjectPatch> {
    let sent = |field| form.all(field).next();
    let mut patch = ProjectPatch {
        platform: sent("platform")
            .and_then(Platform::find)
            .map(|platform| platform.slug.to_owned()),
        ..ProjectPatch::default()
    };
    if let Some(name) = sent("name") {
        page.name = Field {
            error: name_error(name, PROJECT_NAME_CHARS_MAX),
            ..Field::filled(name)
        };
        patch.name = Some(name.trim().to_owned());
    }
    if let Some(typed) = sent("slug") {
        let slug = Slug::parse(typed.trim());
        page.slug = Field {
            error: slug.as_ref().err().map(|why| sentence(&why.to_string())),
            ..Field::filled(typed)
        };
        patch.slug = slug.ok();
    }
    if let Some(typed) = sent("allowed_origins") {
        let origins = Origins::parse(typed);
        page.origins = Field {
            error: origins.as_ref().err().map(|why| sentence(&why.to_string())),
            ..Field::filled(typed)
        };
        patch.allowed_origins = origins.ok();
    }
    if let Some(days) = sent("retention_days") {
        match retention_in(days.parse().unwrap_or(u16::MAX), plan, app) {
            Ok(days) => patch.retention_days = Some(days),
            Err(problem) => page.retention_error = problem.detail,
        }
    }
    let fields = [&page.name, &page.slug, &page.origins];
    let is_wrong = fields.iter().any(|field| field.is_wrong());
    (!is_wrong && page.retention_error.is_empty()).then_some(patch)
}

/// The page with nothing typed yet.
pub(super) async fn page<A: Permit>(
    frame: &Frame,
    member: &ProjectMember<A>,
    app: &App,
) -> Result<Settings, Error> {
    let (org, project) = (&member.org, &member.project);
    let may_read_keys = org.permission(Action::ReadKeys, app).await?;
    let client_keys = if may_read_keys.is_granted() {
        app.store.list_keys(&member.scope).await?
    } else {
        Vec::new()
    };
    let row_of = |key: copal_model::ClientKey| KeyRow {
        dsn: key.dsn(&app.settings.base_url),
        key,
    };
    Ok(Settings {
        nav: frame.in_org(org, NavItem::Projects, app).await?,
        project: project.clone(),
        name: Field::filled(&project.name),
        slug: Field::filled(project.slug.as_str()),
        retention_error: String::new(),
        inbound: inbound::form(member, app).await?,
        origins: Field::filled(project.allowed_origins.to_string()),
        plan_retention_days: app.settings.plans.of(org.organization.plan).retention_days,
        keys: client_keys.into_iter().map(row_of).collect(),
        label: Field::default(),
        transfer: transfer::form(org, app).await?,
        confirm: Field::default(),
        may_write: org.permission(Action::WriteProject, app).await?,
        may_read_keys,
        may_write_keys: org.permission(Action::WriteKeys, app).await?,
        may_delete: org.permission(Action::DeleteProject, app).await?,
    })
}
