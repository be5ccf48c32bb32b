//! An issue with one of its events as Markdown: plain text that no browser may take for a page.

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use copal_ui::markdown::markdown;
use copal_ui::urls;

use super::event_json::CSP;
use super::show::{event_for, parse_pick};
use crate::app::App;
use crate::auth::IssueMember;
use crate::auth::permit::ReadIssues;
use crate::web::Error;

pub(super) async fn show(
    State(app): State<App>,
    Path((_, _, event)): Path<(String, String, String)>,
    member: IssueMember<ReadIssues>,
) -> Result<Response, Error> {
    let pick = parse_pick(&event)?;
    let issue = &member.issue;
    let found = app
        .store
        .find_event_in_issue(&member.scope, issue.id, pick)
        .await?
        .ok_or(Error::not_found("event"))?;
    let org = member.org.organization.slug.as_str();
    let path = urls::issue(org, &issue.short_id.to_string());
    let permalink = format!("{}{path}", app.settings.base_url);
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, CSP),
    ];
    let text = markdown(issue, &permalink, &event_for(&member.org, &found));
    Ok((headers, text).into_response())
}
