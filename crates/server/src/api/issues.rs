//! Issues.

use axum::extract::State;
use axum::http::{Method, StatusCode, Uri};
use copal_model::policy::Action;
use copal_model::{Organization, Timestamp, search};
use copal_store::access::IssueRef;
use copal_store::issues::{IssueQuery, IssueSort};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::{Json, invalid};
use super::describe::Call;
use super::list::Listed;
use super::query::{Paging, Query};
use super::{Result, names};
use crate::app::App;
use crate::auth::path::parse_project;
use crate::auth::permit::{DeleteIssues, ReadIssues, TriageIssues};
use crate::auth::{IssueCaller, OrgCaller};
use crate::problem::Problem;
use crate::routes::{Route, RouteAccess};

/// All events grouped as one error, and their counts.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Issue {
    id: String,
    /// Readable, such as `SHOP-12`.
    short_id: String,
    project_id: String,
    /// The deciding hash of the first event.
    fingerprint: String,
    title: String,
    error_type: Option<String>,
    /// The place blamed.
    culprit: String,
    level: names::Level,
    platform: String,
    status: names::IssueStatus,
    /// It came back after it had been resolved.
    is_regressed: bool,
    /// All accepted events, also those no longer stored.
    events_count: u64,
    /// Distinct users over all accepted events.
    users_affected: u64,
    #[schema(format = DateTime)]
    first_seen: String,
    #[schema(format = DateTime)]
    last_seen: String,
    first_release: Option<String>,
    last_release: Option<String>,
    /// The issue's page.
    permalink: String,
}

/// A change to an issue.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IssueChange {
    status: Option<names::IssueStatus>,
}

/// Which issues are wanted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    #[serde(default)]
    query: String,
    project: Option<String>,
    environment: Option<String>,
    #[serde(default)]
    sort: Sort,
    period: Option<String>,
    cursor: Option<String>,
    limit: Option<usize>,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Sort {
    #[default]
    LastSeen,
    FirstSeen,
    Events,
    Users,
}

const ALL: &str = "/api/v1/organizations/{org}/issues";
const ONE: &str = "/api/v1/organizations/{org}/issues/{issue}";

/// The routes.
pub fn routes() -> Vec<Route> {
    let read = RouteAccess::Org(Action::ReadIssues);
    vec![
        Route::get(ALL, read, "List issues", list).with_operation(|| {
            Call::lists::<Issue>()
                .query(
                    "query",
                    "Terms that must all hold, such as `is:open level:error`.",
                )
                .query("project", "Id or slug of the one project.")
                .query("environment", "Only issues with an event there.")
                .choice(
                    "sort",
                    "What the list is ordered by, the most first.",
                    &["lastSeen", "firstSeen", "events", "users"],
                )
                .query(
                    "period",
                    "Seen within, such as `24h` or `14d`; `all` for all time.",
                )
                .about("Without a query: issues of every status, of all time.")
                .operation()
        }),
        Route::get(ONE, read, "Show an issue", show)
            .with_operation(|| Call::answers::<Issue>().operation()),
        Route::new(
            Method::PATCH,
            ONE,
            RouteAccess::Org(Action::TriageIssues),
            "Resolve, ignore or reopen an issue",
            update,
        )
        .with_operation(|| Call::answers::<Issue>().takes::<IssueChange>().operation()),
        Route::new(
            Method::DELETE,
            ONE,
            RouteAccess::Org(Action::DeleteIssues),
            "Delete an issue with its events",
            delete,
        )
        .with_operation(|| Call::deletes().operation()),
    ]
}

async fn list(
    org: OrgCaller<ReadIssues>,
    State(app): State<App>,
    Query(wanted): Query<ListQuery>,
    uri: Uri,
) -> Result<Listed<Issue>> {
    let now = app.clock.now();
    let query = IssueQuery {
        query: search::parse(&wanted.query, now)
            .map_err(|why| invalid(format!("`query` cannot be used: {why}.")))?,
        projects: projects_in(wanted.project, &org, &app).await?,
        environment: wanted.environment,
        seen_since: since(wanted.period.as_deref(), now)?,
        sort: wanted.sort.into(),
    };
    let paging = Paging {
        cursor: wanted.cursor,
        limit: wanted.limit,
    };
    let page = app
        .store
        .list_issues(&org.scope, &query, &paging.request()?)
        .await?;
    let page = page.map(|issue| Issue::of(issue, &org.organization, &app));
    Ok(Listed::new(page, &uri, &app.settings))
}

async fn projects_in(
    project: Option<String>,
    org: &OrgCaller<ReadIssues>,
    app: &App,
) -> Result<Vec<copal_model::ProjectId>> {
    let Some(text) = project else {
        return Ok(Vec::new());
    };
    let missing = || Problem::not_found("project");
    let wanted = parse_project(&text).ok_or_else(missing)?;
    let opened = app.store.open_project(&org.scope, &wanted).await?;
    let (_, project) = opened.ok_or_else(missing)?;
    Ok(vec![project.id])
}

fn since(period: Option<&str>, now: Timestamp) -> Result<Option<Timestamp>> {
    match period {
        None | Some("all" | "") => Ok(None),
        Some(text) => {
            let age = search::parse_age(text).ok_or_else(|| {
                invalid("`period` cannot be used: `30m`, `24h`, `14d`, `2w` and `all` can.")
            })?;
            Ok(Some(now.checked_sub(age).unwrap_or(Timestamp::MIN)))
        }
    }
}

async fn show(issue: IssueCaller<ReadIssues>, State(app): State<App>) -> axum::Json<Issue> {
    axum::Json(Issue::of(issue.issue, &issue.org.organization, &app))
}

async fn update(
    issue: IssueCaller<TriageIssues>,
    State(app): State<App>,
    Json(change): Json<IssueChange>,
) -> Result<axum::Json<Issue>> {
    let changed = match change.status {
        None => issue.issue,
        Some(status) => {
            let named = IssueRef::Id(issue.issue.id);
            let (store, org) = (&app.store, &issue.org.scope);
            let changes =
                store.set_issue_statuses(org, std::slice::from_ref(&named), status.into());
            changes.await?;
            let found = store.find_issue(org, &named).await?;
            found.ok_or_else(|| Problem::not_found("issue"))?.1
        }
    };
    Ok(axum::Json(Issue::of(
        changed,
        &issue.org.organization,
        &app,
    )))
}

async fn delete(issue: IssueCaller<DeleteIssues>, State(app): State<App>) -> Result<StatusCode> {
    app.store.delete_issue(&issue.scope, issue.issue.id).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<Sort> for IssueSort {
    fn from(sort: Sort) -> Self {
        match sort {
            Sort::LastSeen => Self::LastSeen,
            Sort::FirstSeen => Self::FirstSeen,
            Sort::Events => Self::Events,
            Sort::Users => Self::Users,
        }
    }
}

impl Issue {
    fn of(issue: copal_model::Issue, organization: &Organization, app: &App) -> Self {
        let short_id = issue.short_id.to_string();
        let path = copal_ui::urls::issue(organization.slug.as_str(), &short_id);
        Self {
            id: issue.id.to_string(),
            permalink: format!("{}{path}", app.settings.base_url),
            short_id,
            project_id: issue.id.project().to_string(),
            fingerprint: issue.fingerprint,
            title: issue.title,
            error_type: issue.error_type,
            culprit: issue.culprit,
            level: issue.level.into(),
            platform: issue.platform,
            status: issue.status.into(),
            is_regressed: issue.is_regressed,
            events_count: issue.events_count,
            users_affected: issue.users_affected,
            first_seen: issue.first_seen.to_string(),
            last_seen: issue.last_seen.to_string(),
            first_release: issue.first_release,
            last_release: issue.last_release,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_counts_back_from_now() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let hour_ago = Timestamp::from_second(1_800_000_000 - 3600).unwrap();
        assert_eq!(since(Some("1h"), now).unwrap(), Some(hour_ago));
        assert_eq!(since(Some("all"), now).unwrap(), None);
        assert_eq!(since(None, now).unwrap(), None);
        let ages_ago = since(Some("1000000w"), now).unwrap();
        assert_eq!(ages_ago, Some(Timestamp::MIN));
        let refused = since(Some("soon"), now).unwrap_err();
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    }
}
