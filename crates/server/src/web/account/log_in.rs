//! `/login`. An unknown address and a wrong password get the same answer in the same time.

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use copal_model::{Email, User};
use copal_ui::form::Field;
use copal_ui::pages::account::LogIn;

use crate::app::{App, SignupMode};
use crate::auth::form::Fields;
use crate::auth::throttle::Network;
use crate::auth::{OpenForm, Refusal, SignedIn, next, session};
use crate::web::Error;
use crate::web::frame::Frame;
use crate::web::home;

/// What everybody reads whose log-in failed.
const WRONG: &str = "E-mail address or password is wrong.";

pub(super) async fn new(
    State(app): State<App>,
    mut frame: Frame,
    signed_in: Option<SignedIn>,
    RawQuery(query): RawQuery,
) -> Result<Response, Error> {
    if let Some(signed_in) = signed_in {
        return Ok(Redirect::to(&home::path_of(&app, &signed_in.user).await?).into_response());
    }
    let query = query.unwrap_or_default();
    let wanted = form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "next")
        .map(|(_, value)| value);
    let page = form(&mut frame, &app, "", wanted.as_deref().unwrap_or_default());
    frame.show(&page)
}

pub(super) async fn create(
    State(app): State<App>,
    mut frame: Frame,
    network: Network,
    headers: HeaderMap,
    fields: OpenForm,
) -> Result<Response, Error> {
    let wanted = fields.text("next")?;
    let mut page = form(&mut frame, &app, fields.text("email")?, wanted);
    match check(&app, network, &fields).await {
        Ok(Some(user)) => {
            let cookie = session::begin(&app, user.id, &headers).await?;
            let path = match next::safe(wanted) {
                Some(path) => path.to_owned(),
                None => home::path_of(&app, &user).await?,
            };
            Ok(([(header::SET_COOKIE, cookie)], Redirect::to(&path)).into_response())
        }
        Ok(None) => {
            page.problem = Some(WRONG.to_owned());
            frame.show_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(Error::Refused(Refusal::TooManyTries { retry_after_secs })) => {
            page.problem = Some(format!(
                "Too many tries. Wait {retry_after_secs} seconds, then try again."
            ));
            let mut response = frame.show_as(StatusCode::TOO_MANY_REQUESTS, &page)?;
            let wait = HeaderValue::from(retry_after_secs);
            response.headers_mut().insert(header::RETRY_AFTER, wait);
            Ok(response)
        }
        Err(other) => Err(other),
    }
}

/// Who it is, if the password is theirs. What is no address at all costs the same work.
async fn check(app: &App, network: Network, fields: &Fields) -> Result<Option<User>, Error> {
    let nobody = || Email::parse("nobody@invalid").expect("it is an address");
    let email = Email::parse(fields.text("email")?).unwrap_or_else(|_| nobody());
    app.auth.login.take(&email, network, app.clock.now())?;
    let record = app.store.find_login(&email).await?;
    let (user, hash) = match record {
        Some(record) => (Some(record.user), Some(record.password_hash)),
        None => (None, None),
    };
    let matches = app
        .auth
        .passwords
        .verify(fields.text("password")?, hash)
        .await?;
    if !matches {
        return Ok(None);
    }
    app.auth.login.give_back(&email, network);
    Ok(user)
}

fn form(frame: &mut Frame, app: &App, email: &str, wanted: &str) -> LogIn {
    LogIn {
        nav: frame.for_everybody(app),
        email: Field::filled(email),
        password: Field::default(),
        problem: None,
        next: next::safe(wanted).unwrap_or_default().to_owned(),
        may_sign_up: app.settings.signup == SignupMode::Open,
    }
}
