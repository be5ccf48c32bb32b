//! What of an account is about organizations: where it lands, what it can take back, its end.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use copal_model::OrgId;
use copal_model::policy::Action;
use copal_store::lifecycle::{DeletedOrganization, NotDeleted};
use copal_store::users::UserPatch;
use copal_ui::form::Field;
use copal_ui::pages::account::{Deleted, Landing, OwnOrganizations};
use copal_ui::urls::route;

use super::show::page;
use crate::app::App;
use crate::auth::actor::address_proof;
use crate::auth::cookie::Cookie;
use crate::auth::{Form, SignedIn};
use crate::web::Error;
use crate::web::frame::Frame;
use crate::web::notice;

/// Where the user lands from now on.
pub(super) async fn land(
    State(app): State<App>,
    signed_in: SignedIn,
    form: Form,
) -> Result<Response, Error> {
    let org: OrgId = form
        .text("org")?
        .parse()
        .map_err(|_| Error::not_found("organization"))?;
    let patch = UserPatch {
        default_org: Some(org),
        ..UserPatch::default()
    };
    app.store.update_user(signed_in.user.id, patch).await?;
    let text = "Saved where you land after logging in.";
    Ok(notice::redirect(route::ACCOUNT, text, &app))
}

/// Ends the account.
pub(super) async fn delete(
    State(app): State<App>,
    frame: Frame,
    signed_in: SignedIn,
    form: Form,
) -> Result<Response, Error> {
    signed_in.reaches(Action::DeleteAccount, &app)?;
    let typed = form.text("confirm")?;
    if !typed
        .trim()
        .eq_ignore_ascii_case(signed_in.user.email.as_str())
    {
        let mut page = page(&frame, &signed_in, &app).await?;
        page.organizations.confirm =
            Field::wrong(typed, "Type your e-mail address as it is written above.");
        return frame.show_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let (user, now) = (signed_in.user.id, app.clock.now());
    let proof = address_proof(&app);
    match app.store.delete_account(user, proof, now).await? {
        Ok(()) => {
            let cookie = Cookie::Session.clear(&app.settings);
            Ok(([(header::SET_COOKIE, cookie)], Redirect::to(route::LOG_IN)).into_response())
        }
        Err(NotDeleted::LastOwnerOf(held)) => {
            let mut page = page(&frame, &signed_in, &app).await?;
            page.organizations.held_by = held.into_iter().map(|org| org.name).collect();
            frame.show_as(StatusCode::CONFLICT, &page)
        }
    }
}

/// The sections of the page with nothing typed yet.
pub(super) async fn sections(signed_in: &SignedIn, app: &App) -> Result<OwnOrganizations, Error> {
    let user = signed_in.user.id;
    let all = app.store.list_organizations(user).await?;
    let deleted = app.store.list_deleted_organizations(user).await?;
    let held_by = app.store.list_holding(user, address_proof(app)).await?;
    Ok(OwnOrganizations {
        all: all
            .into_iter()
            .map(|(org, _)| Landing {
                is_default: org.id == signed_in.user.default_org,
                id: org.id,
                name: org.name,
            })
            .collect(),
        deleted: deleted.into_iter().map(deleted_row).collect(),
        held_by: held_by.into_iter().map(|org| org.name).collect(),
        confirm: Field::default(),
        is_fresh: signed_in.reaches(Action::DeleteAccount, app).is_ok(),
    })
}

fn deleted_row(deleted: DeletedOrganization) -> Deleted {
    Deleted {
        purged_at: deleted.purged_at(),
        deleted_at: deleted.deleted_at,
        slug: deleted.organization.slug.to_string(),
        name: deleted.organization.name,
    }
}
