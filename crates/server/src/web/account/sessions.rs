//! Sessions of a person: where they are logged in, and how that ends.

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Redirect, Response};
use copal_store::access::{Credential, SecretHash};
use copal_store::sessions::SessionId;
use copal_ui::device;
use copal_ui::pages::account::SessionRow;
use copal_ui::urls::route;

use crate::app::App;
use crate::auth::{Form, Refusal, SignedIn, session};
use crate::web::Error;
use crate::web::notice;

/// The person's sessions, the one that asks first.
pub(super) async fn list(signed_in: &SignedIn, app: &App) -> Result<Vec<SessionRow>, Error> {
    let this = SessionId::of(&own(signed_in)?);
    let sessions = app
        .store
        .list_sessions(signed_in.user.id, app.clock.now())
        .await?;
    let mut rows: Vec<_> = sessions
        .into_iter()
        .map(|session| SessionRow {
            id: session.id.to_string(),
            device: device::in_words(&session.user_agent),
            created_at: session.created_at,
            // Noted by the hour, which may have begun before the session.
            last_seen_at: session.last_seen_at.max(session.created_at),
            is_this: session.id == this,
        })
        .collect();
    rows.sort_by_key(|row| !row.is_this);
    Ok(rows)
}

pub(super) async fn end(
    State(app): State<App>,
    Path(session): Path<String>,
    signed_in: SignedIn,
    _form: Form,
) -> Result<Response, Error> {
    let id = SessionId::parse(&session).ok_or(Error::not_found("session"))?;
    let own = own(&signed_in)?;
    if id == SessionId::of(&own) {
        let cookie = session::end(&app, &own).await?;
        return Ok(([(header::SET_COOKIE, cookie)], Redirect::to(route::LOG_IN)).into_response());
    }
    app.store.end_session(signed_in.user.id, id).await?;
    Ok(notice::redirect(route::ACCOUNT, "Ended the session.", &app))
}

pub(super) async fn end_others(
    State(app): State<App>,
    signed_in: SignedIn,
    _form: Form,
) -> Result<Response, Error> {
    let own = own(&signed_in)?;
    let ended = app
        .store
        .end_other_sessions(signed_in.user.id, Some(own))
        .await?;
    let text = match ended {
        0 => "There was no other session.".to_owned(),
        1 => "Ended the other session.".to_owned(),
        ended => format!("Ended {ended} other sessions."),
    };
    Ok(notice::redirect(route::ACCOUNT, &text, &app))
}

fn own(signed_in: &SignedIn) -> Result<SecretHash, Refusal> {
    match &signed_in.credential {
        Credential::Session { hash, .. } => Ok(*hash),
        Credential::Token { .. } => Err(Refusal::SignInFirst),
    }
}
