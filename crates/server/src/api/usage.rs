//! How much of its plan an organization uses.

use axum::extract::State;
use copal_model::policy::Action;
use serde::Serialize;
use utoipa::ToSchema;

use super::describe::Call;
use super::{Result, names};
use crate::app::App;
use crate::auth::OrgCaller;
use crate::auth::permit::ReadUsage;
use crate::routes::{Route, RouteAccess};

/// What an organization uses of its plan; a limit that is null is none.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    org_id: String,
    org_slug: String,
    plan: names::Plan,
    /// The calendar month (UTC) that events are counted in: `2026-11`.
    month: String,
    /// When they are counted from nothing again.
    #[schema(format = DateTime)]
    renews_at: String,
    /// Events recorded in the month.
    events: u64,
    events_limit: Option<u64>,
    events_left: Option<u64>,
    /// Events refused in the month because there was no room for them.
    events_refused: u64,
    projects: u32,
    projects_limit: Option<u32>,
    members: u32,
    members_limit: Option<u32>,
    /// Days that events are kept.
    retention_days: u16,
}

/// The routes.
pub fn routes() -> Vec<Route> {
    vec![
        Route::get(
            "/api/v1/organizations/{org}/usage",
            RouteAccess::Org(Action::ReadUsage),
            "Show what the organization uses of its plan",
            show,
        )
        .with_operation(|| Call::answers::<Usage>().operation()),
    ]
}

async fn show(org: OrgCaller<ReadUsage>, State(app): State<App>) -> Result<axum::Json<Usage>> {
    let usage = app.store.find_usage(&org.scope, app.clock.now()).await?;
    Ok(axum::Json(Usage::of(&org.organization, &usage)))
}

impl Usage {
    fn of(organization: &copal_model::Organization, usage: &copal_model::Usage) -> Self {
        Self {
            org_id: organization.id.to_string(),
            org_slug: organization.slug.to_string(),
            plan: usage.plan.into(),
            month: usage.month.to_string(),
            renews_at: usage.renews_at().to_string(),
            events: usage.events,
            events_limit: usage.limits.events_per_month,
            events_left: usage.events_left(),
            events_refused: usage.events_refused,
            projects: usage.projects,
            projects_limit: usage.limits.projects,
            members: usage.members,
            members_limit: usage.limits.members,
            retention_days: usage.limits.retention_days,
        }
    }
}
