//! The start page, which only leads on, and the theme.

use axum::extract::{FromRequest as _, Request, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Redirect, Response};
use copal_model::User;
use copal_store::access::OrgRef;
use copal_ui::{Theme, urls};

use crate::app::App;
use crate::auth::cookie::Cookie;
use crate::auth::form::Fields;
use crate::auth::{Form, OpenForm, Refusal, SignedIn, next, session};
use crate::routes::{Route, RouteAccess};
use crate::web::Error;

/// How long a browser remembers its theme, in seconds: a year.
const THEME_SECS: u64 = 365 * 24 * 60 * 60;

pub(super) fn routes() -> Vec<Route> {
    use urls::route;
    vec![
        Route::get(
            route::HOME,
            RouteAccess::Principal,
            "go to the default organization",
            show,
        ),
        Route::post(
            route::THEME,
            RouteAccess::Public,
            "remember the theme",
            theme,
        ),
    ]
}

async fn show(State(app): State<App>, signed_in: SignedIn) -> Result<Redirect, Error> {
    Ok(Redirect::to(&path_of(&app, &signed_in.user).await?))
}

/// The dashboard where a person lands: of the default organization, or else of any they are in.
pub(super) async fn path_of(app: &App, user: &User) -> Result<String, Error> {
    let default = OrgRef::Id(user.default_org);
    if let Some(access) = app.store.open_org(user.id, &default).await? {
        return Ok(urls::dashboard(access.organization.slug.as_str()));
    }
    let orgs = app.store.list_organizations(user.id).await?;
    Ok(orgs.first().map_or_else(
        || urls::route::NEW_ORG.to_owned(),
        |(organization, _)| urls::dashboard(organization.slug.as_str()),
    ))
}

/// The switch is on every page, so its form may be one of somebody logged in or of anybody.
async fn theme(State(app): State<App>, request: Request) -> Result<Response, Error> {
    let fields = either_form(request, &app).await?;
    let theme: Theme = fields.text("theme")?.parse().unwrap_or_default();
    let next = next::safe(fields.text("next")?).unwrap_or(urls::route::HOME);
    let cookie = Cookie::Theme.set(theme.as_str(), THEME_SECS, &app.settings);
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(next)).into_response())
}

async fn either_form(request: Request, app: &App) -> Result<Fields, Refusal> {
    let is_live = match session::secret_of(request.headers(), app) {
        Some(secret) => {
            let now = app.clock.now();
            app.store.find_session(&secret.hash(), now).await?.is_some()
        }
        None => false,
    };
    if is_live {
        Form::from_request(request, app)
            .await
            .map(Form::into_fields)
    } else {
        OpenForm::from_request(request, app)
            .await
            .map(OpenForm::into_fields)
    }
}
