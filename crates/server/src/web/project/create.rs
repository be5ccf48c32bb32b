//! `/o/{org}/projects/new`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use copal_model::KeyId;
use copal_model::limits::PROJECT_NAME_CHARS_MAX;
use copal_model::policy::Action;
use copal_store::projects::NewProject;
use copal_ui::form::{Field, Permission};
use copal_ui::pages::project::New;
use copal_ui::platforms::Platform;
use copal_ui::{NavItem, urls};

use crate::app::App;
use crate::auth::new_account::name_error;
use crate::auth::permit::{CreateProject, ReadOrg};
use crate::auth::{Form, OrgMember};
use crate::fresh;
use crate::web::Error;
use crate::web::frame::Frame;

pub(super) async fn new(
    State(app): State<App>,
    frame: Frame,
    member: OrgMember<ReadOrg>,
) -> Result<Response, Error> {
    let page = New {
        nav: frame.in_org(&member, NavItem::Projects, &app).await?,
        name: Field::default(),
        platform: String::new(),
        may_create: member.permission(Action::CreateProject, &app).await?,
    };
    frame.show(&page)
}

pub(super) async fn create(
    State(app): State<App>,
    frame: Frame,
    member: OrgMember<CreateProject>,
    form: Form,
) -> Result<Response, Error> {
    let (name, platform) = (form.text("name")?, form.text("platform")?);
    if let Some(error) = name_error(name, PROJECT_NAME_CHARS_MAX) {
        let page = New {
            nav: frame.in_org(&member, NavItem::Projects, &app).await?,
            name: Field::wrong(name, error),
            platform: platform.to_owned(),
            may_create: Permission::Granted,
        };
        return frame.show_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let row = NewProject {
        name: name.trim().to_owned(),
        platform: Platform::find(platform).map(|platform| platform.slug.to_owned()),
        key_id: KeyId::new(fresh::uuid_v7(&*app.clock, &*app.entropy)),
        public_key: fresh::public_key(&*app.entropy),
        now: app.clock.now(),
    };
    let project = app.store.create_project(&member.scope, row).await?;
    let org = member.organization.slug.as_str();
    Ok(Redirect::to(&urls::guide(org, project.slug.as_str())).into_response())
}
