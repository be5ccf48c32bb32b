//! `/account`: name, API tokens, sessions.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use copal_model::limits::USER_NAME_CHARS_MAX;
use copal_store::tokens::Token;
use copal_store::users::UserPatch;
use copal_ui::NavItem;
use copal_ui::form::Field;
use copal_ui::pages::account::{Account, TokenRow};
use copal_ui::urls::route;

use super::{organizations, sessions};
use crate::app::App;
use crate::auth::new_account::name_error;
use crate::auth::{Form, SignedIn};
use crate::web::Error;
use crate::web::frame::Frame;
use crate::web::notice;
use crate::web::token_form::Maker;

pub(super) async fn show(
    State(app): State<App>,
    frame: Frame,
    signed_in: SignedIn,
) -> Result<Response, Error> {
    let page = page(&frame, &signed_in, &app).await?;
    frame.show(&page)
}

pub(super) async fn update(
    State(app): State<App>,
    frame: Frame,
    signed_in: SignedIn,
    form: Form,
) -> Result<Response, Error> {
    let name = form.text("name")?;
    if let Some(error) = name_error(name, USER_NAME_CHARS_MAX) {
        let mut page = page(&frame, &signed_in, &app).await?;
        page.name = Field::wrong(name, error);
        return frame.show_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let patch = UserPatch {
        name: Some(name.trim().to_owned()),
        ..UserPatch::default()
    };
    app.store.update_user(signed_in.user.id, patch).await?;
    Ok(notice::redirect(route::ACCOUNT, "Saved your name.", &app))
}

/// The page with nothing typed yet.
pub(super) async fn page(frame: &Frame, signed_in: &SignedIn, app: &App) -> Result<Account, Error> {
    let tokens = app.store.list_tokens(signed_in.user.id).await?;
    Ok(Account {
        nav: frame.of_person(signed_in, NavItem::Account, app).await?,
        name: Field::filled(&signed_in.user.name),
        user: signed_in.user.clone(),
        organizations: organizations::sections(signed_in, app).await?,
        tokens: tokens.into_iter().map(token_row).collect(),
        token_form: Maker::Person.empty(),
        new_token: None,
        sessions: sessions::list(signed_in, app).await?,
    })
}

fn token_row(token: Token) -> TokenRow {
    TokenRow {
        id: token.id.to_string(),
        name: token.name,
        prefix: token.prefix,
        scopes: token.scopes,
        created_at: token.created_at,
        last_used_at: token.last_used_at,
        expires_at: token.expires_at,
    }
}
