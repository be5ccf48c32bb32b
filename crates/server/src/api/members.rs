//! Members of an organization.

use axum::extract::State;
use axum::http::{Method, StatusCode, Uri};
use copal_model::policy::Action;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::Json;
use super::describe::Call;
use super::list::{Listed, page_of};
use super::query::{Paging, Query};
use super::{Result, names};
use crate::app::App;
use crate::auth::actor::MemberInPath;
use crate::auth::permit::{ChangeRoles, LeaveOrg, ReadMembers};
use crate::auth::{OrgCaller, OrgMember};
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

/// A change to a membership.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MemberChange {
    role: names::Role,
}

const ONE: &str = "/api/v1/organizations/{org}/members/{member}";

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
        Route::new(
            Method::PATCH,
            ONE,
            RouteAccess::Org(Action::ChangeRoles),
            "Give a member another role",
            update,
        )
        .with_operation(|| {
            Call::answers::<Member>()
                .takes::<MemberChange>()
                .may_conflict()
                .about(
                    "To OWNER and from OWNER: an OWNER in a session whose log-in is recent. Nobody \
                     changes their own role, and the last OWNER stays.",
                )
                .operation()
        }),
        Route::new(
            Method::DELETE,
            ONE,
            RouteAccess::Org(Action::LeaveOrg),
            "Remove a member, or leave",
            delete,
        )
        .with_operation(|| {
            Call::deletes()
                .may_conflict()
                .about(
                    "An ADMIN removes who is no OWNER; an OWNER in a session whose log-in is recent \
                     everybody. Everybody leaves by removing themselves, but the last OWNER stays.",
                )
                .operation()
        }),
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
    let page = page.map(|member| Member::of(member, sees_emails));
    Ok(Listed::new(page, &uri, &app.settings))
}

async fn update(
    org: OrgMember<ChangeRoles>,
    State(app): State<App>,
    MemberInPath(member): MemberInPath,
    Json(change): Json<MemberChange>,
) -> Result<axum::Json<Member>> {
    let (actor, role) = (org.signed_in.actor(&app), change.role.into());
    let answer = app.store.change_role(&org.scope, actor, member, role);
    let changed = org.changed(answer.await?, &app).await?;
    let sees_emails = org.sees(Action::ReadMemberEmails, &app);
    Ok(axum::Json(Member::of(changed, sees_emails)))
}

async fn delete(
    org: OrgMember<LeaveOrg>,
    State(app): State<App>,
    MemberInPath(member): MemberInPath,
) -> Result<StatusCode> {
    let actor = org.signed_in.actor(&app);
    let answer = app.store.remove_member(&org.scope, actor, member);
    org.changed(answer.await?, &app).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl Member {
    /// The membership as who may see addresses, or not, sees it.
    pub(super) fn of(member: copal_model::Member, sees_emails: bool) -> Self {
        Self {
            id: member.user_id.to_string(),
            user_id: member.user_id.to_string(),
            org_id: member.org_id.to_string(),
            role: member.role.into(),
            name: member.name,
            email: sees_emails.then(|| member.email.to_string()),
            joined_at: member.joined_at.to_string(),
        }
    }
}
