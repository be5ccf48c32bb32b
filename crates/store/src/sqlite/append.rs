//! Appends frames to the segments of a journal, in step with the transaction that commits them.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::os::unix::fs::FileExt;

use rusqlite::{OptionalExtension, Transaction};
use uuid::Uuid;

use super::Columns;
use crate::payload::{Place, SegmentName, Segments};
use crate::record::plan::SEGMENT_BYTES_MAX;
use crate::{Error, Result};

/// The segments that this process appends to. Forgotten when a transaction fails, so that the next
/// one starts from what is committed.
#[derive(Default)]
pub(super) struct Tails {
    open: HashMap<(Uuid, i64), Tail>,
    /// Journals whose segments have been cut to their committed lengths.
    recovered: HashSet<Uuid>,
}

struct Tail {
    segment: SegmentName,
    file: File,
    length: u64,
}

impl Tails {
    /// Cuts what an earlier process of this journal appended and did not commit.
    pub(super) fn recover(
        &mut self,
        tx: &Transaction<'_>,
        segments: &Segments,
        journal: Uuid,
    ) -> Result<()> {
        if self.recovered.contains(&journal) {
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
        for row in rows {
            let (segment, length) = row?;
            let bytes = segments.cut(segment, length).map_err(Error::Disk)?;
            if bytes > 0 {
                tracing::info!(
                    segment = segment.id,
                    bytes,
                    "cut an uncommitted payload tail"
                );
            }
        }
        self.recovered.insert(journal);
        Ok(())
    }

    /// Appends frames to the newest segment of the partition, syncs it, and notes its new length.
    pub(super) fn append(
        &mut self,
        tx: &Transaction<'_>,
        segments: &Segments,
        (journal, partition): (Uuid, i64),
        frames: &[&[u8]],
    ) -> Result<Vec<Place>> {
        let key = (journal, partition);
        let kept = self.open.remove(&key);
        let mut tail = match kept.filter(|tail| tail.length < SEGMENT_BYTES_MAX) {
            Some(tail) => tail,
            None => open_tail(tx, segments, journal, partition)?,
        };
        let mut places = Vec::with_capacity(frames.len());
        let mut start = tail.length;
        for frame in frames {
            places.push(Place {
                segment: tail.segment,
                start,
                length: frame.len(),
                ordinal: 0,
            });
            start += frame.len() as u64;
        }
        tail.file
            .write_all_at(&frames.concat(), tail.length)
            .map_err(Error::of_write)?;
        tail.file.sync_data().map_err(Error::Disk)?;
        let updated = tx
            .prepare_cached(
                "update segments
                 set length = ?2
                 where id = ?1",
            )?
            .execute((tail.segment.id, i64::try_from(start).unwrap_or(i64::MAX)))?;
        if updated == 0 {
            // Another process dropped or compacted it: the next try opens another one.
            return Err(Error::Unavailable("a payload segment is gone".to_owned()));
        }
        tail.length = start;
        self.open.insert(key, tail);
        Ok(places)
    }

    /// After a failed transaction: nothing that is remembered here counts.
    pub(super) fn forget(&mut self) {
        self.open.clear();
        self.recovered.clear();
    }
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
        .filter(|(_, length)| *length < SEGMENT_BYTES_MAX);
    let (id, length) = match newest {
        Some(newest) => newest,
        None => (new_segment(tx, journal, partition)?, 0),
    };
    let segment = SegmentName {
        partition,
        id,
        journal,
    };
    let file = segments.open(segment).map_err(Error::of_write)?;
    Ok(Tail {
        segment,
        file,
        length,
    })
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
