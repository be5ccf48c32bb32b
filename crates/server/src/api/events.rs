//! Stored events.

use axum::extract::{FromRequestParts, State};
use axum::http::Uri;
use axum::http::request::Parts;
use copal_model::EventSummary;
use copal_model::policy::Action;
use copal_protocol::EventId;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::Result;
use super::describe::Call;
use super::list::Listed;
use super::query::{Paging, Query};
use crate::app::App;
use crate::auth::permit::ReadIssues;
use crate::auth::{IssueCaller, ProjectCaller, Refusal, path};
use crate::problem::Problem;
use crate::routes::{Route, RouteAccess};

/// One row of a list of events.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names that callers see")]
pub struct Event {
    event_id: String,
    issue_id: String,
    project_id: String,
    title: String,
    /// By the SDK's clock.
    #[schema(format = DateTime)]
    occurred_at: String,
    /// By ours.
    #[schema(format = DateTime)]
    received_at: String,
    release: Option<String>,
    environment: Option<String>,
}

/// A stored event with what was sent.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventDetail {
    #[serde(flatten)]
    event: Event,
    /// Normalised, scrubbed event JSON; left out for viewers who may not see it.
    #[schema(value_type = Option<Object>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<Box<RawValue>>,
    /// How it was grouped: `fingerprint`, `variants`, `reasons`.
    #[schema(value_type = Object)]
    grouping: Box<RawValue>,
}

/// The `{event}` of a path.
struct EventInPath(EventId);

/// The routes.
pub fn routes() -> Vec<Route> {
    let read = RouteAccess::Org(Action::ReadIssues);
    vec![
        Route::get(
            "/api/v1/organizations/{org}/issues/{issue}/events",
            read,
            "List the stored events of an issue",
            list,
        )
        .with_operation(|| Call::lists::<Event>().operation()),
        Route::get(
            "/api/v1/organizations/{org}/projects/{project}/events/{event}",
            read,
            "Show a stored event",
            show,
        )
        .with_operation(|| Call::answers::<EventDetail>().operation()),
    ]
}

impl FromRequestParts<App> for EventInPath {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Refusal> {
        let text = path::path_param(parts, "event").await?;
        text.parse()
            .map(Self)
            .map_err(|_| Refusal::NotFound { what: "event" })
    }
}

async fn list(
    issue: IssueCaller<ReadIssues>,
    State(app): State<App>,
    Query(paging): Query<Paging>,
    uri: Uri,
) -> Result<Listed<Event>> {
    let page = app
        .store
        .list_events(&issue.scope, issue.issue.id, &paging.request()?)
        .await?;
    Ok(Listed::new(page.map(Event::of), &uri, &app.settings))
}

async fn show(
    project: ProjectCaller<ReadIssues>,
    EventInPath(event): EventInPath,
    State(app): State<App>,
) -> Result<axum::Json<EventDetail>> {
    let found = app.store.find_event(&project.scope, event).await?;
    let found = found.ok_or_else(|| Problem::not_found("event"))?;
    let sees_raw = project.org.sees(Action::ReadRawEvents, &app);
    let payload = sees_raw.then_some(found.payload);
    Ok(axum::Json(EventDetail {
        event: Event::of(found.summary),
        payload: payload.map(raw).transpose()?,
        grouping: raw(found.grouping)?,
    }))
}

/// Stored JSON as it is, without building a tree of it.
fn raw(json: Vec<u8>) -> Result<Box<RawValue>> {
    let broken = |error: Box<dyn std::error::Error + Send + Sync>| {
        Problem::from(copal_store::Error::Broken(error))
    };
    let text = String::from_utf8(json).map_err(|error| broken(error.into()))?;
    RawValue::from_string(text).map_err(|error| broken(error.into()))
}

impl Event {
    fn of(event: EventSummary) -> Self {
        Self {
            event_id: event.event_id.to_string(),
            issue_id: event.issue_id.to_string(),
            project_id: event.issue_id.project().to_string(),
            title: event.title,
            occurred_at: event.occurred_at.to_string(),
            received_at: event.received_at.to_string(),
            release: event.release,
            environment: event.environment,
        }
    }
}
