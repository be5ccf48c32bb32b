//! `/signup`: a user, their personal organization and a session, in one go.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use copal_store::Error as StoreError;
use copal_ui::form::Field;
use copal_ui::pages::account::SignUp;
use copal_ui::urls;

use crate::app::{App, SignupMode};
use crate::auth::form::Fields;
use crate::auth::new_account::{NewAccount, WrongFields};
use crate::auth::throttle::Network;
use crate::auth::{OpenForm, SignedIn, session};
use crate::web::Error;
use crate::web::frame::Frame;
use crate::web::home;

/// What people read who may not sign up.
const CLOSED: &str =
    "Signing up is closed here. Ask the administrator of this instance for an account.";
/// What people read who need an invitation.
const INVITED_ONLY: &str =
    "Signing up needs an invitation here. Ask somebody who has an account to invite you.";

pub(super) async fn new(
    State(app): State<App>,
    mut frame: Frame,
    signed_in: Option<SignedIn>,
) -> Result<Response, Error> {
    if let Some(signed_in) = signed_in {
        return Ok(Redirect::to(&home::path_of(&app, &signed_in.user).await?).into_response());
    }
    let mut page = form(&mut frame, &app, &Fields::default()).await?;
    page.problem = refusal(&app, page.is_first_user);
    frame.show(&page)
}

pub(super) async fn create(
    State(app): State<App>,
    mut frame: Frame,
    network: Network,
    headers: HeaderMap,
    fields: OpenForm,
) -> Result<Response, Error> {
    let mut page = form(&mut frame, &app, &fields).await?;
    if let Some(problem) = refusal(&app, page.is_first_user) {
        page.problem = Some(problem);
        return frame.show_as(StatusCode::FORBIDDEN, &page);
    }
    let (name, email) = (fields.text("name")?, fields.text("email")?);
    let account = match NewAccount::check(name, email, fields.text("password")?) {
        Ok(account) => account,
        Err(wrong) => {
            mark(&mut page, wrong);
            return frame.show_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    app.auth.login.take_sign_up(network, app.clock.now())?;
    let hash = app
        .auth
        .passwords
        .hash(account.password(), app.entropy.clone())
        .await?;
    let user = account.into_new_user(hash, app.settings.default_plan, &*app.clock, &*app.entropy);
    match app.store.sign_up(user).await {
        Ok(made) => {
            let cookie = session::begin(&app, made.user.id, &headers).await?;
            let home = urls::dashboard(made.organization.slug.as_str());
            Ok(([(header::SET_COOKIE, cookie)], Redirect::to(&home)).into_response())
        }
        Err(StoreError::Conflict { what: "email" }) => {
            page.email.error = Some("This address has an account: log in instead.".to_owned());
            frame.show_as(StatusCode::CONFLICT, &page)
        }
        Err(other) => Err(other.into()),
    }
}

async fn form(frame: &mut Frame, app: &App, fields: &Fields) -> Result<SignUp, Error> {
    Ok(SignUp {
        nav: frame.for_everybody(app),
        name: Field::filled(fields.text("name")?),
        email: Field::filled(fields.text("email")?),
        password: Field::default(),
        problem: None,
        is_first_user: app.store.count_users().await? == 0,
    })
}

/// Why nobody may sign up now. The first user always may: somebody has to begin.
fn refusal(app: &App, is_first_user: bool) -> Option<String> {
    match app.settings.signup {
        _ if is_first_user => None,
        SignupMode::Open => None,
        SignupMode::Invite => Some(INVITED_ONLY.to_owned()),
        SignupMode::Closed => Some(CLOSED.to_owned()),
    }
}

fn mark(page: &mut SignUp, wrong: WrongFields) {
    page.name.error = wrong.name;
    page.email.error = wrong.email;
    page.password.error = wrong.password;
}
