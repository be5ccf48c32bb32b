//! Client keys of a project.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use copal_model::limits::PROJECT_NAME_CHARS_MAX;
use copal_model::{KeyId, KeyLimit};
use copal_store::projects::{KeyPatch, NewKey};
use copal_ui::form::Field;
use copal_ui::urls;

use super::settings::page;
use crate::app::App;
use crate::auth::new_account::name_error;
use crate::auth::permit::WriteKeys;
use crate::auth::{Form, ProjectMember, Refusal};
use crate::fresh;
use crate::web::Error;
use crate::web::frame::Frame;
use crate::web::notice;

pub(super) async fn create(
    State(app): State<App>,
    frame: Frame,
    member: ProjectMember<WriteKeys>,
    form: Form,
) -> Result<Response, Error> {
    let label = form.text("label")?;
    if let Some(error) = name_error(label, PROJECT_NAME_CHARS_MAX) {
        let mut page = page(&frame, &member, &app).await?;
        page.label = Field::wrong(label, error);
        return frame.show_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let key = NewKey {
        id: KeyId::new(fresh::uuid_v7(&*app.clock, &*app.entropy)),
        public_key: fresh::public_key(&*app.entropy),
        label: label.trim().to_owned(),
        now: app.clock.now(),
    };
    app.store.create_key(&member.scope, key).await?;
    Ok(back(&member, "Made the key.", &app))
}

pub(super) async fn update(
    State(app): State<App>,
    Path((_, _, key)): Path<(String, String, String)>,
    member: ProjectMember<WriteKeys>,
    form: Form,
) -> Result<Response, Error> {
    let key: KeyId = key.parse().map_err(|_| Error::not_found("key"))?;
    let switch = |is_active| KeyPatch {
        label: None,
        is_active: Some(is_active),
        ..KeyPatch::default()
    };
    let notice = match form.text("action")? {
        "activate" => {
            app.store
                .update_key(&member.scope, key, switch(true))
                .await?;
            "The key is active again."
        }
        "deactivate" => {
            app.store
                .update_key(&member.scope, key, switch(false))
                .await?;
            "The key no longer lets events in."
        }
        "limit" => {
            let patch = KeyPatch {
                limit: Some(limit_in(&form)?),
                ..KeyPatch::default()
            };
            app.store.update_key(&member.scope, key, patch).await?;
            "Set the limit of the key."
        }
        "delete" => {
            app.store.delete_key(&member.scope, key).await?;
            "Deleted the key."
        }
        _ => {
            let why = "The action is activate, deactivate, limit or delete.".to_owned();
            return Err(Refusal::BadForm(why).into());
        }
    };
    Ok(back(&member, notice, &app))
}

/// The limit that is typed; nothing, or 0, is none.
fn limit_in(form: &Form) -> Result<Option<KeyLimit>, Error> {
    let (events, secs) = (form.text("limit")?.trim(), form.text("seconds")?);
    if events.is_empty() || events == "0" {
        return Ok(None);
    }
    let number = |text: &str| text.parse().unwrap_or(0);
    KeyLimit::new(number(events), number(secs))
        .map(Some)
        .map_err(|why| Refusal::BadForm(format!("The limit cannot be used: {why}.")).into())
}

fn back(member: &ProjectMember<WriteKeys>, notice: &str, app: &App) -> Response {
    let org = member.org.organization.slug.as_str();
    let path = urls::project_settings(org, member.project.slug.as_str());
    notice::redirect(&path, notice, app)
}
