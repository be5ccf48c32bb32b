//! A project's scrubbing and inbound filters: two forms, each of its own half of the settings.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use copal_model::inbound::lines_of;
use copal_model::{FilterSettings, InboundSettings, ScrubSettings, Switch};
use copal_ui::pages::project::InboundForm;
use copal_ui::urls;

use super::settings::page;
use crate::api::inbound::{count_filtered, problems, save};
use crate::app::App;
use crate::auth::form::Fields;
use crate::auth::new_account::sentence;
use crate::auth::permit::WriteProject;
use crate::auth::{Form, ProjectMember, Refusal, Trail};
use crate::web::Error;
use crate::web::frame::Frame;
use crate::web::notice;

pub(super) async fn scrub(
    State(app): State<App>,
    frame: Frame,
    member: ProjectMember<WriteProject>,
    trail: Trail,
    form: Form,
) -> Result<Response, Error> {
    let before = app.store.find_inbound(&member.scope).await?;
    let settings = InboundSettings {
        filters: before.filters.clone(),
        scrubbing: ScrubSettings {
            secrets: ticked(&form, "secrets"),
            addresses: ticked(&form, "scrubAddresses"),
            fields: lines_of(form.text("fields")?),
            safe_fields: lines_of(form.text("safeFields")?),
        },
    };
    let notice = "Saved what is scrubbed.";
    keep(&app, frame, &member, &trail, (before, settings, notice)).await
}

pub(super) async fn filter(
    State(app): State<App>,
    frame: Frame,
    member: ProjectMember<WriteProject>,
    trail: Trail,
    form: Form,
) -> Result<Response, Error> {
    let before = app.store.find_inbound(&member.scope).await?;
    let settings = InboundSettings {
        filters: filters(&form)?,
        scrubbing: before.scrubbing.clone(),
    };
    let notice = "Saved the filters.";
    keep(&app, frame, &member, &trail, (before, settings, notice)).await
}

fn filters(form: &Fields) -> Result<FilterSettings, Refusal> {
    Ok(FilterSettings {
        browser_extensions: ticked(form, "browserExtensions"),
        web_crawlers: ticked(form, "webCrawlers"),
        legacy_browsers: ticked(form, "legacyBrowsers"),
        localhost: ticked(form, "localhost"),
        releases: lines_of(form.text("releases")?),
        error_messages: lines_of(form.text("errorMessages")?),
        addresses: lines_of(form.text("addresses")?),
    })
}

fn ticked(form: &Fields, field: &str) -> Switch {
    Switch::of(form.all(field).next().is_some())
}

async fn keep(
    app: &App,
    frame: Frame,
    member: &ProjectMember<WriteProject>,
    trail: &Trail,
    (before, settings, text): (InboundSettings, InboundSettings, &str),
) -> Result<Response, Error> {
    let wrong = problems(&settings);
    if !wrong.is_empty() {
        let mut page = page(&frame, member, app).await?;
        page.inbound.settings = settings;
        page.inbound.wrong = wrong
            .into_iter()
            .map(|wrong| (wrong.field, sentence(&wrong.why)))
            .collect();
        return frame.show_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    save(&member.scope, &before, settings, trail, app).await?;
    let org = member.org.organization.slug.as_str();
    let back = urls::project_settings(org, member.project.slug.as_str());
    Ok(notice::redirect(&back, text, app))
}

/// The two sections with nothing typed yet.
pub(super) async fn form<A>(member: &ProjectMember<A>, app: &App) -> Result<InboundForm, Error> {
    let taken = count_filtered(&member.scope, app).await?.into_iter();
    Ok(InboundForm {
        settings: app.store.find_inbound(&member.scope).await?,
        taken: taken.map(|count| (count.filter, count.events)).collect(),
        wrong: Vec::new(),
    })
}
