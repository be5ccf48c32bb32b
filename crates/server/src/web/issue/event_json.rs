//! An event as it is stored. Hostile text: JSON that no browser may take for a page.

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};

use super::show::parse_pick;
use crate::app::App;
use crate::auth::IssueMember;
use crate::auth::permit::ReadRawEvents;
use crate::web::Error;

/// Nothing may run or load, whatever the browser takes the text for.
pub(super) const CSP: &str = "default-src 'none'; frame-ancestors 'none'; sandbox";

pub(super) async fn show(
    State(app): State<App>,
    Path((_, _, event)): Path<(String, String, String)>,
    member: IssueMember<ReadRawEvents>,
) -> Result<Response, Error> {
    let pick = parse_pick(&event)?;
    let found = app
        .store
        .find_event_in_issue(&member.scope, member.issue.id, pick)
        .await?
        .ok_or(Error::not_found("event"))?;
    let name = format!("inline; filename=\"{}.json\"", found.event.summary.event_id);
    let headers = [
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (header::CONTENT_DISPOSITION, name),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::CONTENT_SECURITY_POLICY, CSP.to_owned()),
    ];
    Ok((headers, found.event.payload).into_response())
}
