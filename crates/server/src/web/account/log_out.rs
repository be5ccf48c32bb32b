//! `/logout`: the session ends here and in the browser.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Redirect, Response};
use copal_store::access::Credential;
use copal_ui::urls::route;

use crate::app::App;
use crate::auth::{Form, SignedIn, session};
use crate::web::Error;

pub(super) async fn delete(
    State(app): State<App>,
    signed_in: SignedIn,
    _form: Form,
) -> Result<Response, Error> {
    let Credential::Session { hash, .. } = &signed_in.credential else {
        return Ok(Redirect::to(route::LOG_IN).into_response());
    };
    let cookie = session::end(&app, hash).await?;
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(route::LOG_IN)).into_response())
}
