//! `/o/new`: a shared organization; whoever makes it owns it.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use copal_model::OrgId;
use copal_model::limits::ORG_NAME_CHARS_MAX;
use copal_store::organizations::NewOrganization as NewRow;
use copal_ui::form::Field;
use copal_ui::pages::account::NewOrganization;
use copal_ui::{NavItem, urls};

use crate::app::App;
use crate::auth::new_account::name_error;
use crate::auth::{Form, SignedIn};
use crate::fresh;
use crate::web::Error;
use crate::web::frame::Frame;

pub(super) async fn new(
    State(app): State<App>,
    frame: Frame,
    signed_in: SignedIn,
) -> Result<Response, Error> {
    let nav = frame.of_person(&signed_in, NavItem::Nothing, &app).await?;
    let name = Field::default();
    frame.show(&NewOrganization { nav, name })
}

pub(super) async fn create(
    State(app): State<App>,
    frame: Frame,
    signed_in: SignedIn,
    form: Form,
) -> Result<Response, Error> {
    let name = form.text("name")?;
    if let Some(error) = name_error(name, ORG_NAME_CHARS_MAX) {
        let nav = frame.of_person(&signed_in, NavItem::Nothing, &app).await?;
        let name = Field::wrong(name, error);
        return frame.show_as(
            StatusCode::UNPROCESSABLE_ENTITY,
            &NewOrganization { nav, name },
        );
    }
    let row = NewRow {
        id: OrgId::new(fresh::uuid_v7(&*app.clock, &*app.entropy)),
        name: name.trim().to_owned(),
        plan: app.settings.default_plan,
        owner: signed_in.user.id,
        now: app.clock.now(),
    };
    let organization = app.store.create_organization(row).await?;
    Ok(Redirect::to(&urls::dashboard(organization.slug.as_str())).into_response())
}
