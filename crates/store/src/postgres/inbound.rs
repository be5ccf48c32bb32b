//! What projects want done with events on their way in.

use async_trait::async_trait;
use copal_model::{Category, FilterSettings, InboundSettings, ScrubSettings, Switch, Timestamp};

use super::{Columns, PostgresStore, Tx, execute, find, list};
use crate::inbound::{FilterCount, Inbound, from_lines, require_room, to_lines};
use crate::record::plan::hour_of;
use crate::{Error, ProjectScope, Result};

/// The columns of [`settings`]; `i` is the table.
pub(super) const COLUMNS: &str = "i.filters_browser_extensions, i.filters_web_crawlers, \
    i.filters_legacy_browsers, i.filters_localhost, i.filtered_releases, i.filtered_messages, \
    i.filtered_addresses, i.scrubs_secrets, i.scrubs_addresses, i.scrubbed_fields, i.safe_fields";

#[async_trait]
impl Inbound for PostgresStore {
    async fn find_inbound(&self, scope: &ProjectScope) -> Result<InboundSettings> {
        let scope = *scope;
        self.engine
            .read(move |tx| Box::pin(find_inbound(tx, scope)))
            .await
    }

    async fn update_inbound(
        &self,
        scope: &ProjectScope,
        settings: InboundSettings,
        now: Timestamp,
    ) -> Result<()> {
        let scope = *scope;
        self.engine
            .write(move |tx| {
                let settings = settings.clone();
                Box::pin(async move { update_inbound(tx, scope, &settings, now).await })
            })
            .await
    }

    async fn count_filtered(
        &self,
        scope: &ProjectScope,
        since: Timestamp,
    ) -> Result<Vec<FilterCount>> {
        let scope = *scope;
        self.engine
            .read(move |tx| Box::pin(count_filtered(tx, scope, since)))
            .await
    }
}

async fn find_inbound(tx: &Tx<'_>, scope: ProjectScope) -> Result<InboundSettings> {
    let found = find(
        tx,
        &format!(
            "select {COLUMNS}
            from project_inbound i
            where i.org_id = $1 and i.project_id = $2"
        ),
        &[&scope.org().as_uuid(), &i64::from(scope.project().get())],
    )
    .await?;
    found.map_or_else(
        || Ok(InboundSettings::default()),
        |row| settings(&Columns::new("project_inbound", &row)),
    )
}

async fn update_inbound(
    tx: &Tx<'_>,
    scope: ProjectScope,
    settings: &InboundSettings,
    now: Timestamp,
) -> Result<()> {
    require_room(settings)?;
    let (filters, scrubbing) = (&settings.filters, &settings.scrubbing);
    let changed = execute(
        tx,
        "insert into project_inbound
            (org_id, project_id, filters_browser_extensions, filters_web_crawlers,
            filters_legacy_browsers, filters_localhost, filtered_releases, filtered_messages,
            filtered_addresses, scrubs_secrets, scrubs_addresses, scrubbed_fields, safe_fields,
            updated_at)
        select p.org_id, p.id, $1::bool, $2::bool, $3::bool, $4::bool, $5::text, $6::text, $7::text,
            $8::bool, $9::bool, $10::text, $11::text, $12::bigint
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
        &[
            &filters.browser_extensions.is_on(),
            &filters.web_crawlers.is_on(),
            &filters.legacy_browsers.is_on(),
            &filters.localhost.is_on(),
            &to_lines(&filters.releases),
            &to_lines(&filters.error_messages),
            &to_lines(&filters.addresses),
            &scrubbing.secrets.is_on(),
            &scrubbing.addresses.is_on(),
            &to_lines(&scrubbing.fields),
            &to_lines(&scrubbing.safe_fields),
            &now.as_microsecond(),
            &scope.org().as_uuid(),
            &i64::from(scope.project().get()),
        ],
    )
    .await?;
    match changed {
        0 => Err(Error::NotFound { what: "project" }),
        _ => Ok(()),
    }
}

async fn count_filtered(
    tx: &Tx<'_>,
    scope: ProjectScope,
    since: Timestamp,
) -> Result<Vec<FilterCount>> {
    let rows = list(
        tx,
        "select o.reason, sum(o.quantity)::bigint as events
        from projects p
        join outcomes o on o.project_id = p.id
        where p.org_id = $1 and p.id = $2
          and o.hour >= $3 and o.category = $4 and o.outcome = 'filtered'
        group by o.reason
        order by o.reason",
        &[
            &scope.org().as_uuid(),
            &i64::from(scope.project().get()),
            &hour_of(since),
            &Category::Error.as_str(),
        ],
    )
    .await?;
    let counted = rows.iter().map(|row| {
        let columns = Columns::new("outcomes", row);
        Ok(FilterCount {
            filter: columns.get("reason")?,
            events: columns.count("events")?,
        })
    });
    counted.collect()
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
