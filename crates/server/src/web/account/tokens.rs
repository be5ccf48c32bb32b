//! Personal API tokens: made and revoked in a session only, shown once (rule D-8).

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use copal_model::TokenId;
use copal_store::tokens::Token;
use copal_ui::urls::route;

use super::show::page;
use crate::app::App;
use crate::auth::secret::Secret;
use crate::auth::{Form, SignedIn};
use crate::fresh;
use crate::web::Error;
use crate::web::frame::Frame;
use crate::web::notice;
use crate::web::token_form::Maker;

pub(super) async fn create(
    State(app): State<App>,
    frame: Frame,
    signed_in: SignedIn,
    form: Form,
) -> Result<Response, Error> {
    let now = app.clock.now();
    let wanted = match Maker::Person.read(&form, now)? {
        Ok(wanted) => wanted,
        Err(typed) => {
            let mut page = page(&frame, &signed_in, &app).await?;
            page.token_form = typed;
            return frame.show_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    let secret = Secret::new_token(&*app.entropy);
    let token = Token {
        id: TokenId::new(fresh::uuid_v7(&*app.clock, &*app.entropy)),
        user: signed_in.user.id,
        name: wanted.name,
        prefix: secret.token_shown(),
        scopes: wanted.scopes,
        created_at: now,
        last_used_at: None,
        expires_at: wanted.expires_at,
    };
    app.store.create_token(token, secret.hash()).await?;
    let mut page = page(&frame, &signed_in, &app).await?;
    page.new_token = Some(secret.expose().to_owned());
    frame.show(&page)
}

pub(super) async fn delete(
    State(app): State<App>,
    Path(token): Path<String>,
    signed_in: SignedIn,
    _form: Form,
) -> Result<Response, Error> {
    let token: TokenId = token.parse().map_err(|_| Error::not_found("token"))?;
    app.store.delete_token(signed_in.user.id, token).await?;
    Ok(notice::redirect(route::ACCOUNT, "Revoked the token.", &app))
}
