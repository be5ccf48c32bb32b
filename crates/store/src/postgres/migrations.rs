//! Brings the schema up to date: forward only, once, whoever starts first.

use deadpool_postgres::Client;
use sha2::{Digest, Sha256};
use tokio_postgres::error::SqlState;

use super::{Tx, count, execute, find, list};
use crate::Result;
use crate::migrations::{Migration, migrations, missing};

/// All steps, in order.
const MIGRATIONS: &[Migration] = migrations!("postgres");

/// How often the table of versions may be made by somebody else at the same moment.
const RACES_MAX: usize = 5;

/// Applies what is missing, in one transaction: programs that start at once do it once.
///
/// # Errors
/// [`NewerSchema`](crate::Error::NewerSchema) when a later program has written the database.
pub(super) async fn apply(client: &Client) -> Result<()> {
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
async fn is_up_to_date(client: &Client) -> Result<bool> {
    let tx = Tx::begin_reading(client).await?;
    let made = find(
        &tx,
        "select to_regclass('schema_migrations') is not null",
        &[],
    )
    .await?;
    let is_made = made.map_or(Ok(false), |row| row.try_get(0))?;
    Ok(is_made && missing(MIGRATIONS, stored_version(&tx).await?)?.is_empty())
}

async fn make_versions(client: &Client) -> Result<(), tokio_postgres::Error> {
    client
        .batch_execute("create table if not exists schema_migrations (version bigint primary key)")
        .await
}

/// `if not exists` looks before it makes: of two at once, one hears that the name is taken.
fn is_race(error: &tokio_postgres::Error) -> bool {
    let taken = [
        SqlState::DUPLICATE_OBJECT,
        SqlState::DUPLICATE_TABLE,
        SqlState::UNIQUE_VIOLATION,
    ];
    error.code().is_some_and(|code| taken.contains(code))
}

async fn apply_missing(client: &Client) -> Result<()> {
    let tx = Tx::begin(client).await?;
    // Whoever comes second waits for the first, however long a step takes.
    tx.batch_execute(
        "set local lock_timeout = 0;
         set local statement_timeout = 0;
         lock table schema_migrations in exclusive mode",
    )
    .await?;
    let missing = missing(MIGRATIONS, stored_version(&tx).await?)?;
    if missing.is_empty() {
        return Ok(());
    }
    for migration in missing {
        tx.batch_execute(migration.sql).await?;
        execute(
            &tx,
            "insert into schema_migrations (version) values ($1)",
            &[&i64::from(migration.version)],
        )
        .await?;
    }
    let digest = schema_digest(&tx).await?;
    execute(
        &tx,
        "insert into meta (key, value)
        values ('schema', $1)
        on conflict (key) do update set value = excluded.value",
        &[&digest],
    )
    .await?;
    tx.commit().await
}

async fn stored_version(tx: &Tx<'_>) -> Result<u32> {
    let version = count(
        tx,
        "select coalesce(max(version), 0) from schema_migrations",
        &[],
    )
    .await?;
    Ok(u32::try_from(version).unwrap_or(u32::MAX))
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

#[cfg(test)]
mod tests {
    use super::super::engine::{Engine, Options};
    use super::super::schema::{Schema, Version};
    use super::*;
    use crate::Error;

    async fn open(schema: &Schema) -> Result<Engine> {
        Engine::open(&schema.url, Options { connections: 1 }).await
    }

    /// Starts, again where a busy machine answers late.
    async fn start(schema: &Schema) -> Engine {
        loop {
            match open(schema).await {
                Err(Error::Unavailable(why)) => eprintln!("tried again: {why}"),
                opened => return opened.unwrap(),
            }
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn an_older_program_refuses_a_newer_database_in_one_sentence() {
        let Some(schema) = Schema::create(Version::Oldest).await else {
            return;
        };
        let engine = open(&schema).await.unwrap();
        let later = "insert into schema_migrations (version) values (9999)";
        let written = engine.write(|tx| Box::pin(execute(tx, later, &[]))).await;
        written.unwrap();
        let refusal = open(&schema).await.err().expect("it is newer");
        assert!(matches!(refusal, Error::NewerSchema { stored: 9_999, .. }));
        let refusal = refusal.to_string();
        assert!(refusal.contains("written by a newer Copal"), "{refusal}");
        assert!(!refusal.contains('\n'));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn programs_may_start_at_once() {
        for version in [Version::Oldest, Version::Newest] {
            let Some(schema) = Schema::create(version).await else {
                return;
            };
            let starts = (0..8).map(|_| start(&schema));
            let engines = futures_util::future::join_all(starts).await;
            let digests = engines[0]
                .read(|tx| {
                    Box::pin(async move {
                        let applied = count(tx, "select count(*) from schema_migrations", &[]);
                        assert_eq!(applied.await?, MIGRATIONS.len() as u64);
                        Ok((schema_digest(tx).await?, stored_digest(tx).await?))
                    })
                })
                .await;
            let (digest, stored) = digests.unwrap();
            assert_eq!(stored, Some(digest));
        }
    }
}
