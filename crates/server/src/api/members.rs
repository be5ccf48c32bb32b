//! Members of an organization.

use axum::extract::State;
use axum::http::Uri;
use copal_model::policy::Action;
use serde::Serialize;
use utoipa::ToSchema;

use super::describe::Call;
use super::list::{Listed, page_of};
use super::query::{Paging, Query};
use super::{Result, names};
use crate::app::App;
use crate::auth::OrgCaller;
use crate::auth::permit::ReadMembers;
use crate::routes::{Route, RouteAccess};

/// A user in an organization.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    /// Within the organization: the user's id.
    id: String,
    user_id: String,
    org_id: String,
    role: names::Role,
    name: String,
    /// Left out for viewers.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[schema(format = DateTime)]
    joined_at: String,
}

/// The routes.
pub fn routes() -> Vec<Route> {
    vec![
        Route::get(
            "/api/v1/organizations/{org}/members",
            RouteAccess::Org(Action::ReadMembers),
            "List members",
            list,
        )
        .with_operation(|| Call::lists::<Member>().operation()),
    ]
}

async fn list(
    org: OrgCaller<ReadMembers>,
    State(app): State<App>,
    Query(paging): Query<Paging>,
    uri: Uri,
) -> Result<Listed<Member>> {
    let request = paging.request()?;
    let all = app.store.list_members(&org.scope).await?;
    let page = page_of(all, &request, |member| member.user_id)?;
    let sees_emails = org.sees(Action::ReadMemberEmails, &app);
    let page = page.map(|member| Member {
        id: member.user_id.to_string(),
        user_id: member.user_id.to_string(),
        org_id: member.org_id.to_string(),
        role: member.role.into(),
        name: member.name,
        email: sees_emails.then(|| member.email.to_string()),
        joined_at: member.joined_at.to_string(),
    });
    Ok(Listed::new(page, &uri, &app.settings))
}
