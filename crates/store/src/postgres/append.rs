//! Appends frames to the segments of a journal, in step with the transaction that commits them.

use std::sync::Arc;

use tokio::sync::OwnedMutexGuard;
use uuid::Uuid;

use super::{Columns, Tx, execute, find, list};
use crate::payload::{Encoded, SegmentName, Segments, Tail, Tails, has_room};
use crate::{Error, Result};

/// The segments of this process, for as long as one batch has them.
pub(super) type HeldTails = OwnedMutexGuard<Tails>;

/// What is appended to one segment: the frames of a batch, by their indexes.
pub(super) struct Piece {
    pub(super) tail: Tail,
    pub(super) frames: Vec<usize>,
}

impl Piece {
    /// The segment's id, and its length once the frames are in it.
    pub(super) fn end(&self, encoded: &Encoded) -> (i64, u64) {
        let frames = self.frames.iter().map(|at| encoded.frames[*at].bytes.len());
        let bytes: usize = frames.sum();
        (self.tail.segment.id, self.tail.length + bytes as u64)
    }
}

/// Cuts what an earlier process of this journal appended and did not commit. Whoever calls has
/// locked the row of the journal: no batch of it is about to be committed.
pub(super) async fn recover(
    tx: &Tx<'_>,
    segments: &Segments,
    mut tails: HeldTails,
    journal: Uuid,
) -> Result<HeldTails> {
    if !tails.must_recover(journal) {
        return Ok(tails);
    }
    let rows = list(
        tx,
        "select id, partition_id, journal, length
         from segments
         where journal = $1
           and not is_compacted",
        &[&journal],
    )
    .await?;
    let committed = rows
        .iter()
        .map(|row| {
            let columns = Columns::new("segments", row);
            Ok((segment_name(&columns)?, columns.count("length")?))
        })
        .collect::<Result<Vec<_>>>()?;
    let segments = segments.clone();
    on_disk(move || {
        tails.recover(&segments, journal, committed)?;
        Ok(tails)
    })
    .await
}

/// Appends pieces and syncs them; the segments go back to `tails`. Once begun it goes on to the
/// end, even if nobody waits for it: until then nobody else gets the segments.
pub(super) async fn append(
    mut tails: HeldTails,
    encoded: Arc<Encoded>,
    pieces: Vec<Piece>,
) -> Result<HeldTails> {
    on_disk(move || {
        for Piece { mut tail, frames } in pieces {
            let frames = frames.iter().map(|at| &encoded.frames[*at].bytes[..]);
            tail.append(&frames.collect::<Vec<_>>())?;
            tails.put(tail);
        }
        Ok(tails)
    })
    .await
}

/// Notes the new lengths of segments, given by their ids.
pub(super) async fn note_lengths(tx: &Tx<'_>, mut lengths: Vec<(i64, u64)>) -> Result<()> {
    lengths.sort_unstable();
    let (ids, lengths): (Vec<i64>, Vec<i64>) = lengths
        .into_iter()
        .map(|(id, length)| (id, length.cast_signed()))
        .unzip();
    let updated = execute(
        tx,
        "update segments s
         set length = n.length
         from unnest($1::bigint[], $2::bigint[]) as n (id, length)
         where s.id = n.id",
        &[&ids, &lengths],
    )
    .await?;
    if updated < ids.len() as u64 {
        // Another process dropped or compacted it: the next try opens another one.
        return Err(Error::Unavailable("a payload segment is gone".to_owned()));
    }
    Ok(())
}

/// The segment that a row with the columns `id`, `partition_id` and `journal` is of.
pub(super) fn segment_name(columns: &Columns<'_>) -> Result<SegmentName> {
    Ok(SegmentName {
        partition: columns.get("partition_id")?,
        id: columns.get("id")?,
        journal: columns.uuid("journal")?,
    })
}

/// The newest segment of a partition and journal, or a new one where that is full.
pub(super) async fn open_tail(
    tx: &Tx<'_>,
    segments: &Segments,
    journal: Uuid,
    partition: i64,
) -> Result<Tail> {
    let row = find(
        tx,
        "select id, length
         from segments
         where partition_id = $1
           and journal = $2
           and not is_compacted
         order by id desc
         limit 1",
        &[&partition, &journal],
    )
    .await?;
    let newest = row
        .map(|row| {
            let columns = Columns::new("segments", &row);
            Ok::<_, Error>((columns.get("id")?, columns.count("length")?))
        })
        .transpose()?
        .filter(|(_, length)| has_room(*length));
    let (id, length) = match newest {
        Some(newest) => newest,
        None => (new_segment(tx, journal, partition).await?, 0),
    };
    let segment = SegmentName {
        partition,
        id,
        journal,
    };
    let segments = segments.clone();
    on_disk(move || Tail::open(&segments, segment, length)).await
}

async fn new_segment(tx: &Tx<'_>, journal: Uuid, partition: i64) -> Result<i64> {
    let row = find(
        tx,
        "insert into segments (partition_id, journal, is_compacted, length)
         values ($1, $2, false, 0)
         returning id",
        &[&partition, &journal],
    )
    .await?;
    let row = row.ok_or_else(|| Error::Broken("a new segment has no row".into()))?;
    Columns::new("segments", &row).get("id")
}

/// Runs what waits for the disk where it keeps nobody waiting.
pub(super) async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::Broken(Box::new(error)))?
}
