//! Client keys of a project.

use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, Uri};
use copal_model::limits::KEY_LABEL_CHARS_MAX;
use copal_model::policy::Action;
use copal_model::{ClientKey, KeyId, KeyLimit};
use copal_store::projects::{KeyPatch, NewKey};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Result;
use super::body::{Json, invalid, name_in};
use super::describe::Call;
use super::list::{Listed, page_of};
use super::query::{Paging, Query};
use crate::app::App;
use crate::auth::permit::{ReadKeys, WriteKeys};
use crate::auth::{ProjectCaller, Refusal, path};
use crate::fresh;
use crate::routes::{Route, RouteAccess};

/// The credential inside a DSN.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names that callers see")]
pub struct Key {
    id: String,
    public_key: String,
    dsn: String,
    label: String,
    /// A key that is not active refuses events.
    is_active: bool,
    /// How many events it lets in; null = any number.
    rate_limit: Option<RateLimit>,
    #[schema(format = DateTime)]
    created_at: String,
}

/// How many events a key lets in; beyond them SDKs are answered 429.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RateLimit {
    /// Within the window, at most 1,000,000; 0 takes the limit away.
    events: u32,
    /// The window: 60 or 3600, a minute or an hour of the clock.
    seconds: u32,
}

/// A key to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeyNew {
    #[schema(min_length = 1, max_length = 100)]
    label: String,
    rate_limit: Option<RateLimit>,
}

/// A change to a key.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeyChange {
    #[schema(min_length = 1, max_length = 100)]
    label: Option<String>,
    is_active: Option<bool>,
    rate_limit: Option<RateLimit>,
}

/// The `{key}` of a path.
struct KeyInPath(KeyId);

const ALL: &str = "/api/v1/organizations/{org}/projects/{project}/keys";
const ONE: &str = "/api/v1/organizations/{org}/projects/{project}/keys/{key}";

/// The routes.
pub fn routes() -> Vec<Route> {
    let write = RouteAccess::Org(Action::WriteKeys);
    vec![
        Route::get(
            ALL,
            RouteAccess::Org(Action::ReadKeys),
            "List client keys",
            list,
        )
        .with_operation(|| Call::lists::<Key>().operation()),
        Route::post(ALL, write, "Make a client key", create).with_operation(|| {
            Call::creates::<Key>()
                .takes::<KeyNew>()
                .may_conflict()
                .operation()
        }),
        Route::new(Method::PATCH, ONE, write, "Change a client key", update)
            .with_operation(|| Call::answers::<Key>().takes::<KeyChange>().operation()),
        Route::new(Method::DELETE, ONE, write, "Delete a client key", delete)
            .with_operation(|| Call::deletes().operation()),
    ]
}

impl FromRequestParts<App> for KeyInPath {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Refusal> {
        let text = path::path_param(parts, "key").await?;
        text.parse()
            .map(Self)
            .map_err(|_| Refusal::NotFound { what: "key" })
    }
}

async fn list(
    project: ProjectCaller<ReadKeys>,
    State(app): State<App>,
    Query(paging): Query<Paging>,
    uri: Uri,
) -> Result<Listed<Key>> {
    let request = paging.request()?;
    let all = app.store.list_keys(&project.scope).await?;
    let page = page_of(all, &request, |key| key.id)?;
    let page = page.map(|key| Key::of(key, &app));
    Ok(Listed::new(page, &uri, &app.settings))
}

async fn create(
    project: ProjectCaller<WriteKeys>,
    State(app): State<App>,
    Json(new): Json<KeyNew>,
) -> Result<(StatusCode, axum::Json<Key>)> {
    let new = NewKey {
        id: KeyId::new(fresh::uuid_v7(&*app.clock, &*app.entropy)),
        public_key: fresh::public_key(&*app.entropy),
        label: name_in("label", &new.label, KEY_LABEL_CHARS_MAX)?,
        limit: new.rate_limit.map(limit_in).transpose()?.flatten(),
        now: app.clock.now(),
    };
    let made = app.store.create_key(&project.scope, new).await?;
    Ok((StatusCode::CREATED, axum::Json(Key::of(made, &app))))
}

async fn update(
    project: ProjectCaller<WriteKeys>,
    KeyInPath(key): KeyInPath,
    State(app): State<App>,
    Json(change): Json<KeyChange>,
) -> Result<axum::Json<Key>> {
    let patch = KeyPatch {
        label: change
            .label
            .map(|label| name_in("label", &label, KEY_LABEL_CHARS_MAX))
            .transpose()?,
        is_active: change.is_active,
        limit: change.rate_limit.map(limit_in).transpose()?,
    };
    let changed = app.store.update_key(&project.scope, key, patch).await?;
    Ok(axum::Json(Key::of(changed, &app)))
}

async fn delete(
    project: ProjectCaller<WriteKeys>,
    KeyInPath(key): KeyInPath,
    State(app): State<App>,
) -> Result<StatusCode> {
    app.store.delete_key(&project.scope, key).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn limit_in(limit: RateLimit) -> Result<Option<KeyLimit>> {
    if limit.events == 0 {
        return Ok(None);
    }
    KeyLimit::new(limit.events, limit.seconds)
        .map(Some)
        .map_err(|why| invalid(format!("`rateLimit` cannot be used: {why}.")))
}

impl Key {
    fn of(key: ClientKey, app: &App) -> Self {
        Self {
            dsn: key.dsn(&app.settings.base_url),
            id: key.id.to_string(),
            public_key: key.public_key,
            label: key.label,
            is_active: key.is_active,
            rate_limit: key.limit.map(|limit| RateLimit {
                events: limit.events,
                seconds: limit.window.secs(),
            }),
            created_at: key.created_at.to_string(),
        }
    }
}
