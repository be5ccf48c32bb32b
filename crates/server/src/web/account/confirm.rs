//! `/account/confirm`: whoever is logged in proves again who they are (rule D-9).

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use copal_ui::form::Field;
use copal_ui::pages::account::Confirm;
use copal_ui::{NavItem, urls};

use crate::app::App;
use crate::auth::throttle::Network;
use crate::auth::{Form, SignedIn, next, session};
use crate::web::Error;
use crate::web::frame::Frame;

pub(super) async fn new(
    State(app): State<App>,
    frame: Frame,
    signed_in: SignedIn,
    RawQuery(query): RawQuery,
) -> Result<Response, Error> {
    let query = query.unwrap_or_default();
    let wanted = form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "next")
        .map(|(_, value)| value);
    let wanted = wanted.as_deref().unwrap_or_default();
    let page = page(&frame, &signed_in, wanted, &app).await?;
    frame.show(&page)
}

pub(super) async fn create(
    State(app): State<App>,
    frame: Frame,
    network: Network,
    headers: HeaderMap,
    signed_in: SignedIn,
    form: Form,
) -> Result<Response, Error> {
    let (email, wanted) = (&signed_in.user.email, form.text("next")?);
    app.auth.login.take(email, network, app.clock.now())?;
    let record = app.store.find_login(email).await?;
    let hash = record.map(|record| record.password_hash);
    let passwords = &app.auth.passwords;
    if !passwords.verify(form.text("password")?, hash).await? {
        let mut page = page(&frame, &signed_in, wanted, &app).await?;
        page.password = Field::wrong("", "This is not your password.");
        return frame.show_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    app.auth.login.give_back(email, network);
    let cookie = session::begin(&app, signed_in.user.id, &headers).await?;
    let path = next::safe(wanted).unwrap_or(urls::route::HOME);
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(path)).into_response())
}

async fn page(
    frame: &Frame,
    signed_in: &SignedIn,
    wanted: &str,
    app: &App,
) -> Result<Confirm, Error> {
    Ok(Confirm {
        nav: frame.of_person(signed_in, NavItem::Account, app).await?,
        password: Field::default(),
        next: next::safe(wanted).unwrap_or_default().to_owned(),
    })
}
