//! Appends frames to the segments of a journal, in step with the transaction that commits them.

use rusqlite::{OptionalExtension, Transaction};
use uuid::Uuid;

use super::Columns;
use crate::payload::{Place, SegmentName, Segments, Tail, Tails, has_room};
use crate::{Error, Result};

/// Cuts what an earlier process of this journal appended and did not commit.
pub(super) fn recover(
    tx: &Transaction<'_>,
    segments: &Segments,
    tails: &mut Tails,
    journal: Uuid,
) -> Result<()> {
    if !tails.must_recover(journal) {
        return Ok(());
    }
    let mut statement = tx.prepare_cached(
        "select id, partition_id, journal, length
         from segments
         where journal = ?1
           and is_compacted = 0",
    )?;
    let rows = statement.query_and_then((journal.as_bytes(),), |row| {
        let columns = Columns::new("segments", row);
        Ok::<_, Error>((segment_name(&columns)?, columns.count("length")?))
    })?;
    tails.recover(segments, journal, rows.collect::<Result<Vec<_>>>()?)
}

/// Appends frames to the newest segment of the partition, syncs it, and notes its new length.
pub(super) fn append(
    tx: &Transaction<'_>,
    segments: &Segments,
    tails: &mut Tails,
    (journal, partition): (Uuid, i64),
    frames: &[&[u8]],
) -> Result<Vec<Place>> {
    let mut tail = match tails.take(journal, partition) {
        Some(tail) => tail,
        None => open_tail(tx, segments, journal, partition)?,
    };
    let places = tail.places(frames.iter().copied());
    tail.append(frames)?;
    let updated = tx
        .prepare_cached(
            "update segments
             set length = ?2
             where id = ?1",
        )?
        .execute((tail.segment.id, tail.length))?;
    if updated == 0 {
        // Another process dropped or compacted it: the next try opens another one.
        return Err(Error::Unavailable("a payload segment is gone".to_owned()));
    }
    tails.put(tail);
    Ok(places)
}

/// The segment that a row with the columns `id`, `partition_id` and `journal` is of.
pub(super) fn segment_name(columns: &Columns<'_>) -> Result<SegmentName> {
    Ok(SegmentName {
        partition: columns.get("partition_id")?,
        id: columns.get("id")?,
        journal: columns.uuid("journal")?,
    })
}

fn open_tail(
    tx: &Transaction<'_>,
    segments: &Segments,
    journal: Uuid,
    partition: i64,
) -> Result<Tail> {
    let newest: Option<(i64, i64)> = tx
        .prepare_cached(
            "select id, length
             from segments
             where partition_id = ?1
               and journal = ?2
               and is_compacted = 0
             order by id desc
             limit 1",
        )?
        .query_row((partition, journal.as_bytes()), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    let newest = newest
        .map(|(id, length)| (id, length.unsigned_abs()))
        .filter(|(_, length)| has_room(*length));
    let (id, length) = match newest {
        Some(newest) => newest,
        None => (new_segment(tx, journal, partition)?, 0),
    };
    let segment = SegmentName {
        partition,
        id,
        journal,
    };
    Tail::open(segments, segment, length)
}

fn new_segment(tx: &Transaction<'_>, journal: Uuid, partition: i64) -> Result<i64> {
    Ok(tx
        .prepare_cached(
            "insert into segments (partition_id, journal, is_compacted, length)
             values (?1, ?2, 0, 0)
             returning id",
        )?
        .query_one((partition, journal.as_bytes()), |row| row.get(0))?)
}
