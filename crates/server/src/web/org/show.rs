//! `/o/{org}` and `/o/{org}/members`.

use axum::extract::State;
use axum::response::Response;
use copal_model::policy::Action;
use copal_model::{IssueStatus, Project, Timestamp};
use copal_store::issues::IssueQuery;
use copal_store::{OrgScope, PageRequest};
use copal_ui::NavItem;
use copal_ui::pages::organization::{Dashboard, Members, ProjectCard};
use copal_ui::trend::Trend;
use jiff::SignedDuration;

use crate::app::App;
use crate::auth::OrgMember;
use crate::auth::permit::{ReadMembers, ReadOrg};
use crate::web::Error;
use crate::web::frame::Frame;

/// Days that the graph of a project shows, a bar each.
const TREND_DAYS: usize = 14;
/// Issues that are looked at for a project's card: the busiest of the fortnight.
const ISSUES_PER_CARD_MAX: usize = 100;

pub(super) async fn dashboard(
    State(app): State<App>,
    frame: Frame,
    member: OrgMember<ReadOrg>,
) -> Result<Response, Error> {
    let mut projects = Vec::new();
    for project in app.store.list_projects(&member.scope).await? {
        projects.push(card(&app, &member.scope, project, frame.now()).await?);
    }
    let page = Dashboard {
        nav: frame.in_org(&member, NavItem::Projects, &app).await?,
        org: member.organization.clone(),
        projects,
        may_create_project: member.permission(Action::CreateProject, &app).await?,
    };
    frame.show(&page)
}

pub(super) async fn members(
    State(app): State<App>,
    frame: Frame,
    member: OrgMember<ReadMembers>,
) -> Result<Response, Error> {
    let page = Members {
        nav: frame.in_org(&member, NavItem::Members, &app).await?,
        org: member.organization.clone(),
        members: app.store.list_members(&member.scope).await?,
    };
    frame.show(&page)
}

/// What goes on in a project, summed over the issues seen last.
async fn card(
    app: &App,
    scope: &OrgScope,
    project: Project,
    now: Timestamp,
) -> Result<ProjectCard, Error> {
    let since = now - SignedDuration::from_hours(24 * 14);
    let query = IssueQuery {
        projects: vec![project.id],
        ..IssueQuery::default()
    };
    let page = PageRequest::first(ISSUES_PER_CARD_MAX);
    let issues = app.store.list_issues(scope, &query, &page).await?.rows;
    let ids: Vec<_> = issues.iter().map(|issue| issue.id).collect();
    let trends = app.store.list_trends(scope, &ids, since).await?;
    let points: Vec<_> = trends
        .iter()
        .flat_map(|(_, hours)| hours.iter().map(|hour| (hour.hour, hour.events)))
        .collect();
    let day = now - SignedDuration::from_hours(24);
    let is_open = |issue: &&copal_model::Issue| issue.status == IssueStatus::Open;
    Ok(ProjectCard {
        open_issues: issues.iter().filter(is_open).count() as u64,
        events_day: Trend::from_points(points.iter().copied(), day, now, 1).total(),
        trend: Trend::from_points(points, since, now, TREND_DAYS),
        project,
    })
}
