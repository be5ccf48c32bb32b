//! `/o/{org}`: what needs somebody now, and what goes on in each project.

use axum::extract::State;
use axum::response::Response;
use copal_model::limits::PAGE_ROWS_MAX;
use copal_model::policy::Action;
use copal_model::search;
use copal_model::{Issue, Project, Timestamp};
use copal_store::issues::{HourCount, IssueQuery, IssueSort};
use copal_store::projects::ProjectActivity;
use copal_store::{OrgScope, PageRequest};
use copal_ui::NavItem;
use copal_ui::filter::{IssueFilter, Period, Sort};
use copal_ui::pages::organization::{Attention, Dashboard, IssueLine, ProjectCard};
use copal_ui::trend::Trend;

use crate::app::App;
use crate::auth::OrgMember;
use crate::auth::permit::ReadOrg;
use crate::web::Error;
use crate::web::frame::Frame;

/// Days that the graph of a project shows, a bar each.
const TREND_DAYS: usize = 14;
/// Issues named in each group of what needs somebody.
const LINES: usize = 5;
/// Open issues that came back after they had been resolved.
const REGRESSED: &str = "is:open is:regressed";
/// Open issues of the last day.
const NEW: &str = "is:open firstSeen:-24h";
/// Open issues that had events in the last day.
const ACTIVE: &str = "is:open lastSeen:-24h";

pub(super) async fn dashboard(
    State(app): State<App>,
    frame: Frame,
    member: OrgMember<ReadOrg>,
) -> Result<Response, Error> {
    let (scope, now) = (&member.scope, frame.now());
    let since = Period::TwoWeeks.graph_since(now);
    // Together: where the store is another process each answer is on its way for a while.
    let ((activity, projects), attention, nav) = tokio::try_join!(
        async {
            Ok(tokio::try_join!(
                app.store.list_project_activity(scope, since),
                app.store.list_projects(scope),
            )?)
        },
        attention(&app, scope, now),
        frame.in_org(&member, NavItem::Projects, &app),
    )?;
    let is_empty = projects.is_empty();
    let card = |project| card(project, &activity, since, now);
    let page = Dashboard {
        nav,
        org: member.organization.clone(),
        attention: if is_empty { Vec::new() } else { attention },
        projects: projects.into_iter().map(card).collect(),
        may_create_project: member.permission(Action::CreateProject, &app).await?,
    };
    frame.show(&page)
}

/// What needs somebody: what came back, what is new, what happens most.
async fn attention(app: &App, scope: &OrgScope, now: Timestamp) -> Result<Vec<Attention>, Error> {
    let (regressed, new, busiest) = tokio::try_join!(
        find(app, scope, REGRESSED, IssueSort::LastSeen, LINES, now),
        find(app, scope, NEW, IssueSort::FirstSeen, LINES, now),
        busiest(app, scope, now),
    )?;
    let seen_ago = |issue: Issue| IssueLine::seen(issue);
    let new_since = |issue: Issue| IssueLine::new_since(issue);
    Ok(vec![
        Attention {
            title: "Regressed",
            nothing: "Nothing that was resolved has come back.",
            filter: filter(REGRESSED, Sort::LastSeen),
            lines: regressed.into_iter().map(seen_ago).collect(),
        },
        Attention {
            title: "New in 24 hours",
            nothing: "No issue is younger than a day.",
            filter: filter(NEW, Sort::FirstSeen),
            lines: new.into_iter().map(new_since).collect(),
        },
        Attention {
            title: "Busiest in 24 hours",
            nothing: "No open issue had an event in the last day.",
            filter: filter(ACTIVE, Sort::Events),
            lines: busiest,
        },
    ])
}

/// The issues with the most events of the last day, among those with the most events ever: an
/// issue with few events ever has few today.
async fn busiest(app: &App, scope: &OrgScope, now: Timestamp) -> Result<Vec<IssueLine>, Error> {
    let issues = find(app, scope, ACTIVE, IssueSort::Events, PAGE_ROWS_MAX, now).await?;
    let ids: Vec<_> = issues.iter().map(|issue| issue.id).collect();
    let since = Period::Day.graph_since(now);
    let trends = app.store.list_trends(scope, &ids, since).await?;
    let events = |issue: &Issue| {
        let hours = trends.iter().find(|(id, _)| *id == issue.id);
        hours.map_or(0, |(_, hours)| total(hours))
    };
    let mut lines: Vec<_> = issues
        .into_iter()
        .map(|issue| (events(&issue), issue))
        .filter(|(events, _)| *events > 0)
        .collect();
    lines.sort_by_key(|(events, _)| std::cmp::Reverse(*events));
    lines.truncate(LINES);
    let line = |(events, issue)| IssueLine::with_events(issue, events);
    Ok(lines.into_iter().map(line).collect())
}

async fn find(
    app: &App,
    scope: &OrgScope,
    query: &str,
    sort: IssueSort,
    limit: usize,
    now: Timestamp,
) -> Result<Vec<Issue>, Error> {
    let query = IssueQuery {
        query: search::parse(query, now).unwrap_or_default(),
        sort,
        ..IssueQuery::default()
    };
    let page = PageRequest::first(limit);
    Ok(app.store.list_issues(scope, &query, &page).await?.rows)
}

/// The list that a group of issues is the beginning of.
fn filter(query: &str, sort: Sort) -> IssueFilter {
    IssueFilter {
        query: query.to_owned(),
        period: Period::All,
        sort,
        ..IssueFilter::default()
    }
}

/// What goes on in a project.
fn card(
    project: Project,
    activity: &[ProjectActivity],
    since: Timestamp,
    now: Timestamp,
) -> ProjectCard {
    let own = activity.iter().find(|one| one.project == project.id);
    let hours = own.map_or(&[][..], |one| &one.hours);
    let points = || hours.iter().map(|hour| (hour.hour, hour.events));
    let day = Period::Day.graph_since(now);
    ProjectCard {
        open_issues: own.map_or(0, |one| one.open_issues),
        events_day: Trend::from_points(points(), day, now, 1).total(),
        trend: Trend::from_points(points(), since, now, TREND_DAYS),
        project,
    }
}

fn total(hours: &[HourCount]) -> u64 {
    hours.iter().map(|hour| hour.events).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_queries_are_ones_that_people_can_type() {
        for query in [REGRESSED, NEW, ACTIVE] {
            let parsed = search::parse(query, Timestamp::UNIX_EPOCH).unwrap();
            assert_eq!(parsed.terms.len(), 2, "{query}");
        }
    }
}
