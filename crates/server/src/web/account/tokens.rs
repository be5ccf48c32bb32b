//! Personal API tokens: made and revoked in a session only, shown once (rule D-8).

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use copal_model::TokenId;
use copal_model::limits::USER_NAME_CHARS_MAX;
use copal_store::tokens::Token;
use copal_ui::form::Field;
use copal_ui::urls::route;

use super::show::page;
use crate::app::App;
use crate::auth::new_account::name_error;
use crate::auth::secret::Secret;
use crate::auth::{Form, SignedIn};
use crate::fresh;
use crate::web::Error;
use crate::web::frame::Frame;
use crate::web::notice;

pub(super) async fn create(
    State(app): State<App>,
    frame: Frame,
    signed_in: SignedIn,
    form: Form,
) -> Result<Response, Error> {
    let name = form.text("name")?;
    if let Some(error) = name_error(name, USER_NAME_CHARS_MAX) {
        let mut page = page(&frame, &signed_in, &app).await?;
        page.token_name = Field::wrong(name, error);
        return frame.show_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let secret = Secret::new_token(&*app.entropy);
    let token = Token {
        id: TokenId::new(fresh::uuid_v7(&*app.clock, &*app.entropy)),
        user: signed_in.user.id,
        name: name.trim().to_owned(),
        prefix: secret.token_shown(),
        scopes: None,
        created_at: app.clock.now(),
        last_used_at: None,
        expires_at: None,
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
