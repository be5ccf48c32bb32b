//! `/o/{org}/issues`.

use std::collections::HashMap;

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use copal_model::policy::Action;
use copal_model::search::{self, Condition, Query, QueryError, Term};
use copal_model::{Issue, IssueId, Project, ProjectId, Timestamp};
use copal_store::issues::{HourCount, IssueQuery, IssueSort};
use copal_store::{OrgScope, PageRequest};
use copal_ui::NavItem;
use copal_ui::filter::{IssueFilter, Sort};
use copal_ui::pages::issue::{Emptiness, List, ProjectOption, Row, TabCounts};
use copal_ui::trend::Trend;

use crate::app::App;
use crate::auth::OrgMember;
use crate::auth::permit::ReadIssues;
use crate::web::Error;
use crate::web::frame::Frame;

/// Rows of one page of the list.
const ROWS: usize = 50;
/// Bars of the trend in a row.
const TREND_BARS: usize = 24;

pub(super) async fn list(
    State(app): State<App>,
    frame: Frame,
    member: OrgMember<ReadIssues>,
    RawQuery(query): RawQuery,
) -> Result<Response, Error> {
    let now = frame.now();
    let query = query.unwrap_or_default();
    let filter = IssueFilter::from_pairs(form_urlencoded::parse(query.as_bytes()));
    let projects = app.store.list_projects(&member.scope).await?;
    // Together: where the store is another process each answer is on its way for a while.
    let ((rows, next_cursor, query_error), counts, environments, nav) = tokio::try_join!(
        rows(&app, &member.scope, &projects, &filter, now),
        async { Ok(app.store.count_issues(&member.scope).await?) },
        environments(&app, &member.scope, &filter),
        frame.in_org(&member, NavItem::Issues, &app),
    )?;
    let page = List {
        nav,
        emptiness: emptiness(&projects),
        rows,
        next_cursor,
        projects: projects.into_iter().map(option).collect(),
        environments,
        counts: TabCounts {
            open: counts.open,
            resolved: counts.resolved,
            ignored: counts.ignored,
        },
        may_triage: member.permission(Action::TriageIssues, &app).await?,
        may_create_project: member.permission(Action::CreateProject, &app).await?,
        filter,
        query_error,
    };
    match page.query_error {
        Some(_) => frame.show_as(StatusCode::BAD_REQUEST, &page),
        None => frame.show(&page),
    }
}

/// What the store is asked. A status in the query itself counts more than the tab.
fn issue_query(
    filter: &IssueFilter,
    projects: &[Project],
    now: Timestamp,
) -> Result<IssueQuery, QueryError> {
    let mut query: Query = search::parse(&filter.query, now)?;
    let names_status =
        |term: &Term| matches!(term.condition, Condition::Status(_) | Condition::Regressed);
    if let Some(status) = filter
        .status
        .status()
        .filter(|_| !query.terms.iter().any(names_status))
    {
        query.terms.push(Term {
            is_negated: false,
            condition: Condition::Status(status),
        });
    }
    let wanted = filter.project.as_deref();
    Ok(IssueQuery {
        query,
        projects: projects
            .iter()
            .filter(|project| Some(project.slug.as_str()) == wanted)
            .map(|project| project.id)
            .collect(),
        environment: filter.environment.clone(),
        seen_since: filter.period.since(now),
        sort: match filter.sort {
            Sort::LastSeen => IssueSort::LastSeen,
            Sort::FirstSeen => IssueSort::FirstSeen,
            Sort::Events => IssueSort::Events,
            Sort::Users => IssueSort::Users,
        },
    })
}

/// The rows of the page and where the next one begins; none where the query cannot be understood.
async fn rows(
    app: &App,
    scope: &OrgScope,
    projects: &[Project],
    filter: &IssueFilter,
    now: Timestamp,
) -> Result<(Vec<Row>, Option<String>, Option<QueryError>), Error> {
    let query = match issue_query(filter, projects, now) {
        Ok(query) => query,
        Err(error) => return Ok((Vec::new(), None, Some(error))),
    };
    let page = PageRequest {
        cursor: filter.cursor.clone(),
        limit: ROWS,
    };
    let issues = app.store.list_issues(scope, &query, &page).await?;
    let since = filter.period.graph_since(now);
    let ids: Vec<IssueId> = issues.rows.iter().map(|issue| issue.id).collect();
    let trends = app.store.list_trends(scope, &ids, since).await?;
    let trends: HashMap<IssueId, Vec<HourCount>> = trends.into_iter().collect();
    let names: HashMap<ProjectId, &str> = projects
        .iter()
        .map(|project| (project.id, project.name.as_str()))
        .collect();
    let row = |issue: Issue| {
        let hours = trends.get(&issue.id).map_or(&[][..], Vec::as_slice);
        Row {
            project_name: names
                .get(&issue.id.project())
                .copied()
                .unwrap_or_default()
                .to_owned(),
            trend: trend(hours, since, now, TREND_BARS),
            issue,
        }
    };
    let rows = issues.rows.into_iter().map(row).collect();
    Ok((rows, issues.next, None))
}

/// Counts by the hour as bars.
pub(super) fn trend(hours: &[HourCount], since: Timestamp, now: Timestamp, bars: usize) -> Trend {
    let points = hours.iter().map(|hour| (hour.hour, hour.events));
    Trend::from_points(points, since, now, bars)
}

/// Environments to choose from: the organization's, and the one chosen even if it is none of them.
async fn environments(
    app: &App,
    scope: &OrgScope,
    filter: &IssueFilter,
) -> Result<Vec<String>, Error> {
    let mut environments = app.store.list_environments(scope).await?;
    let chosen = filter.environment.iter();
    environments.extend(chosen.cloned());
    environments.sort();
    environments.dedup();
    Ok(environments)
}

fn emptiness(projects: &[Project]) -> Emptiness {
    let Some(first) = projects.first() else {
        return Emptiness::NoProject;
    };
    if projects
        .iter()
        .all(|project| project.first_event_at.is_none())
    {
        return Emptiness::NoEvent(first.slug.to_string());
    }
    Emptiness::NothingMatches
}

fn option(project: Project) -> ProjectOption {
    ProjectOption {
        slug: project.slug.to_string(),
        name: project.name,
    }
}

#[cfg(test)]
mod tests {
    use copal_model::IssueStatus;

    use super::*;

    fn statuses(pairs: &[(&str, &str)]) -> Vec<Condition> {
        let filter = IssueFilter::from_pairs(pairs.iter().copied());
        let query = issue_query(&filter, &[], Timestamp::UNIX_EPOCH).unwrap();
        query
            .query
            .terms
            .into_iter()
            .map(|term| term.condition)
            .collect()
    }

    #[test]
    fn a_status_in_the_query_counts_more_than_the_tab() {
        assert_eq!(statuses(&[]), [Condition::Status(IssueStatus::Open)]);
        assert_eq!(statuses(&[("status", "all")]), []);
        assert_eq!(
            statuses(&[("query", "is:resolved")]),
            [Condition::Status(IssueStatus::Resolved)]
        );
        assert_eq!(
            statuses(&[("query", "is:regressed")]),
            [Condition::Regressed]
        );
    }

    #[test]
    fn a_bad_query_names_its_place() {
        let filter = IssueFilter::from_pairs([("query", "is:open is:lost")]);
        let error = issue_query(&filter, &[], Timestamp::UNIX_EPOCH).unwrap_err();
        assert_eq!(error.column, 9);
    }
}
