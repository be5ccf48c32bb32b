//! Retention, the server's address, and what durability rests on.

use std::path::Path;

use async_trait::async_trait;
use copal_model::Timestamp;
use rusqlite::{OptionalExtension, Transaction};

use super::{SqliteStore, fsck, partitions, training};
use crate::record::plan::day_of;
use crate::upkeep::{Compacted, FsckReport, Guarantee, Upkeep};
use crate::{Error, Result};

#[async_trait]
impl Upkeep for SqliteStore {
    async fn change_token(&self) -> Result<u64> {
        self.engine.change_token().await
    }

    async fn drop_expired(&self, now: Timestamp) -> Result<usize> {
        let dropped = self
            .engine
            .on_writer(move |connection| {
                let tx = connection
                    .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
                let expired = expired_partitions(&tx, now)?;
                for partition in &expired {
                    drop_partition(&tx, *partition)?;
                }
                tx.commit()?;
                Ok(expired.len())
            })
            .await?;
        self.codec.bases.forget();
        self.delete_orphans().await?;
        Ok(dropped)
    }

    async fn compact(&self, now: Timestamp) -> Result<Compacted> {
        self.compact_due(now).await
    }

    async fn forget_expired(&self, now: Timestamp) -> Result<()> {
        let now = now.as_microsecond();
        self.engine
            .on_writer(move |connection| {
                for table in ["sessions", "tokens"] {
                    connection.execute(
                        &format!("delete from {table} where expires_at <= ?1"),
                        (now,),
                    )?;
                }
                Ok(())
            })
            .await
    }

    async fn fsck(&self) -> Result<FsckReport> {
        self.with_payloads(fsck::check).await
    }

    async fn guarantees(&self) -> Result<Vec<Guarantee>> {
        let (synchronous, mode, path): (i64, String, String) = self
            .engine
            .on_writer(|connection| {
                Ok((
                    connection.query_one("pragma synchronous", (), |row| row.get(0))?,
                    connection.query_one("pragma journal_mode", (), |row| row.get(0))?,
                    connection.path().unwrap_or_default().to_owned(),
                ))
            })
            .await?;
        Ok(vec![
            Guarantee {
                promise: "a commit is on disk before it is answered",
                broken: (synchronous != 2 || mode != "wal")
                    .then(|| format!("synchronous is {synchronous} and journal_mode {mode}")),
            },
            Guarantee {
                promise: "only this user can read the data",
                broken: others_may_read(Path::new(&path)).map_err(Error::Disk)?,
            },
        ])
    }

    async fn server_address(&self) -> Result<Option<String>> {
        self.engine
            .read(|connection| {
                Ok(connection
                    .prepare_cached("select value from meta where key = 'server_address'")?
                    .query_row((), |row| row.get(0))
                    .optional()?)
            })
            .await
    }

    async fn set_server_address(&self, base_url: Option<&str>) -> Result<()> {
        let base_url = base_url.map(str::to_owned);
        self.engine
            .on_writer(move |connection| {
                match base_url {
                    Some(base_url) => connection.execute(
                        "insert into meta (key, value)
                         values ('server_address', ?1)
                         on conflict (key) do update set value = excluded.value",
                        (base_url,),
                    )?,
                    None => {
                        connection.execute("delete from meta where key = 'server_address'", ())?
                    }
                };
                Ok(())
            })
            .await
    }
}

impl SqliteStore {
    /// Deletes the folders of partitions that have no row any more.
    async fn delete_orphans(&self) -> Result<()> {
        let segments = self.segments.clone();
        let tails = std::sync::Arc::clone(&self.tails);
        // On the writer: no partition is made meanwhile whose row is not committed yet.
        self.engine
            .on_writer(move |connection| {
                let known: Vec<i64> = partitions::between(connection, i64::MIN, i64::MAX)?
                    .into_iter()
                    .map(|partition| partition.id)
                    .collect();
                for partition in segments.partitions().map_err(Error::Disk)? {
                    if !known.contains(&partition) {
                        segments.delete_partition(partition).map_err(Error::Disk)?;
                    }
                }
                let mut tails = tails
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner);
                tails.forget();
                Ok(())
            })
            .await
    }
}

fn expired_partitions(tx: &Transaction<'_>, now: Timestamp) -> Result<Vec<i64>> {
    let mut statement = tx.prepare_cached(
        "select id
         from partitions
         where day + retention_days < ?1
         order by id",
    )?;
    let rows = statement.query_map((day_of(now),), |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Reads no event: the counts per issue say how many go.
fn drop_partition(tx: &Transaction<'_>, partition: i64) -> Result<()> {
    tx.execute(
        "update issues
         set evicted_count = evicted_count + i.stored
         from issue_partitions i
         where i.issue_id = issues.id
           and i.partition_id = ?1",
        (partition,),
    )?;
    for table in ["issue_partitions", "partition_dictionaries", "segments"] {
        tx.execute(
            &format!("delete from {table} where partition_id = ?1"),
            (partition,),
        )?;
    }
    tx.execute_batch(&format!("drop table {}", partitions::table(partition)))?;
    tx.execute("delete from partitions where id = ?1", (partition,))?;
    training::retire(tx)
}

fn others_may_read(path: &Path) -> std::io::Result<Option<String>> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path)?.permissions().mode() & 0o777;
    Ok((mode & 0o077 != 0).then(|| format!("the database has mode {mode:o}: chmod 600 it")))
}
