//! `/o/{org}/issues/{issue}`, with its latest event or any other.

use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use copal_model::policy::Action;
use copal_protocol::EventId;
use copal_store::access::ProjectRef;
use copal_store::events::{EventInIssue, EventPick};
use copal_store::issues::TagSummary;
use copal_ui::filter::Period;
use copal_ui::form::Permission;
use copal_ui::pages::event::EventView;
use copal_ui::pages::issue::{Show, StackMode, TagView};
use copal_ui::{NavItem, urls};

use super::list::trend;
use crate::app::App;
use crate::auth::permit::{Permit, ReadIssues};
use crate::auth::{IssueMember, OrgMember};
use crate::web::Error;
use crate::web::event_view::event_view;
use crate::web::frame::Frame;

/// Bars of the graph.
const GRAPH_BARS: usize = 48;
/// Values shown of each tag.
const TAG_VALUES: usize = 5;

pub(super) async fn latest(
    State(app): State<App>,
    frame: Frame,
    member: IssueMember<ReadIssues>,
    RawQuery(query): RawQuery,
) -> Result<Response, Error> {
    let page = page(&app, &frame, &member, EventPick::Latest, query.as_deref()).await?;
    frame.show(&page)
}

pub(super) async fn event(
    State(app): State<App>,
    Path((_, _, event)): Path<(String, String, String)>,
    frame: Frame,
    member: IssueMember<ReadIssues>,
    RawQuery(query): RawQuery,
) -> Result<Response, Error> {
    let pick = parse_pick(&event)?;
    let page = page(&app, &frame, &member, pick, query.as_deref()).await?;
    match (&page.event, pick) {
        (None, EventPick::Id(_)) => Err(Error::not_found("event")),
        _ => frame.show(&page),
    }
}

/// An event as a URL names it.
pub(super) fn parse_pick(text: &str) -> Result<EventPick, Error> {
    match text {
        urls::LATEST => Ok(EventPick::Latest),
        urls::OLDEST => Ok(EventPick::Oldest),
        id => {
            let id: EventId = id.parse().map_err(|_| Error::not_found("event"))?;
            Ok(EventPick::Id(id))
        }
    }
}

async fn page(
    app: &App,
    frame: &Frame,
    member: &IssueMember<ReadIssues>,
    pick: EventPick,
    query: Option<&str>,
) -> Result<Show, Error> {
    let (org, issue, now) = (&member.org, &member.issue, frame.now());
    let (period, stack) = view(query.unwrap_or_default());
    let since = period.graph_since(now);
    let store = &app.store;
    let project = ProjectRef::Id(issue.id.project());
    // Together: where the store is another process each answer is on its way for a while.
    let told = async {
        Ok(tokio::try_join!(
            store.open_project(&org.scope, &project),
            store.list_trends(&org.scope, std::slice::from_ref(&issue.id), since),
            store.list_issue_tags(&member.scope, issue.id, TAG_VALUES),
            store.find_event_in_issue(&member.scope, issue.id, pick),
        )?)
    };
    let (nav, (project, trends, tags, event), permissions) = tokio::try_join!(
        frame.in_org(org, NavItem::Issues, app),
        told,
        permissions(org, app),
    )?;
    let (may_triage, may_read_raw, may_delete) = permissions;
    let hours = trends
        .into_iter()
        .next()
        .unwrap_or((issue.id, Vec::new()))
        .1;
    let path = urls::issue(org.organization.slug.as_str(), &issue.short_id.to_string());
    Ok(Show {
        nav,
        issue: issue.clone(),
        project_name: project.map(|(_, project)| project.name).unwrap_or_default(),
        period,
        trend: trend(&hours, since, now, GRAPH_BARS),
        tags: tags.into_iter().map(tag_view).collect(),
        event: event.as_ref().map(|event| event_for(org, event)),
        retention_days: app.settings.plans.of(org.organization.plan).retention_days,
        stack,
        permalink: format!("{}{path}", app.settings.base_url),
        may_triage,
        may_read_raw,
        may_delete,
    })
}

/// Whether the member may triage the issue, see its events as they were sent, and delete it.
async fn permissions<A: Permit>(
    org: &OrgMember<A>,
    app: &App,
) -> Result<(Permission, Permission, Permission), Error> {
    Ok(tokio::try_join!(
        org.permission(Action::TriageIssues, app),
        org.permission(Action::ReadRawEvents, app),
        org.permission(Action::DeleteIssues, app),
    )?)
}

/// The event as far as the member may see it.
pub(super) fn event_for<A: Permit>(org: &OrgMember<A>, event: &EventInIssue) -> EventView {
    let view = event_view(event);
    if org.may(Action::ReadRawEvents) {
        view
    } else {
        view.without_source()
    }
}

fn view(query: &str) -> (Period, StackMode) {
    let mut view = (Period::default(), StackMode::default());
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "period" => view.0 = Period::from_value(&value),
            "stack" => view.1 = StackMode::from_value(&value),
            _ => {}
        }
    }
    view
}

fn tag_view(tag: TagSummary) -> TagView {
    TagView {
        key: tag.key,
        total: tag.total,
        values: tag.values,
    }
}
