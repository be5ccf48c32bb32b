//! Deleting an issue: its short id must be typed, for it cannot be undone.

use axum::extract::State;
use axum::response::Response;
use copal_ui::urls;

use crate::app::App;
use crate::auth::permit::DeleteIssues;
use crate::auth::{Form, IssueMember};
use crate::web::Error;
use crate::web::notice;

pub(super) async fn delete(
    State(app): State<App>,
    member: IssueMember<DeleteIssues>,
    form: Form,
) -> Result<Response, Error> {
    let short_id = member.issue.short_id.to_string();
    let org = member.org.organization.slug.as_str();
    if !form.text("confirm")?.trim().eq_ignore_ascii_case(&short_id) {
        let notice = format!("Nothing was deleted: type {short_id} to delete it.");
        return Ok(notice::redirect(
            &urls::issue(org, &short_id),
            &notice,
            &app,
        ));
    }
    app.store
        .delete_issue(&member.scope, member.issue.id)
        .await?;
    let notice = format!("Deleted {short_id} with its events.");
    Ok(notice::redirect(&urls::issues(org), &notice, &app))
}
