//! Brings the schema up to date: forward only, once, whoever starts first.

use deadpool_postgres::Client;
use sha2::{Digest, Sha256};
use tokio_postgres::error::SqlState;

use super::{Tx, execute, find, list};
use crate::{Error, Result};

/// A step of the schema; its number is the version that the database has afterwards.
struct Migration {
    version: u32,
    sql: &'static str,
}

macro_rules! migrations {
    ($($version:literal $title:literal),+ $(,)?) => {
        &[$(Migration {
            version: $version,
            sql: include_str!(concat!("../../migrations/postgres/", $title, ".sql")),
        }),+]
    };
}

/// All steps, in order.
const MIGRATIONS: &[Migration] = migrations![
    1 "0001_organizations",
    2 "0002_sessions",
    3 "0003_projects",
    4 "0004_issues",
    5 "0005_events",
    6 "0006_outcomes",
];

/// How often the table of versions may be made by somebody else at the same moment.
const RACES_MAX: usize = 5;

/// Applies what is missing, in one transaction: programs that start at once do it once.
///
/// # Errors
/// [`NewerSchema`](Error::NewerSchema) when a later program has written the database.
pub(super) async fn apply(client: &mut Client) -> Result<()> {
    for _ in 0..RACES_MAX {
        if is_up_to_date(client).await? {
            return Ok(());
        }
        match make_versions(client).await {
            Err(error) if is_race(&error) => {}
            made => {
                made?;
                return apply_missing(client).await;
            }
        }
    }
    apply_missing(client).await
}

/// Looks without a lock: most starts find nothing to do.
async fn is_up_to_date(client: &mut Client) -> Result<bool> {
    let tx = client.transaction().await?;
    let made = find(
        &tx,
        "select to_regclass('schema_migrations') is not null",
        &[],
    )
    .await?;
    let is_made = made.map_or(Ok(false), |row| row.try_get(0))?;
    Ok(is_made && stored_version(&tx).await? == known_version())
}

async fn make_versions(client: &Client) -> Result<(), tokio_postgres::Error> {
    client
        .batch_execute("create table if not exists schema_migrations (version bigint primary key)")
        .await
}

/// `if not exists` looks before it makes: of two at once, one hears that the name is taken.
fn is_race(error: &tokio_postgres::Error) -> bool {
    error.code().is_some_and(|code| {
        *code == SqlState::UNIQUE_VIOLATION || *code == SqlState::DUPLICATE_TABLE
    })
}

async fn apply_missing(client: &mut Client) -> Result<()> {
    let tx = client.transaction().await?;
    // Whoever comes second waits for the first, however long a step takes.
    tx.batch_execute(
        "set local lock_timeout = 0;
         set local statement_timeout = 0;
         lock table schema_migrations in exclusive mode",
    )
    .await?;
    let stored = stored_version(&tx).await?;
    for migration in MIGRATIONS {
        if migration.version > stored {
            tx.batch_execute(migration.sql).await?;
            execute(
                &tx,
                "insert into schema_migrations (version) values ($1)",
                &[&i64::from(migration.version)],
            )
            .await?;
        }
    }
    if stored < known_version() {
        let digest = schema_digest(&tx).await?;
        execute(
            &tx,
            "insert into meta (key, value)
            values ('schema', $1)
            on conflict (key) do update set value = excluded.value",
            &[&digest],
        )
        .await?;
    }
    Ok(tx.commit().await?)
}

fn known_version() -> u32 {
    MIGRATIONS.last().map_or(0, |last| last.version)
}

async fn stored_version(tx: &Tx<'_>) -> Result<u32> {
    let row = find(
        tx,
        "select coalesce(max(version), 0) from schema_migrations",
        &[],
    )
    .await?;
    let stored: i64 = row.map_or(Ok(0), |row| row.try_get(0))?;
    let (stored, known) = (u32::try_from(stored).unwrap_or(u32::MAX), known_version());
    if stored > known {
        return Err(Error::NewerSchema { stored, known });
    }
    Ok(stored)
}

/// SHA-256 over all definitions but those of partitions, which come and go.
pub(super) async fn schema_digest(tx: &Tx<'_>) -> Result<String> {
    let rows = list(
        tx,
        "with ours as (
            select c.oid, c.relname
            from pg_class c
            where c.relnamespace = current_schema()::regnamespace
              and c.relkind in ('r', 'p')
              and c.relname !~ '^events_p[0-9]'
        )
        select d.definition
        from (
            select concat_ws(' ', o.relname, a.attname, format_type(a.atttypid, a.atttypmod),
                a.attnotnull, a.attidentity, l.collname)
            from ours o
            join pg_attribute a on a.attrelid = o.oid and a.attnum > 0 and not a.attisdropped
            left join pg_collation l on l.oid = a.attcollation
            union all
            select pg_get_indexdef(i.indexrelid)
            from ours o
            join pg_index i on i.indrelid = o.oid
            union all
            select concat_ws(' ', o.relname, pg_get_constraintdef(c.oid))
            from ours o
            join pg_constraint c on c.conrelid = o.oid and c.contype in ('c', 'f', 'p', 'u')
        ) d (definition)
        order by d.definition collate \"C\"",
        &[],
    )
    .await?;
    let mut digest = Sha256::new();
    for row in rows {
        digest.update(row.try_get::<_, &str>(0)?);
        digest.update([0]);
    }
    Ok(crate::hex::encode(&digest.finalize()))
}

/// What the database says its schema is: the digest written when it was last migrated.
pub(super) async fn stored_digest(tx: &Tx<'_>) -> Result<Option<String>> {
    let row = find(
        tx,
        "select value
        from meta
        where key = 'schema'",
        &[],
    )
    .await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}
