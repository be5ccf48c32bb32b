//! Who is asking.

use axum::extract::State;
use copal_model::OrgId;
use copal_model::User;
use copal_model::limits::USER_NAME_CHARS_MAX;
use copal_model::policy::Action;
use copal_store::users::UserPatch;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Result;
use super::body::{Json, invalid, name_in};
use super::describe::Call;
use crate::app::App;
use crate::auth::SignedIn;
use crate::routes::{Route, RouteAccess};

/// A person, to themselves.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Me {
    id: String,
    email: String,
    name: String,
    /// Where the person lands after logging in.
    default_org_id: String,
    /// May administer the whole instance.
    is_instance_admin: bool,
    #[schema(format = DateTime)]
    created_at: String,
}

/// A change to the own account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MePatch {
    #[schema(min_length = 1, max_length = 100)]
    name: Option<String>,
    /// An organization that the person is in.
    default_org_id: Option<String>,
}

/// The routes.
pub fn routes() -> Vec<Route> {
    vec![
        Route::get(
            "/api/v1/me",
            RouteAccess::Principal,
            "Show who is asking",
            show,
        )
        .with_operation(|| Call::answers::<Me>().operation()),
        Route::new(
            axum::http::Method::PATCH,
            "/api/v1/me",
            RouteAccess::Principal,
            "Change the own account",
            update,
        )
        .with_operation(|| {
            Call::answers::<Me>()
                .takes::<MePatch>()
                .may_miss()
                .operation()
        }),
    ]
}

async fn show(signed_in: SignedIn) -> axum::Json<Me> {
    axum::Json(Me::of(signed_in.user))
}

async fn update(
    signed_in: SignedIn,
    State(app): State<App>,
    Json(patch): Json<MePatch>,
) -> Result<axum::Json<Me>> {
    signed_in.reaches(Action::WriteAccount, &app)?;
    let name = patch
        .name
        .map(|name| name_in("name", &name, USER_NAME_CHARS_MAX))
        .transpose()?;
    let default_org = patch
        .default_org_id
        .map(|id| id.parse::<OrgId>())
        .transpose()
        .map_err(|why| invalid(format!("`defaultOrgId` cannot be used: {why}.")))?;
    let patch = UserPatch { name, default_org };
    let user = app.store.update_user(signed_in.user.id, patch).await?;
    Ok(axum::Json(Me::of(user)))
}

impl Me {
    fn of(user: User) -> Self {
        Self {
            id: user.id.to_string(),
            email: user.email.to_string(),
            name: user.name,
            default_org_id: user.default_org.to_string(),
            is_instance_admin: user.is_instance_admin,
            created_at: user.created_at.to_string(),
        }
    }
}
