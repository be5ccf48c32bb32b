//! What a project wants done with events on their way in: filters, and what is scrubbed.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::Method;
use copal_model::inbound::{INBOUND_LINE_BYTES_MAX, INBOUND_LINES_MAX};
use copal_model::policy::Action;
use copal_model::{InboundSettings, Switch};
use copal_pipeline::filter::Filters;
use copal_store::ProjectScope;
use copal_store::inbound::FilterCount;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Result;
use super::body::{Json, invalid};
use super::describe::Call;
use crate::app::App;
use crate::auth::permit::{ReadOrg, WriteProject};
use crate::auth::{ProjectCaller, Trail};
use crate::routes::{Route, RouteAccess};

/// Days that counts of filters look back.
const COUNTED_DAYS: i64 = 30;

/// What a project wants done with events on their way in.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Inbound {
    filters: InboundFilters,
    scrubbing: Scrubbing,
    /// Events that each filter has taken in the last 30 days, by its name; also what is not kept for
    /// other reasons.
    filtered: BTreeMap<String, u64>,
}

/// Which events a project does not want. They are counted, and not kept.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "switches, as callers see them"
)]
pub struct InboundFilters {
    browser_extensions: bool,
    web_crawlers: bool,
    legacy_browsers: bool,
    localhost: bool,
    /// Patterns; `*` is anything.
    releases: Vec<String>,
    /// Patterns of types, values and titles.
    error_messages: Vec<String>,
    /// Addresses and ranges.
    addresses: Vec<String>,
}

/// What is taken out of events before they are stored or grouped.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Scrubbing {
    /// Secrets, by the names of fields and by what values look like.
    secrets: bool,
    /// Network addresses of users.
    addresses: bool,
    /// Fields whose name contains one of these lose their value.
    fields: Vec<String>,
    /// Fields with exactly these names keep theirs.
    safe_fields: Vec<String>,
}

/// A change; what is left out stays as it is. A list has at most 200 lines of 500 bytes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InboundChange {
    filters: Option<FiltersChange>,
    scrubbing: Option<ScrubbingChange>,
}

/// A change to filters; a list replaces the one before.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FiltersChange {
    browser_extensions: Option<bool>,
    web_crawlers: Option<bool>,
    legacy_browsers: Option<bool>,
    localhost: Option<bool>,
    releases: Option<Vec<String>>,
    error_messages: Option<Vec<String>>,
    addresses: Option<Vec<String>>,
}

/// A change to scrubbing; a list replaces the one before.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScrubbingChange {
    secrets: Option<bool>,
    addresses: Option<bool>,
    fields: Option<Vec<String>>,
    safe_fields: Option<Vec<String>>,
}

/// A field of the settings that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongField {
    /// Its name in JSON and in the form.
    pub field: &'static str,
    /// Why, as the rest of a sentence.
    pub why: String,
}

const PATH: &str = "/api/v1/organizations/{org}/projects/{project}/inbound";

/// The routes.
pub fn routes() -> Vec<Route> {
    vec![
        Route::get(
            PATH,
            RouteAccess::Org(Action::ReadOrg),
            "Show inbound filters and scrubbing of a project",
            show,
        )
        .with_operation(|| Call::answers::<Inbound>().operation()),
        Route::new(
            Method::PATCH,
            PATH,
            RouteAccess::Org(Action::WriteProject),
            "Change inbound filters and scrubbing of a project",
            update,
        )
        .with_operation(|| {
            Call::answers::<Inbound>()
                .takes::<InboundChange>()
                .operation()
        }),
    ]
}

async fn show(
    project: ProjectCaller<ReadOrg>,
    State(app): State<App>,
) -> Result<axum::Json<Inbound>> {
    let settings = app.store.find_inbound(&project.scope).await?;
    let filtered = count_filtered(&project.scope, &app).await?;
    Ok(axum::Json(Inbound::of(settings, filtered)))
}

async fn update(
    project: ProjectCaller<WriteProject>,
    trail: Trail,
    State(app): State<App>,
    Json(change): Json<InboundChange>,
) -> Result<axum::Json<Inbound>> {
    let before = app.store.find_inbound(&project.scope).await?;
    let settings = change.applied_to(before.clone());
    if let Some(wrong) = problems(&settings).into_iter().next() {
        let WrongField { field, why } = wrong;
        return Err(invalid(format!("`{field}` cannot be used: {why}.")));
    }
    save(&project.scope, &before, settings.clone(), &trail, &app).await?;
    let filtered = count_filtered(&project.scope, &app).await?;
    Ok(axum::Json(Inbound::of(settings, filtered)))
}

/// Keeps settings that have no [`problems`], and says in the audit log what has changed.
///
/// # Errors
/// When the store does not keep them.
pub async fn save(
    scope: &ProjectScope,
    before: &InboundSettings,
    settings: InboundSettings,
    trail: &Trail,
    app: &App,
) -> copal_store::Result<()> {
    trail.changed(Some(summary(before)), Some(summary(&settings)));
    let now = app.clock.now();
    app.store.update_inbound(scope, settings, now).await
}

/// Events that each filter has taken in the last 30 days.
///
/// # Errors
/// When the store cannot say.
pub async fn count_filtered(
    scope: &ProjectScope,
    app: &App,
) -> copal_store::Result<Vec<FilterCount>> {
    let since = app.clock.now() - SignedDuration::from_hours(24 * COUNTED_DAYS);
    app.store.count_filtered(scope, since).await
}

/// What cannot be used of settings, the first line that is wrong of each list.
pub fn problems(settings: &InboundSettings) -> Vec<WrongField> {
    let mut wrong: Vec<_> = lists(settings)
        .into_iter()
        .filter_map(|(field, list)| too_long(list).map(|why| WrongField { field, why }))
        .collect();
    let (_, lines) = Filters::of(&settings.filters);
    for bad in lines {
        let field = match bad.list {
            "releases" => "releases",
            "error messages" => "errorMessages",
            _ => "addresses",
        };
        if wrong.iter().all(|known| known.field != field) {
            let why = format!("line {}: {}", bad.line, bad.problem);
            wrong.push(WrongField { field, why });
        }
    }
    wrong
}

fn lists(settings: &InboundSettings) -> [(&'static str, &Vec<String>); 5] {
    let (filters, scrubbing) = (&settings.filters, &settings.scrubbing);
    [
        ("releases", &filters.releases),
        ("errorMessages", &filters.error_messages),
        ("addresses", &filters.addresses),
        ("fields", &scrubbing.fields),
        ("safeFields", &scrubbing.safe_fields),
    ]
}

fn too_long(list: &[String]) -> Option<String> {
    if list.len() > INBOUND_LINES_MAX as usize {
        let lines = list.len();
        return Some(format!(
            "a list has at most {INBOUND_LINES_MAX} lines, and this one has {lines}"
        ));
    }
    let is_long = |line: &String| line.len() > INBOUND_LINE_BYTES_MAX as usize;
    let at = list.iter().position(is_long)?;
    Some(format!(
        "a line has at most {INBOUND_LINE_BYTES_MAX} bytes, and line {} has more",
        at + 1
    ))
}

/// What is set, in a line of the audit log: lists by how many lines they have.
fn summary(settings: &InboundSettings) -> String {
    let filters = &settings.filters;
    let switches = [
        ("browserExtensions", filters.browser_extensions),
        ("webCrawlers", filters.web_crawlers),
        ("legacyBrowsers", filters.legacy_browsers),
        ("localhost", filters.localhost),
        ("secrets", settings.scrubbing.secrets),
        ("scrubAddresses", settings.scrubbing.addresses),
    ];
    let on = switches.into_iter().filter(|(_, switch)| switch.is_on());
    let mut words: Vec<_> = on.map(|(name, _)| name.to_owned()).collect();
    let counts = lists(settings).map(|(name, list)| format!("{name}={}", list.len()));
    words.extend(counts);
    words.join(" ")
}

impl InboundChange {
    fn applied_to(self, mut settings: InboundSettings) -> InboundSettings {
        if let Some(change) = self.filters {
            let filters = &mut settings.filters;
            switch(&mut filters.browser_extensions, change.browser_extensions);
            switch(&mut filters.web_crawlers, change.web_crawlers);
            switch(&mut filters.legacy_browsers, change.legacy_browsers);
            switch(&mut filters.localhost, change.localhost);
            replace(&mut filters.releases, change.releases);
            replace(&mut filters.error_messages, change.error_messages);
            replace(&mut filters.addresses, change.addresses);
        }
        if let Some(change) = self.scrubbing {
            let scrubbing = &mut settings.scrubbing;
            switch(&mut scrubbing.secrets, change.secrets);
            switch(&mut scrubbing.addresses, change.addresses);
            replace(&mut scrubbing.fields, change.fields);
            replace(&mut scrubbing.safe_fields, change.safe_fields);
        }
        settings
    }
}

fn switch(kept: &mut Switch, wanted: Option<bool>) {
    if let Some(is_on) = wanted {
        *kept = Switch::of(is_on);
    }
}

/// Lines as a form would send them: none is empty, none holds two.
fn replace(kept: &mut Vec<String>, wanted: Option<Vec<String>>) {
    if let Some(lines) = wanted {
        *kept = copal_model::inbound::lines_of(&lines.join("\n"));
    }
}

impl Inbound {
    fn of(settings: InboundSettings, filtered: Vec<FilterCount>) -> Self {
        let (filters, scrubbing) = (settings.filters, settings.scrubbing);
        Self {
            filters: InboundFilters {
                browser_extensions: filters.browser_extensions.is_on(),
                web_crawlers: filters.web_crawlers.is_on(),
                legacy_browsers: filters.legacy_browsers.is_on(),
                localhost: filters.localhost.is_on(),
                releases: filters.releases,
                error_messages: filters.error_messages,
                addresses: filters.addresses,
            },
            scrubbing: Scrubbing {
                secrets: scrubbing.secrets.is_on(),
                addresses: scrubbing.addresses.is_on(),
                fields: scrubbing.fields,
                safe_fields: scrubbing.safe_fields,
            },
            filtered: filtered
                .into_iter()
                .map(|count| (count.filter, count.events))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(settings: &InboundSettings) -> Vec<(&'static str, String)> {
        let wrong = problems(settings).into_iter();
        wrong.map(|wrong| (wrong.field, wrong.why)).collect()
    }

    #[test]
    fn lists_and_lines_are_refused_at_their_limits() {
        let mut settings = InboundSettings::default();
        settings.scrubbing.fields = vec!["x".to_owned(); 200];
        settings.filters.releases = vec!["x".repeat(500)];
        assert_eq!(wrong(&settings), []);
        settings.scrubbing.fields.push("x".to_owned());
        settings.filters.releases = vec!["ok".to_owned(), "x".repeat(501)];
        let told = |text: &str| text.to_owned();
        assert_eq!(
            wrong(&settings),
            [
                (
                    "releases",
                    told("a line has at most 500 bytes, and line 2 has more")
                ),
                (
                    "fields",
                    told("a list has at most 200 lines, and this one has 201")
                ),
            ]
        );
    }

    #[test]
    fn what_is_no_address_is_refused_by_its_line() {
        let mut settings = InboundSettings::default();
        settings.filters.addresses = vec!["10.0.0.0/8".to_owned(), "10.0.0.0/99".to_owned()];
        let found = wrong(&settings);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].0, "addresses");
        assert!(
            found[0].1.starts_with("line 2: `10.0.0.0/99` is neither"),
            "{}",
            found[0].1
        );
    }
}
