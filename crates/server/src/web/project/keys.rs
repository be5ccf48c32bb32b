//! Client keys of a project.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use copal_model::limits::KEY_LABEL_CHARS_MAX;
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

/// What stands behind the label of a key that was rotated.
const ROTATED: &str = " (old)";

pub(super) async fn create(
    State(app): State<App>,
    frame: Frame,
    member: ProjectMember<WriteKeys>,
    form: Form,
) -> Result<Response, Error> {
    let label = form.text("label")?;
    if let Some(error) = name_error(label, KEY_LABEL_CHARS_MAX) {
        let mut page = page(&frame, &member, &app).await?;
        page.label = Field::wrong(label, error);
        return frame.show_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let key = NewKey {
        id: KeyId::new(fresh::uuid_v7(&*app.clock, &*app.entropy)),
        public_key: fresh::public_key(&*app.entropy),
        label: label.trim().to_owned(),
        limit: None,
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
    let (scope, store) = (&member.scope, &app.store);
    let switch = |is_active| KeyPatch {
        is_active: Some(is_active),
        ..KeyPatch::default()
    };
    let notice = match form.text("action")? {
        "activate" => {
            store.update_key(scope, key, switch(true)).await?;
            "The key is active again.".to_owned()
        }
        "deactivate" => {
            store.update_key(scope, key, switch(false)).await?;
            "The key no longer lets events in.".to_owned()
        }
        "change" => {
            store.update_key(scope, key, patch_in(&form)?).await?;
            "Saved the key.".to_owned()
        }
        "rotate" => rotate(&member, key, &app).await?,
        "delete" => {
            store.delete_key(scope, key).await?;
            "Deleted the key.".to_owned()
        }
        _ => {
            let why = "The action is activate, deactivate, change, rotate or delete.".to_owned();
            return Err(Refusal::BadForm(why).into());
        }
    };
    Ok(back(&member, &notice, &app))
}

/// Makes a key in the place of another, which stays valid until somebody switches it off: whoever
/// rotates decides when all applications have the new one.
async fn rotate(member: &ProjectMember<WriteKeys>, key: KeyId, app: &App) -> Result<String, Error> {
    let (scope, store) = (&member.scope, &app.store);
    let keys = store.list_keys(scope).await?;
    let old = keys.into_iter().find(|other| other.id == key);
    let old = old.ok_or_else(|| Error::not_found("key"))?;
    let new = NewKey {
        id: KeyId::new(fresh::uuid_v7(&*app.clock, &*app.entropy)),
        public_key: fresh::public_key(&*app.entropy),
        label: old.label.clone(),
        limit: old.limit,
        now: app.clock.now(),
    };
    store.create_key(scope, new).await?;
    let kept = old.label.chars();
    let kept: String = kept.take(KEY_LABEL_CHARS_MAX - ROTATED.len()).collect();
    let renamed = KeyPatch {
        label: Some(format!("{kept}{ROTATED}")),
        ..KeyPatch::default()
    };
    store.update_key(scope, key, renamed).await?;
    Ok(format!(
        "Made a new key {}. The old one is valid until you switch it off.",
        old.label
    ))
}

/// What a label and a limit that are typed make of a key.
fn patch_in(form: &Form) -> Result<KeyPatch, Error> {
    let label = form.text("label")?;
    if let Some(why) = name_error(label, KEY_LABEL_CHARS_MAX) {
        return Err(Refusal::BadForm(format!("The label cannot be used: {why}")).into());
    }
    Ok(KeyPatch {
        label: Some(label.trim().to_owned()),
        is_active: None,
        limit: Some(limit_in(form)?),
    })
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
