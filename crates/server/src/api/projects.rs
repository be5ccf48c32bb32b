//! Projects.

use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, Uri};
use copal_model::gate::{RETENTION_CHOICES, is_retention_choice};
use copal_model::limits::{PLATFORM_CHARS_MAX, PROJECT_NAME_CHARS_MAX};
use copal_model::policy::Action;
use copal_model::{KeyId, Origins, Plan};
use copal_store::OrgScope;
use copal_store::access::ProjectRef;
use copal_store::projects::{NewProject, ProjectPatch};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Result;
use super::body::{Json, invalid, name_in, slug_in};
use super::describe::Call;
use super::list::{Listed, page_of};
use super::query::{Paging, Query};
use crate::app::App;
use crate::auth::permit::{CreateProject, DeleteProject, ReadOrg, WriteProject};
use crate::auth::{OrgCaller, ProjectCaller, Refusal, path};
use crate::fresh;
use crate::routes::{Route, RouteAccess};

/// One application that sends events.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Project {
    id: String,
    org_id: String,
    name: String,
    slug: String,
    platform: Option<String>,
    /// Where browsers may send events from.
    allowed_origins: Vec<String>,
    /// Days that its events are kept, as far as the plan allows; null = as the plan says.
    retention_days: Option<u16>,
    /// Left out for who may not see client keys.
    #[serde(flatten)]
    credential: Option<ProjectCredential>,
    #[schema(format = DateTime)]
    created_at: String,
    /// When the first event was recorded.
    #[schema(format = DateTime)]
    first_event_at: Option<String>,
}

/// What SDKs need to send to a project: its oldest active key.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProjectCredential {
    api_key: Option<String>,
    dsn: Option<String>,
}

/// A project to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProjectNew {
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// The SDK platform, such as `python`.
    #[schema(min_length = 1, max_length = 64)]
    platform: Option<String>,
}

/// A change to a project.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProjectChange {
    #[schema(min_length = 1, max_length = 100)]
    name: Option<String>,
    /// Short ids change with it.
    #[schema(min_length = 1, max_length = 50)]
    slug: Option<String>,
    #[schema(min_length = 1, max_length = 64)]
    platform: Option<String>,
    /// `*`, `example.com`, `*.example.com` or `https://example.com`.
    allowed_origins: Option<Vec<String>>,
    /// 7, 14, 30, 60, 90, 180, 365 or 730, up to what the plan allows; 0 = as the plan says.
    retention_days: Option<u16>,
}

const ALL: &str = "/api/v1/organizations/{org}/projects";
const ONE: &str = "/api/v1/organizations/{org}/projects/{project}";
const RESTORE: &str = "/api/v1/organizations/{org}/projects/{project}/restore";

/// The routes.
pub fn routes() -> Vec<Route> {
    let read = RouteAccess::Org(Action::ReadOrg);
    vec![
        Route::get(ALL, read, "List projects", list)
            .with_operation(|| Call::lists::<Project>().operation()),
        Route::post(
            ALL,
            RouteAccess::Org(Action::CreateProject),
            "Make a project with its first key",
            create,
        )
        .with_operation(|| {
            Call::creates::<Project>()
                .takes::<ProjectNew>()
                .may_conflict()
                .operation()
        }),
        Route::get(ONE, read, "Show a project", show)
            .with_operation(|| Call::answers::<Project>().operation()),
        Route::new(
            Method::PATCH,
            ONE,
            RouteAccess::Org(Action::WriteProject),
            "Change a project",
            update,
        )
        .with_operation(|| {
            Call::answers::<Project>()
                .takes::<ProjectChange>()
                .may_conflict()
                .operation()
        }),
        Route::new(
            Method::DELETE,
            ONE,
            RouteAccess::Org(Action::DeleteProject),
            "Delete a project with its issues and events",
            delete,
        )
        .with_operation(|| Call::deletes().operation()),
        Route::post(
            RESTORE,
            RouteAccess::Org(Action::DeleteProject),
            "Take the deletion of a project back, within 30 days",
            restore,
        )
        .with_operation(|| Call::answers::<Project>().may_conflict().operation()),
    ]
}

async fn list(
    org: OrgCaller<ReadOrg>,
    State(app): State<App>,
    Query(paging): Query<Paging>,
    uri: Uri,
) -> Result<Listed<Project>> {
    let request = paging.request()?;
    let all = app.store.list_projects(&org.scope).await?;
    let page = page_of(all, &request, |project| project.id)?;
    let page = page.map(|project| Project::of(project, &org, &app));
    Ok(Listed::new(page, &uri, &app.settings))
}

async fn create(
    org: OrgCaller<CreateProject>,
    State(app): State<App>,
    Json(new): Json<ProjectNew>,
) -> Result<(StatusCode, axum::Json<Project>)> {
    let new = NewProject {
        name: name_in("name", &new.name, PROJECT_NAME_CHARS_MAX)?,
        platform: platform_in(new.platform)?,
        key_id: KeyId::new(fresh::uuid_v7(&*app.clock, &*app.entropy)),
        public_key: fresh::public_key(&*app.entropy),
        now: app.clock.now(),
    };
    let made = app.store.create_project(&org.scope, new).await?;
    let made = Project::of(made, &org, &app);
    Ok((StatusCode::CREATED, axum::Json(made)))
}

async fn show(project: ProjectCaller<ReadOrg>, State(app): State<App>) -> axum::Json<Project> {
    axum::Json(Project::of(project.project, &project.org, &app))
}

async fn update(
    project: ProjectCaller<WriteProject>,
    State(app): State<App>,
    Json(change): Json<ProjectChange>,
) -> Result<axum::Json<Project>> {
    let patch = ProjectPatch {
        name: change
            .name
            .map(|name| name_in("name", &name, PROJECT_NAME_CHARS_MAX))
            .transpose()?,
        slug: change.slug.map(|slug| slug_in(&slug)).transpose()?,
        platform: platform_in(change.platform)?,
        allowed_origins: change
            .allowed_origins
            .map(|lines| origins_in(&lines))
            .transpose()?,
        retention_days: change
            .retention_days
            .map(|days| retention_in(days, project.org.organization.plan, &app))
            .transpose()?,
    };
    let changed = app.store.update_project(&project.scope, patch).await?;
    Ok(axum::Json(Project::of(changed, &project.org, &app)))
}

async fn delete(
    project: ProjectCaller<DeleteProject>,
    State(app): State<App>,
) -> Result<StatusCode> {
    let now = app.clock.now();
    app.store.retire_project(&project.scope, now).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn restore(
    org: OrgCaller<DeleteProject>,
    DeletedProject(wanted): DeletedProject,
    State(app): State<App>,
) -> Result<axum::Json<Project>> {
    let restored = bring_back(&org.scope, &wanted, &app).await?;
    Ok(axum::Json(Project::of(restored, &org, &app)))
}

/// The `{project}` of a path that leads to one that was deleted.
#[derive(Debug)]
pub struct DeletedProject(pub ProjectRef);

impl FromRequestParts<App> for DeletedProject {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Refusal> {
        let text = path::path_param(parts, "project").await?;
        let wanted = path::parse_project(&text);
        wanted
            .map(Self)
            .ok_or(Refusal::NotFound { what: "project" })
    }
}

/// Takes the deletion of a project back.
///
/// # Errors
/// Not found, or that it was not deleted.
pub async fn bring_back(
    scope: &OrgScope,
    wanted: &ProjectRef,
    app: &App,
) -> Result<copal_model::Project, Refusal> {
    match app.store.restore_project(scope, wanted).await {
        Err(copal_store::Error::NotFound { what }) => {
            match app.store.open_project(scope, wanted).await? {
                Some(_) => Err(Refusal::NotDeleted),
                None => Err(Refusal::NotFound { what }),
            }
        }
        answer => Ok(answer?),
    }
}

fn origins_in(lines: &[String]) -> Result<Origins> {
    Origins::parse(&lines.join("\n"))
        .map_err(|why| invalid(format!("`allowedOrigins` cannot be used: {why}.")))
}

/// Days that a project may choose under its plan; none for 0.
///
/// # Errors
/// When it may not.
pub fn retention_in(days: u16, plan: Plan, app: &App) -> Result<Option<u16>> {
    let most = app.settings.plans.of(plan).retention_days;
    match days {
        0 => Ok(None),
        days if is_retention_choice(days) && days <= most => Ok(Some(days)),
        days => Err(invalid(format!(
            "`retentionDays` cannot be {days}: choose 0 or one of {RETENTION_CHOICES:?}, up to the \
             {most} of the plan {plan}."
        ))),
    }
}

fn platform_in(platform: Option<String>) -> Result<Option<String>> {
    platform
        .map(|platform| name_in("platform", &platform, PLATFORM_CHARS_MAX))
        .transpose()
}

impl Project {
    fn of<A>(project: copal_model::Project, org: &OrgCaller<A>, app: &App) -> Self {
        let sees_keys = org.sees(Action::ReadKeys, app);
        let credential = sees_keys.then(|| ProjectCredential {
            dsn: project.dsn(&app.settings.base_url),
            api_key: project.public_key.clone(),
        });
        Self {
            credential,
            id: project.id.to_string(),
            org_id: project.org_id.to_string(),
            name: project.name,
            slug: project.slug.to_string(),
            platform: project.platform,
            allowed_origins: project.allowed_origins.lines().to_vec(),
            retention_days: project.retention_days,
            created_at: project.created_at.to_string(),
            first_event_at: project.first_event_at.map(|at| at.to_string()),
        }
    }
}
