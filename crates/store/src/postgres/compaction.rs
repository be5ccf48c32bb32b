//! Rewrites payload segments that hold dead frames: the statements, step by step.
//!
//! Only segments of journals whose files are here: those of others are other nodes'. Within this
//! process one compaction or drop goes on at a time.

use std::collections::HashSet;
use std::sync::Arc;

use copal_model::Timestamp;
use uuid::Uuid;

use super::append::{on_disk, segment_name};
use super::record::settle_journals;
use super::{
    Columns, PostgresStore, Tx, count, execute, find, list, more_time, partitions, training,
};
use crate::payload::dictionary::Occasion;
use crate::payload::{SegmentName, Segments};
use crate::upkeep::Compacted;
use crate::upkeep::compaction::{Moved, Source, copy, due_at, length_of};
use crate::{Error, Result};

impl PostgresStore {
    /// Rewrites all segments that are due.
    pub(super) async fn compact_due(&self, now: Timestamp) -> Result<Compacted> {
        let _alone = self.upkeep.lock().await;
        let own = self.sweep().await?;
        let due = self
            .engine
            .record(move |tx| {
                let own = Arc::clone(&own);
                Box::pin(async move {
                    note_dead(tx, now, &own).await?;
                    due(tx, now, &own).await
                })
            })
            .await?;
        let mut compacted = Compacted::default();
        for source in due {
            if let Some(bytes) = self.compact_segment(source).await? {
                compacted.segments += 1;
                compacted.bytes += bytes;
            }
        }
        self.renew_dictionary(due_at(now).dead_since).await?;
        Ok(compacted)
    }

    /// Rewrites one segment. Answers how many bytes it got smaller; `None` when it changed
    /// meanwhile.
    async fn compact_segment(&self, source: Source) -> Result<Option<u64>> {
        let frames = self
            .engine
            .read(move |tx| Box::pin(frames_of(tx, source.segment)))
            .await?;
        let target = self
            .engine
            .record(move |tx| Box::pin(begin(tx, source.segment)))
            .await?;
        let Some(target) = target else {
            return Ok(None);
        };
        let segments = self.segments.clone();
        let moved = on_disk(move || copy(&segments, source.segment, target, &frames)).await?;
        let moved = Arc::new(moved);
        let finished = self
            .engine
            .record(move |tx| {
                let moved = Arc::clone(&moved);
                Box::pin(async move { finish(tx, source, target, &moved).await })
            })
            .await;
        self.tails.lock().await.forget();
        finished
    }

    /// Deletes files and folders that no row names: what earlier compactions, drops and crashes have
    /// left. Answers the journals whose segments are here.
    pub(super) async fn sweep(&self) -> Result<Arc<Vec<Uuid>>> {
        // No batch is being recorded, and none goes on behind the back of a caller that has given
        // up: no file is made meanwhile whose row is not committed yet.
        let _turn = self.recording.lock().await;
        let mut tails = self.tails.lock().await;
        let segments = self.segments.clone();
        let own = on_disk(move || segments.journals().map_err(Error::Disk)).await?;
        let mut own: Vec<Uuid> = own.into_iter().collect();
        own.sort_unstable();
        let own = Arc::new(own);
        let (segments, journals) = (self.segments.clone(), Arc::clone(&own));
        self.engine
            .record(move |tx| Box::pin(delete_orphans(tx, segments.clone(), Arc::clone(&journals))))
            .await?;
        tails.forget();
        Ok(own)
    }

    /// Trains a new dictionary when the newest one was trained from events that have been deleted
    /// since long ago; forgets those that nothing needs any more.
    async fn renew_dictionary(&self, stale_since: i64) -> Result<()> {
        let stale = self
            .engine
            .read(move |tx| Box::pin(stale_dictionary(tx, stale_since)))
            .await?;
        if let Some(id) = stale {
            self.train_now(Occasion::Replace(id)).await?;
        }
        self.engine
            .record(|tx| Box::pin(training::retire(tx)))
            .await
    }
}

async fn stale_dictionary(tx: &Tx<'_>, stale_since: i64) -> Result<Option<u32>> {
    let row = find(
        tx,
        "select id
         from (select id, stale_since from dictionaries order by id desc limit 1) d
         where stale_since <= $1",
        &[&stale_since],
    )
    .await?;
    row.map(|row| Columns::new("dictionaries", &row).read("id", |id: i64| u32::try_from(id)))
        .transpose()
}

async fn delete_orphans(tx: &Tx<'_>, segments: Segments, own: Arc<Vec<Uuid>>) -> Result<()> {
    // Nor is a commit under way that nobody has heard the end of.
    settle_journals(tx, &own).await?;
    execute(
        tx,
        "delete from segments
         where is_compacted
           and length = 0
           and journal = any($1)",
        &[&*own],
    )
    .await?;
    let known = list(
        tx,
        "select id
         from segments
         where journal = any($1)",
        &[&*own],
    )
    .await?;
    let known = known
        .iter()
        .map(|row| Columns::new("segments", row).get("id"))
        .collect::<Result<HashSet<i64>>>()?;
    let partitions = partitions::between(tx, i64::MIN, i64::MAX).await?;
    on_disk(move || {
        segments.keep_only(&known).map_err(Error::Disk)?;
        let ids: Vec<i64> = partitions.iter().map(|partition| partition.id).collect();
        segments.keep_partitions(&ids).map_err(Error::Disk)
    })
    .await
}

/// Notes when dead frames, and dictionaries that know deleted events, were first seen. Whoever
/// deletes need not tell the time.
async fn note_dead(tx: &Tx<'_>, now: Timestamp, own: &[Uuid]) -> Result<()> {
    execute(
        tx,
        "update segments
         set dead_since = $1
         where dead_bytes > 0
           and dead_since is null
           and journal = any($2)",
        &[&now.as_microsecond(), &own],
    )
    .await?;
    execute(
        tx,
        "update dictionaries
         set stale_since = $1
         where knows_deleted
           and stale_since is null",
        &[&now.as_microsecond()],
    )
    .await?;
    Ok(())
}

/// Segments that are to be rewritten and that nobody appends to any more: full ones, those that
/// have a successor, and those of days that are over.
async fn due(tx: &Tx<'_>, now: Timestamp, own: &[Uuid]) -> Result<Vec<Source>> {
    let due = due_at(now);
    let rows = list(
        tx,
        "select s.id, s.partition_id, s.journal, s.length
         from segments s
         join partitions p on p.id = s.partition_id
         where (s.dead_bytes * 100 > s.length * $1 or s.dead_since <= $2)
           and (s.length >= $3
             or p.day < $4
             or s.is_compacted
             or exists (select 1
                        from segments n
                        where n.partition_id = s.partition_id
                          and n.journal = s.journal
                          and not n.is_compacted
                          and n.id > s.id))
           and s.journal = any($5)
         order by s.id",
        &[
            &due.dead_percent,
            &due.dead_since,
            &due.full_at,
            &due.open_since_day,
            &own,
        ],
    )
    .await?;
    rows.iter()
        .map(|row| {
            let columns = Columns::new("segments", row);
            Ok(Source {
                segment: segment_name(&columns)?,
                length: columns.count("length")?,
            })
        })
        .collect()
}

/// The frames of a segment that events are in, by place.
async fn frames_of(tx: &Tx<'_>, segment: SegmentName) -> Result<Vec<(u64, usize)>> {
    more_time(tx).await?;
    let rows = list(
        tx,
        &format!(
            "select distinct start, length
             from {}
             where segment_id = $1
             order by start",
            partitions::table(segment.partition)
        ),
        &[&segment.id],
    )
    .await?;
    rows.iter()
        .map(|row| {
            let columns = Columns::new("events", row);
            let length = columns.read("length", |length: i64| usize::try_from(length))?;
            Ok((columns.count("start")?, length))
        })
        .collect()
}

/// Makes the row of the new segment; its length is nothing until the end. `None` when the partition
/// has been dropped.
async fn begin(tx: &Tx<'_>, source: SegmentName) -> Result<Option<SegmentName>> {
    let row = find(
        tx,
        "insert into segments (partition_id, journal, is_compacted, length)
         select p.id, $2, true, 0
         from (select id from partitions where id = $1 for key share) p
         returning id",
        &[&source.partition, &source.journal],
    )
    .await?;
    row.map(|row| {
        let id = Columns::new("segments", &row).get("id")?;
        Ok(SegmentName { id, ..source })
    })
    .transpose()
}

/// Moves the rows to the new segment and forgets the old one.
async fn finish(
    tx: &Tx<'_>,
    source: Source,
    target: SegmentName,
    moved: &[Moved],
) -> Result<Option<u64>> {
    more_time(tx).await?;
    if committed_length(tx, source.segment).await? != Some(source.length) {
        // Somebody has appended, or the partition is gone; the next run sees.
        return Ok(None);
    }
    let live = move_rows(tx, source.segment, target, moved).await?;
    let copied = length_of(moved);
    let is_there = if copied == 0 {
        execute(tx, "delete from segments where id = $1", &[&target.id]).await?
    } else {
        execute(
            tx,
            "update segments
             set length = $2,
                 dead_bytes = $3
             where id = $1",
            &[
                &target.id,
                &copied.cast_signed(),
                &(copied - live).cast_signed(),
            ],
        )
        .await?
    };
    if is_there == 0 {
        return Err(Error::Unavailable(
            "a new payload segment was swept away".to_owned(),
        ));
    }
    execute(
        tx,
        "delete from segments where id = $1",
        &[&source.segment.id],
    )
    .await?;
    Ok(Some(source.length - copied))
}

/// The length of a segment, which is locked: whoever deletes from it, and locks it first, waits.
async fn committed_length(tx: &Tx<'_>, segment: SegmentName) -> Result<Option<u64>> {
    let row = find(
        tx,
        "select length
         from segments
         where id = $1
         for update",
        &[&segment.id],
    )
    .await?;
    row.map(|row| Columns::new("segments", &row).count("length"))
        .transpose()
}

/// Moves rows that are still there. Answers how many bytes the frames have that any of them is in:
/// events may have been deleted since the rows were read.
async fn move_rows(
    tx: &Tx<'_>,
    source: SegmentName,
    target: SegmentName,
    moved: &[Moved],
) -> Result<u64> {
    let from: Vec<i64> = moved.iter().map(|frame| frame.from.cast_signed()).collect();
    let to: Vec<i64> = moved.iter().map(|frame| frame.to.cast_signed()).collect();
    count(
        tx,
        &format!(
            "with moved as (
                 update {} e
                 set segment_id = $1,
                     start = n.target
                 from unnest($2::bigint[], $3::bigint[]) as n (source, target)
                 where e.segment_id = $4
                   and e.start = n.source
                 returning e.start, e.length)
             select coalesce(sum(length), 0)::bigint
             from (select distinct start, length from moved) f",
            partitions::table(source.partition)
        ),
        &[&target.id, &from, &to, &source.id],
    )
    .await
}
