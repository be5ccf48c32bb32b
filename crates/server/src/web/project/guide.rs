//! `/o/{org}/projects/{project}/guide`: from nothing to the first event.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use copal_model::Project;
use copal_model::policy::Action;
use copal_store::issues::{IssueQuery, IssueSort};
use copal_store::{OrgScope, PageRequest};
use copal_ui::pages::project::{FirstEvent, Guide};
use copal_ui::platforms::Platform;
use copal_ui::{NavItem, urls};

use crate::app::App;
use crate::auth::ProjectMember;
use crate::auth::permit::ReadOrg;
use crate::web::Error;
use crate::web::frame::Frame;

pub(super) async fn show(
    State(app): State<App>,
    frame: Frame,
    member: ProjectMember<ReadOrg>,
    RawQuery(query): RawQuery,
) -> Result<Response, Error> {
    let query = query.unwrap_or_default();
    let asked = form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "platform")
        .map(|(_, value)| value.into_owned());
    let (org, project) = (&member.org, &member.project);
    let may_read_keys = org.permission(Action::ReadKeys, &app).await?;
    let dsn = project
        .dsn(&app.settings.base_url)
        .filter(|_| may_read_keys.is_granted());
    let first = first_issue_path(&app, &org.scope, org.organization.slug.as_str(), project).await?;
    let platform = asked
        .or_else(|| project.platform.clone())
        .unwrap_or_default();
    let page = Guide {
        nav: frame.in_org(org, NavItem::Projects, &app).await?,
        project: project.clone(),
        dsn,
        may_read_keys,
        platform: Platform::find_or_first(&platform),
        first_event: first.map_or(FirstEvent::Waiting, FirstEvent::Arrived),
    };
    frame.show(&page)
}

/// The path of the issue that the project's first event made; `None` while there is none.
pub(in crate::web) async fn first_issue_path(
    app: &App,
    scope: &OrgScope,
    org: &str,
    project: &Project,
) -> Result<Option<String>, Error> {
    let query = IssueQuery {
        projects: vec![project.id],
        sort: IssueSort::LastSeen,
        ..IssueQuery::default()
    };
    let page = app
        .store
        .list_issues(scope, &query, &PageRequest::first(1))
        .await?;
    Ok(page
        .rows
        .first()
        .map(|issue| urls::issue(org, &issue.short_id.to_string())))
}
