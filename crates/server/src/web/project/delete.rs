//! Deleting a project: its name must be typed, for it cannot be undone.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use copal_ui::form::Field;
use copal_ui::urls;

use super::settings::page;
use crate::app::App;
use crate::auth::permit::DeleteProject;
use crate::auth::{Form, ProjectMember};
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
    app.store.delete_project(&member.scope).await?;
    let notice = format!(
        "Deleted {} with its issues and events.",
        member.project.name
    );
    let dashboard = urls::dashboard(member.org.organization.slug.as_str());
    Ok(notice::redirect(&dashboard, &notice, &app))
}
