//! Rewrites payload segments that hold dead frames: the statements, step by step.

use std::collections::HashSet;
use std::sync::PoisonError;

use copal_model::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};

use super::append::segment_name;
use super::{Columns, SqliteStore, partitions, training};
use crate::payload::SegmentName;
use crate::payload::dictionary::Occasion;
use crate::upkeep::Compacted;
use crate::upkeep::compaction::{Moved, Source, copy, due_at, length_of};
use crate::{Error, Result};

/// A row of an event in a segment.
struct Row {
    id: i64,
    start: u64,
    length: usize,
}

impl SqliteStore {
    /// Rewrites all segments that are due.
    pub(super) async fn compact_due(&self, now: Timestamp) -> Result<Compacted> {
        self.sweep().await?;
        let due = self
            .engine
            .on_writer(move |connection| {
                note_dead(connection, now)?;
                due(connection, now)
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
        let rows = self
            .engine
            .read(move |connection| rows_of(connection, source.segment))
            .await?;
        let target = self
            .engine
            .on_writer(move |connection| begin(connection, source.segment))
            .await?;
        let segments = self.segments.clone();
        let (rows, moved) = tokio::task::spawn_blocking(move || {
            let moved = copy(&segments, source.segment, target, &frames_of(&rows))?;
            Ok::<_, Error>((rows, moved))
        })
        .await
        .map_err(|error| Error::Broken(Box::new(error)))??;
        let tails = std::sync::Arc::clone(&self.tails);
        self.engine
            .on_writer(move |connection| {
                let finished = finish(connection, source, target, &rows, &moved);
                let mut tails = tails.lock().unwrap_or_else(PoisonError::into_inner);
                tails.forget();
                finished
            })
            .await
    }

    /// Deletes files that no row names: what earlier compactions and crashes have left.
    async fn sweep(&self) -> Result<()> {
        let segments = self.segments.clone();
        self.engine
            .on_writer(move |connection| {
                // Within a transaction, so that no other process has a segment whose row is not
                // committed yet.
                let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
                tx.execute(
                    "delete from segments
                     where is_compacted = 1
                       and length = 0",
                    (),
                )?;
                let mut statement = tx.prepare_cached("select id from segments")?;
                let known = statement
                    .query_map((), |row| row.get(0))?
                    .collect::<rusqlite::Result<HashSet<i64>>>()?;
                drop(statement);
                segments.keep_only(&known).map_err(Error::Disk)?;
                Ok(tx.commit()?)
            })
            .await
    }

    /// Trains a new dictionary when the newest one was trained from events that have been deleted
    /// since long ago; forgets those that nothing needs any more.
    async fn renew_dictionary(&self, stale_since: i64) -> Result<()> {
        let stale: Option<u32> = self
            .engine
            .read(move |connection| {
                Ok(connection
                    .prepare_cached(
                        "select id
                         from (select id, stale_since from dictionaries order by id desc limit 1)
                         where stale_since <= ?1",
                    )?
                    .query_row((stale_since,), |row| row.get(0))
                    .optional()?)
            })
            .await?;
        if let Some(id) = stale {
            self.train_now(Occasion::Replace(id)).await?;
        }
        self.engine
            .on_writer(|connection| training::retire(connection))
            .await
    }
}

/// Notes when dead frames, and dictionaries that know deleted events, were first seen. Whoever
/// deletes need not tell the time.
fn note_dead(connection: &Connection, now: Timestamp) -> Result<()> {
    connection.execute(
        "update segments
         set dead_since = ?1
         where dead_bytes > 0
           and dead_since is null",
        (now.as_microsecond(),),
    )?;
    connection.execute(
        "update dictionaries
         set stale_since = ?1
         where knows_deleted = 1
           and stale_since is null",
        (now.as_microsecond(),),
    )?;
    Ok(())
}

/// Segments that are to be rewritten and that nobody appends to any more: full ones, those that
/// have a successor, and those of days that are over.
fn due(connection: &Connection, now: Timestamp) -> Result<Vec<Source>> {
    let mut statement = connection.prepare_cached(
        "select s.id, s.partition_id, s.journal, s.length
         from segments s
         join partitions p on p.id = s.partition_id
         where (s.dead_bytes * 100 > s.length * ?1 or s.dead_since <= ?2)
           and (s.length >= ?3
             or p.day < ?4
             or s.is_compacted = 1
             or exists (select 1
                        from segments n
                        where n.partition_id = s.partition_id
                          and n.journal = s.journal
                          and n.is_compacted = 0
                          and n.id > s.id))
         order by s.id",
    )?;
    let due = due_at(now);
    let values = (
        due.dead_percent,
        due.dead_since,
        due.full_at,
        due.open_since_day,
    );
    let rows = statement.query_and_then(values, |row| {
        let columns = Columns::new("segments", row);
        Ok(Source {
            segment: segment_name(&columns)?,
            length: columns.count("length")?,
        })
    })?;
    rows.collect()
}

/// The rows of events in a segment, by place.
fn rows_of(connection: &Connection, segment: SegmentName) -> Result<Vec<Row>> {
    let mut statement = connection.prepare_cached(&format!(
        "select id, start, length
         from {}
         where segment_id = ?1
         order by start",
        partitions::table(segment.partition)
    ))?;
    let rows = statement.query_and_then((segment.id,), |row| {
        let columns = Columns::new("events", row);
        Ok(Row {
            id: columns.get("id")?,
            start: columns.count("start")?,
            length: columns.read("length", |length: i64| usize::try_from(length))?,
        })
    })?;
    rows.collect()
}

/// The frames of rows, each once.
fn frames_of(rows: &[Row]) -> Vec<(u64, usize)> {
    let mut frames: Vec<_> = rows.iter().map(|row| (row.start, row.length)).collect();
    frames.dedup();
    frames
}

/// Makes the row of the new segment; its length is nothing until the end.
fn begin(connection: &Connection, source: SegmentName) -> Result<SegmentName> {
    let id = connection.query_one(
        "insert into segments (partition_id, journal, is_compacted, length)
         values (?1, ?2, 1, 0)
         returning id",
        (source.partition, source.journal.as_bytes()),
        |row| row.get(0),
    )?;
    Ok(SegmentName { id, ..source })
}

/// Moves the rows to the new segment and forgets the old one.
fn finish(
    connection: &mut Connection,
    source: Source,
    target: SegmentName,
    rows: &[Row],
    moved: &[Moved],
) -> Result<Option<u64>> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if committed_length(&tx, source.segment)? != Some(source.length) {
        // Somebody has appended, or the partition is gone; the next run sees.
        return Ok(None);
    }
    let live = move_rows(&tx, source.segment, target, rows, moved)?;
    let copied = length_of(moved);
    let is_there = if copied == 0 {
        tx.execute("delete from segments where id = ?1", (target.id,))?
    } else {
        tx.execute(
            "update segments
             set length = ?2,
                 dead_bytes = ?3
             where id = ?1",
            (target.id, copied, copied - live),
        )?
    };
    if is_there == 0 {
        // Another process has swept it away as a leftover.
        return Ok(None);
    }
    tx.execute("delete from segments where id = ?1", (source.segment.id,))?;
    tx.commit()?;
    Ok(Some(source.length - copied))
}

fn committed_length(tx: &Transaction<'_>, segment: SegmentName) -> Result<Option<u64>> {
    let length: Option<i64> = tx
        .prepare_cached("select length from segments where id = ?1")?
        .query_row((segment.id,), |row| row.get(0))
        .optional()?;
    Ok(length.map(i64::unsigned_abs))
}

/// Moves rows that are still there. Answers how many bytes the frames have that any of them is in:
/// events may have been deleted since the rows were read.
fn move_rows(
    tx: &Transaction<'_>,
    source: SegmentName,
    target: SegmentName,
    rows: &[Row],
    moved: &[Moved],
) -> Result<u64> {
    let mut statement = tx.prepare_cached(&format!(
        "update {}
         set segment_id = ?1,
             start = ?2
         where id = ?3
           and segment_id = ?4",
        partitions::table(source.partition)
    ))?;
    let mut rows = rows.iter().peekable();
    let mut live = 0;
    for frame in moved {
        let mut updated = 0;
        while let Some(row) = rows.next_if(|row| row.start == frame.from) {
            updated += statement.execute((target.id, frame.to, row.id, source.id))?;
        }
        if updated > 0 {
            live += frame.length as u64;
        }
    }
    Ok(live)
}
