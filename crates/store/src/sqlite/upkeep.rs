//! Retention, the server's address, and what durability rests on.

use std::path::Path;

use async_trait::async_trait;
use copal_model::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};

use super::{SqliteStore, fsck, partitions, training};
use crate::record::plan::day_of;
use crate::upkeep::{
    Compacted, EVICTED_AT_ONCE, FsckReport, Guarantee, Stake, Upkeep, others_may_read,
};
use crate::{Error, Result};

#[async_trait]
impl Upkeep for SqliteStore {
    async fn change_token(&self) -> Result<u64> {
        self.engine.change_token().await
    }

    async fn drop_expired(&self, now: Timestamp) -> Result<usize> {
        let expired = self
            .engine
            .read(move |connection| expired_partitions(connection, now))
            .await?;
        let mut dropped = 0;
        for partition in expired {
            dropped += self
                .in_transaction(move |tx| drop_partition(tx, partition))
                .await?;
        }
        for partition in self.engine.read(gone_partitions).await? {
            while self.in_transaction(move |tx| evict(tx, partition)).await? > 0 {}
        }
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
                for table in ["sessions", "tokens", "org_tokens", "log_in_steps"] {
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
                stake: Stake::Acknowledged,
                broken: (synchronous != 2 || mode != "wal")
                    .then(|| format!("synchronous is {synchronous} and journal_mode {mode}")),
            },
            Guarantee {
                promise: "only this user can read the data",
                stake: Stake::Care,
                broken: others_may_read(Path::new(&path))
                    .map_err(Error::Disk)?
                    .map(|mode| format!("the database has mode {mode:o}: chmod 600 it")),
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
    /// A write that other processes need not hear of.
    pub(super) async fn in_transaction<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.engine
            .on_writer(move |connection| {
                let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
                let answer = work(&tx)?;
                tx.commit()?;
                Ok(answer)
            })
            .await
    }

    /// Deletes the folders of partitions that have no row any more.
    async fn delete_orphans(&self) -> Result<()> {
        let segments = self.segments.clone();
        let tails = std::sync::Arc::clone(&self.tails);
        // Within a transaction: nobody makes a partition meanwhile whose row is not committed yet.
        self.in_transaction(move |tx| {
            let known: Vec<i64> = partitions::between(tx, i64::MIN, i64::MAX)?
                .into_iter()
                .map(|partition| partition.id)
                .collect();
            segments.keep_partitions(&known).map_err(Error::Disk)?;
            let mut tails = tails
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            tails.forget();
            Ok(())
        })
        .await
    }
}

fn expired_partitions(connection: &Connection, now: Timestamp) -> Result<Vec<i64>> {
    let mut statement = connection.prepare_cached(
        "select id
         from partitions
         where day + retention_days < ?1
         order by id",
    )?;
    let rows = statement.query_map((day_of(now),), |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Drops a partition, whose events are gone at once; reads none of them. Answers how many it was:
/// another process may have been quicker.
fn drop_partition(tx: &Transaction<'_>, partition: i64) -> Result<usize> {
    for table in ["partition_dictionaries", "segments"] {
        tx.execute(
            &format!("delete from {table} where partition_id = ?1"),
            (partition,),
        )?;
    }
    let dropped = tx.execute("delete from partitions where id = ?1", (partition,))?;
    if dropped > 0 {
        tx.execute_batch(&format!("drop table {}", partitions::table(partition)))?;
    }
    training::retire(tx)?;
    Ok(dropped)
}

/// Partitions that have been dropped and whose stored counts have not been folded yet.
fn gone_partitions(connection: &Connection) -> Result<Vec<i64>> {
    let mut statement = connection.prepare_cached(
        "select distinct partition_id
         from issue_partitions
         where partition_id not in (select id from partitions)
         order by partition_id",
    )?;
    let rows = statement.query_map((), |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Adds stored counts of a dropped partition to the evicted counts of their issues, a number at a
/// time: recording goes on in between. Answers how many.
fn evict(tx: &Transaction<'_>, partition: i64) -> Result<usize> {
    tx.prepare_cached(
        "update issues
         set evicted_count = evicted_count + i.stored
         from (select issue_id, stored
               from issue_partitions
               where partition_id = ?1
               order by issue_id
               limit ?2) i
         where i.issue_id = issues.id",
    )?
    .execute((partition, EVICTED_AT_ONCE))?;
    let evicted = tx
        .prepare_cached(
            "delete from issue_partitions
             where partition_id = ?1
               and issue_id in (select issue_id
                                from issue_partitions
                                where partition_id = ?1
                                order by issue_id
                                limit ?2)",
        )?
        .execute((partition, EVICTED_AT_ONCE))?;
    Ok(evicted)
}
