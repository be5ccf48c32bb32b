//! Retention, the server's address, and what durability rests on.

use std::sync::Arc;

use async_trait::async_trait;
use copal_model::Timestamp;

use super::event_rows::to_i64;
use super::{
    Columns, PostgresStore, Tx, execute, find, fsck, guarantees, list, partitions, training,
};
use crate::record::plan::day_of;
use crate::upkeep::{
    Compacted, EVICTED_AT_ONCE, FsckReport, Guarantee, Stake, Upkeep, others_may_read,
};
use crate::{Error, Result};

/// How long a drop waits for others, in milliseconds; batches wait for no longer behind it.
const DROP_WAITS_MS: u32 = 200;
/// How often a drop is tried. Whoever is in the way for longer than this may be until the next run.
const DROP_TRIES: usize = 10;

#[async_trait]
impl Upkeep for PostgresStore {
    async fn change_token(&self) -> Result<u64> {
        self.engine.change_token().await
    }

    async fn drop_expired(&self, now: Timestamp) -> Result<usize> {
        let _alone = self.upkeep.lock().await;
        let expired = self
            .engine
            .read(move |tx| Box::pin(expired_partitions(tx, now)))
            .await?;
        let mut dropped = 0;
        for partition in expired {
            dropped += self.drop_patiently(partition).await?;
        }
        let gone = self.engine.read(|tx| Box::pin(gone_partitions(tx))).await?;
        for partition in gone {
            let evicted = move || self.engine.record(move |tx| Box::pin(evict(tx, partition)));
            while evicted().await? > 0 {}
        }
        self.engine
            .record(|tx| Box::pin(training::retire(tx)))
            .await?;
        self.codec.bases.forget();
        self.sweep().await?;
        Ok(dropped)
    }

    async fn compact(&self, now: Timestamp) -> Result<Compacted> {
        self.compact_due(now).await
    }

    async fn forget_expired(&self, now: Timestamp) -> Result<()> {
        let now = now.as_microsecond();
        self.engine
            .record(move |tx| {
                Box::pin(async move {
                    for table in ["sessions", "tokens", "org_tokens", "log_in_steps"] {
                        let sql = format!("delete from {table} where expires_at <= $1");
                        execute(tx, &sql, &[&now]).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    async fn fsck(&self) -> Result<FsckReport> {
        let segments = self.segments.clone();
        self.with_payloads(move |tx, reader| {
            let segments = segments.clone();
            Box::pin(fsck::check(tx, reader, segments))
        })
        .await
    }

    async fn guarantees(&self) -> Result<Vec<Guarantee>> {
        let settings = self.engine.read(|tx| Box::pin(guarantees::ask(tx))).await?;
        let mut guarantees = settings.judge();
        guarantees.push(Guarantee {
            promise: "only this user can read the data",
            stake: Stake::Care,
            broken: others_may_read(self.segments.folder())
                .map_err(Error::Disk)?
                .map(|mode| format!("the folder of payloads has mode {mode:o}: chmod 700 it")),
        });
        Ok(guarantees)
    }

    async fn server_address(&self) -> Result<Option<String>> {
        self.engine
            .read(|tx| {
                Box::pin(async move {
                    let sql = "select value from meta where key = 'server_address'";
                    let row = find(tx, sql, &[]).await?;
                    row.map(|row| Columns::new("meta", &row).get("value"))
                        .transpose()
                })
            })
            .await
    }

    async fn set_server_address(&self, base_url: Option<&str>) -> Result<()> {
        let base_url = base_url.map(Arc::<str>::from);
        self.engine
            .record(move |tx| {
                let base_url = base_url.clone();
                Box::pin(async move {
                    match base_url.as_deref() {
                        Some(base_url) => {
                            execute(
                                tx,
                                "insert into meta (key, value)
                                 values ('server_address', $1)
                                 on conflict (key) do update set value = excluded.value",
                                &[&base_url],
                            )
                            .await?
                        }
                        None => {
                            execute(tx, "delete from meta where key = 'server_address'", &[])
                                .await?
                        }
                    };
                    Ok(())
                })
            })
            .await
    }
}

impl PostgresStore {
    /// Drops a partition once nobody is in the way: tries again, since to wait in line would hold
    /// up everybody behind. Answers how many it was.
    async fn drop_patiently(&self, partition: i64) -> Result<usize> {
        let drop = move || {
            self.engine
                .record(move |tx| Box::pin(drop_partition(tx, partition)))
        };
        for _ in 0..DROP_TRIES {
            match drop().await {
                Err(Error::Unavailable(why)) => {
                    tracing::debug!(partition, why, "a partition cannot be dropped yet");
                    let pause = std::time::Duration::from_millis(DROP_WAITS_MS.into());
                    tokio::time::sleep(pause).await;
                }
                dropped => return dropped,
            }
        }
        tracing::info!(
            partition,
            "somebody reads a partition for long: it is dropped another time"
        );
        Ok(0)
    }
}

async fn expired_partitions(tx: &Tx<'_>, now: Timestamp) -> Result<Vec<i64>> {
    let rows = list(
        tx,
        "select id
         from partitions
         where day + retention_days < $1
         order by id",
        &[&day_of(now)],
    )
    .await?;
    rows.iter()
        .map(|row| Columns::new("partitions", row).get("id"))
        .collect()
}

/// Drops a partition, whose events are gone at once; reads none of them. Answers how many it was:
/// another process may have been quicker, or is at it.
async fn drop_partition(tx: &Tx<'_>, partition: i64) -> Result<usize> {
    tx.batch_execute(&format!("set local lock_timeout = {DROP_WAITS_MS}"))
        .await?;
    let free = find(
        tx,
        "select id
         from partitions
         where id = $1
         for update skip locked",
        &[&partition],
    )
    .await?;
    if free.is_none() {
        return Ok(0);
    }
    for table in ["partition_dictionaries", "segments"] {
        let sql = format!("delete from {table} where partition_id = $1");
        execute(tx, &sql, &[&partition]).await?;
    }
    execute(tx, "delete from partitions where id = $1", &[&partition]).await?;
    // Last, since from here to the commit nobody reads or records any event.
    tx.batch_execute(&format!("drop table {}", partitions::table(partition)))
        .await?;
    Ok(1)
}

/// Partitions that have been dropped and whose stored counts have not been folded yet.
async fn gone_partitions(tx: &Tx<'_>) -> Result<Vec<i64>> {
    let rows = list(
        tx,
        "select distinct partition_id
         from issue_partitions
         where partition_id not in (select id from partitions)
         order by partition_id",
        &[],
    )
    .await?;
    rows.iter()
        .map(|row| Columns::new("issue_partitions", row).get("partition_id"))
        .collect()
}

/// Adds stored counts of a dropped partition to the evicted counts of their issues, a number at a
/// time: recording goes on in between. Answers how many.
async fn evict(tx: &Tx<'_>, partition: i64) -> Result<usize> {
    let rows = list(
        tx,
        "select issue_id
         from issue_partitions
         where partition_id = $1
         order by issue_id
         limit $2",
        &[&partition, &to_i64(EVICTED_AT_ONCE)],
    )
    .await?;
    let issues = rows
        .iter()
        .map(|row| Columns::new("issue_partitions", row).get("issue_id"))
        .collect::<Result<Vec<i64>>>()?;
    // In the order in which batches lock them.
    for sql in [
        "select 1
         from projects
         where id in (select distinct issue >> 32 from unnest($1::bigint[]) as n (issue))
         order by id
         for no key update",
        "select 1
         from issues
         where id = any($1)
         order by id
         for no key update",
    ] {
        list(tx, sql, &[&issues]).await?;
    }
    execute(
        tx,
        "with gone as (
             delete from issue_partitions
             where partition_id = $1
               and issue_id = any($2)
             returning issue_id, stored)
         update issues
         set evicted_count = evicted_count + gone.stored
         from gone
         where gone.issue_id = issues.id",
        &[&partition, &issues],
    )
    .await?;
    Ok(issues.len())
}
