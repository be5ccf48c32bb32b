//! What projects want done with events on their way in.

use async_trait::async_trait;
use copal_model::{Category, FilterSettings, InboundSettings, ScrubSettings, Switch, Timestamp};
use rusqlite::{Connection, params};

use super::{Columns, SqliteStore};
use crate::inbound::{FilterCount, Inbound, from_lines, require_room, to_lines};
use crate::record::plan::hour_of;
use crate::{Error, ProjectScope, Result};

/// The columns of [`settings`]; `i` is the table.
pub(super) const COLUMNS: &str = "i.filters_browser_extensions, i.filters_web_crawlers, \
    i.filters_legacy_browsers, i.filters_localhost, i.filtered_releases, i.filtered_messages, \
    i.filtered_addresses, i.scrubs_secrets, i.scrubs_addresses, i.scrubbed_fields, i.safe_fields";

#[async_trait]
impl Inbound for SqliteStore {
    async fn find_inbound(&self, scope: &ProjectScope) -> Result<InboundSettings> {
        let scope = *scope;
        self.engine.read(move |db| find_inbound(db, scope)).await
    }

    async fn update_inbound(
        &self,
        scope: &ProjectScope,
        settings: InboundSettings,
        now: Timestamp,
    ) -> Result<()> {
        let scope = *scope;
        self.engine
            .write(move |db| update_inbound(db, scope, &settings, now))
            .await
    }

    async fn count_filtered(
        &self,
        scope: &ProjectScope,
        since: Timestamp,
    ) -> Result<Vec<FilterCount>> {
        let scope = *scope;
        self.engine
            .read(move |db| count_filtered(db, scope, since))
            .await
    }
}

fn find_inbound(db: &Connection, scope: ProjectScope) -> Result<InboundSettings> {
    let mut find = db.prepare_cached(&format!(
        "select {COLUMNS}
        from project_inbound i
        where i.org_id = $1 and i.project_id = $2"
    ))?;
    let mut found = find.query_and_then(
        params![scope.org().as_uuid().as_bytes(), scope.project().get()],
        |row| settings(&Columns::new("project_inbound", row)),
    )?;
    found
        .next()
        .unwrap_or_else(|| Ok(InboundSettings::default()))
}

fn update_inbound(
    db: &Connection,
    scope: ProjectScope,
    settings: &InboundSettings,
    now: Timestamp,
) -> Result<()> {
    require_room(settings)?;
    let (filters, scrubbing) = (&settings.filters, &settings.scrubbing);
    let changed = db
        .prepare_cached(
            "insert into project_inbound
                (org_id, project_id, filters_browser_extensions, filters_web_crawlers,
                filters_legacy_browsers, filters_localhost, filtered_releases, filtered_messages,
                filtered_addresses, scrubs_secrets, scrubs_addresses, scrubbed_fields, safe_fields,
                updated_at)
            select p.org_id, p.id, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12
            from projects p
            where p.org_id = $13 and p.id = $14 and p.deleted_at is null
            on conflict (project_id) do update
            set filters_browser_extensions = excluded.filters_browser_extensions,
                filters_web_crawlers = excluded.filters_web_crawlers,
                filters_legacy_browsers = excluded.filters_legacy_browsers,
                filters_localhost = excluded.filters_localhost,
                filtered_releases = excluded.filtered_releases,
                filtered_messages = excluded.filtered_messages,
                filtered_addresses = excluded.filtered_addresses,
                scrubs_secrets = excluded.scrubs_secrets,
                scrubs_addresses = excluded.scrubs_addresses,
                scrubbed_fields = excluded.scrubbed_fields,
                safe_fields = excluded.safe_fields,
                updated_at = excluded.updated_at",
        )?
        .execute(params![
            filters.browser_extensions.is_on(),
            filters.web_crawlers.is_on(),
            filters.legacy_browsers.is_on(),
            filters.localhost.is_on(),
            to_lines(&filters.releases),
            to_lines(&filters.error_messages),
            to_lines(&filters.addresses),
            scrubbing.secrets.is_on(),
            scrubbing.addresses.is_on(),
            to_lines(&scrubbing.fields),
            to_lines(&scrubbing.safe_fields),
            now.as_microsecond(),
            scope.org().as_uuid().as_bytes(),
            scope.project().get(),
        ])?;
    match changed {
        0 => Err(Error::NotFound { what: "project" }),
        _ => Ok(()),
    }
}

fn count_filtered(
    db: &Connection,
    scope: ProjectScope,
    since: Timestamp,
) -> Result<Vec<FilterCount>> {
    let mut list = db.prepare_cached(
        "select o.reason, sum(o.quantity) as events
        from projects p
        join outcomes o on o.project_id = p.id
        where p.org_id = $1 and p.id = $2
          and o.hour >= $3 and o.category = $4 and o.outcome = 'filtered'
        group by o.reason
        order by o.reason",
    )?;
    let rows = list.query_and_then(
        params![
            scope.org().as_uuid().as_bytes(),
            scope.project().get(),
            hour_of(since),
            Category::Error.as_str(),
        ],
        |row| {
            let columns = Columns::new("outcomes", row);
            Ok(FilterCount {
                filter: columns.get("reason")?,
                events: columns.count("events")?,
            })
        },
    )?;
    rows.collect()
}

/// The settings in a row of [`COLUMNS`].
pub(super) fn settings(columns: &Columns<'_>) -> Result<InboundSettings> {
    let switch = |name| Ok::<_, Error>(Switch::of(columns.get(name)?));
    let list = |name| Ok::<_, Error>(from_lines(&columns.get::<String>(name)?));
    Ok(InboundSettings {
        filters: FilterSettings {
            browser_extensions: switch("filters_browser_extensions")?,
            web_crawlers: switch("filters_web_crawlers")?,
            legacy_browsers: switch("filters_legacy_browsers")?,
            localhost: switch("filters_localhost")?,
            releases: list("filtered_releases")?,
            error_messages: list("filtered_messages")?,
            addresses: list("filtered_addresses")?,
        },
        scrubbing: ScrubSettings {
            secrets: switch("scrubs_secrets")?,
            addresses: switch("scrubs_addresses")?,
            fields: list("scrubbed_fields")?,
            safe_fields: list("safe_fields")?,
        },
    })
}
