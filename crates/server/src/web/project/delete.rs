//! Deleting a project, for which its name must be typed, and taking that back.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use copal_ui::form::Field;
use copal_ui::urls;

use super::settings::page;
use crate::api::projects::{DeletedProject, bring_back};
use crate::app::App;
use crate::auth::permit::DeleteProject;
use crate::auth::{Form, OrgMember, ProjectMember};
use crate::web::Error;
use crate::web::frame::Frame;
use crate::web::notice;

pub(super) async fn delete(
    State(app): State<App>,
    frame: Frame,
    member: ProjectMember<DeleteProject>,
    form: Form,
) -> Result<Response, Error> {
    let typed = form.text("confirm")?;
    if typed.trim() != member.project.name {
        let mut page = page(&frame, &member, &app).await?;
        page.confirm = Field::wrong(typed, "Type the project's name as it is written above.");
        return frame.show_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let now = app.clock.now();
    app.store.retire_project(&member.scope, now).await?;
    let notice = format!(
        "Deleted {}. On the settings page of the organization you can take that back.",
        member.project.name
    );
    let dashboard = urls::dashboard(member.org.organization.slug.as_str());
    Ok(notice::redirect(&dashboard, &notice, &app))
}

pub(super) async fn restore(
    State(app): State<App>,
    member: OrgMember<DeleteProject>,
    DeletedProject(wanted): DeletedProject,
    _form: Form,
) -> Result<Response, Error> {
    let project = bring_back(&member.scope, &wanted, &app).await?;
    let org = member.organization.slug.as_str();
    let back = urls::project_settings(org, project.slug.as_str());
    let text = format!("{} is back, as it was.", project.name);
    Ok(notice::redirect(&back, &text, &app))
}
