//! `/o/{org}/projects/{project}/settings`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use copal_model::Origins;
use copal_model::limits::PROJECT_NAME_CHARS_MAX;
use copal_model::policy::Action;
use copal_store::projects::ProjectPatch;
use copal_ui::form::Field;
use copal_ui::pages::project::{KeyRow, Settings};
use copal_ui::platforms::Platform;
use copal_ui::{NavItem, urls};

use crate::api::projects::retention_in;
use crate::app::App;
use crate::auth::new_account::name_error;
use crate::auth::permit::{Permit, ReadOrg, WriteProject};
use crate::auth::{Form, ProjectMember, Refusal};
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
    let name = form.text("name")?;
    if let Some(error) = name_error(name, PROJECT_NAME_CHARS_MAX) {
        let mut page = page(&frame, &member, &app).await?;
        page.name = Field::wrong(name, error);
        return frame.show_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let typed = form.all("allowed_origins").next();
    let allowed_origins = match typed.map(Origins::parse).transpose() {
        Ok(origins) => origins,
        Err(why) => {
            let mut page = page(&frame, &member, &app).await?;
            page.origins = Field::wrong(typed.unwrap_or_default(), sentence(&why));
            return frame.show_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    let chosen = form.all("retention_days").next();
    let plan = member.org.organization.plan;
    let retention_days = chosen
        .map(|days| retention_in(days.parse().unwrap_or(u16::MAX), plan, &app))
        .transpose()
        .map_err(|problem| Refusal::BadForm(problem.detail))?;
    let platform = Platform::find(form.text("platform")?);
    let patch = ProjectPatch {
        name: Some(name.trim().to_owned()),
        slug: None,
        platform: platform.map(|platform| platform.slug.to_owned()),
        allowed_origins,
        retention_days,
    };
    let project = app.store.update_project(&member.scope, patch).await?;
    let org = member.org.organization.slug.as_str();
    let back = urls::project_settings(org, project.slug.as_str());
    Ok(notice::redirect(&back, "Saved the project.", &app))
}

/// A reason as people read it.
fn sentence(why: &impl ToString) -> String {
    let why = why.to_string();
    let mut characters = why.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).chain(['.']).collect()
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
        origins: Field::filled(project.allowed_origins.to_string()),
        plan_retention_days: app.settings.plans.of(org.organization.plan).retention_days,
        keys: client_keys.into_iter().map(row_of).collect(),
        label: Field::default(),
        confirm: Field::default(),
        may_write: org.permission(Action::WriteProject, app).await?,
        may_read_keys,
        may_write_keys: org.permission(Action::WriteKeys, app).await?,
        may_delete: org.permission(Action::DeleteProject, app).await?,
    })
}
