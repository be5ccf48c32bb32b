//! Records batches: one transaction each.

pub(super) mod assign;
mod events;
pub(super) mod outcomes;
pub(super) mod quota;
mod tags;
mod tally;

use std::sync::{Arc, PoisonError};

use async_trait::async_trait;
use copal_model::{IssueId, Plans, ProjectId};
use copal_protocol::EventId;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};

use super::{SqliteStore, append, partitions, training};
use crate::payload::{Encoded, Frame, Place, Segments, Tails};
use crate::record::assign::{Fate, projects as named_projects};
use crate::record::frames;
use crate::record::plan::BatchTally;
use crate::record::quota::tally as tally_usage;
use crate::record::{Batch, JournalId, Recorded, Recorder};
use crate::{Error, Result};

#[async_trait]
impl Recorder for SqliteStore {
    async fn record(&self, batch: Batch) -> Result<Recorded> {
        let codec = Arc::clone(&self.codec);
        let (batch, encoded) = tokio::task::spawn_blocking(move || frames::encode(&codec, batch))
            .await
            .map_err(|error| Error::Broken(Box::new(error)))??;
        let (tails, segments) = (Arc::clone(&self.tails), self.segments.clone());
        let (codec, plans) = (Arc::clone(&self.codec), self.plans);
        let recorded = self
            .engine
            .on_writer(move |connection| {
                training::refresh(connection, &codec, encoded.dictionary)?;
                let mut tails = tails.lock().unwrap_or_else(PoisonError::into_inner);
                let files = (&segments, &mut *tails);
                let recorded = record_batch(connection, files, &batch, &encoded, &plans);
                if let Ok(recorded) = &recorded {
                    frames::add_bases(&codec, &batch, encoded, recorded);
                } else {
                    tails.forget();
                    codec.bases.forget();
                }
                recorded
            })
            .await?;
        self.note_recorded(&recorded);
        Ok(recorded)
    }

    async fn journal_position(&self, journal: JournalId) -> Result<Option<u64>> {
        self.engine
            .read(move |connection| stored_position(connection, journal))
            .await
    }
}

fn record_batch(
    connection: &mut Connection,
    (segments, tails): (&Segments, &mut Tails),
    batch: &Batch,
    encoded: &Encoded,
    plans: &Plans,
) -> Result<Recorded> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if stored_position(&tx, batch.journal)?.is_some_and(|stored| batch.position <= stored) {
        return Ok(Recorded::before(batch));
    }
    append::recover(&tx, segments, tails, batch.journal)?;
    let projects = assign::living_projects(&tx, &named_projects(batch))?;
    let fates = assign::assign(&tx, batch, (&projects, plans))?;
    let places = append_frames(&tx, segments, tails, batch.journal, encoded, &fates)?;
    let mut groupings = events::Groupings::new(&tx);
    let mut tally = BatchTally::default();
    for (event, assigned, place) in frames::stored(&batch.events, &fates, &places) {
        let grouping = groupings.id(assigned.issue, &event.grouping)?;
        events::insert_event(&tx, event, assigned, grouping, place)?;
        tally.add(event, assigned.issue, assigned.partition);
    }
    tally::apply(&tx, &tally)?;
    quota::add(&tx, &tally_usage(batch, &fates, &projects))?;
    outcomes::count_received(&tx, batch, &projects)?;
    outcomes::count(&tx, batch, &fates, &projects)?;
    insert_quarantined(&tx, batch)?;
    store_position(&tx, batch)?;
    tx.commit()?;
    Ok(Recorded::of(batch, &fates))
}

/// Appends the frames that hold events to keep; a place for each of these events.
fn append_frames(
    tx: &Transaction<'_>,
    segments: &Segments,
    tails: &mut Tails,
    journal: JournalId,
    encoded: &Encoded,
    fates: &[Fate],
) -> Result<Vec<Option<Place>>> {
    for (partition, bases) in frames::bases(encoded, fates) {
        for (issue, base) in bases {
            require_base(tx, partition, issue, base)?;
        }
    }
    let mut places = vec![None; fates.len()];
    for (partition, frames) in frames::kept(encoded, fates) {
        let frames: Vec<&Frame> = frames.iter().map(|at| &encoded.frames[*at]).collect();
        let bytes: Vec<&[u8]> = frames.iter().map(|frame| &frame.bytes[..]).collect();
        let written = append::append(tx, segments, tails, (journal, partition), &bytes)?;
        for (frame, place) in std::iter::zip(frames, written) {
            frames::place(frame, place, &mut places);
        }
        note_dictionary(tx, partition, encoded.dictionary)?;
    }
    Ok(places)
}

/// Makes sure that the event is still stored which a frame is compressed against.
///
/// # Errors
/// [`Unavailable`](Error::Unavailable) when another process has deleted it: encode again.
fn require_base(tx: &Transaction<'_>, partition: i64, issue: IssueId, base: EventId) -> Result<()> {
    let is_there = tx
        .prepare_cached(&format!(
            "select 1
             from {}
             where project_id = ?1
               and event_id = ?2
               and issue_id = ?3",
            partitions::table(partition)
        ))?
        .exists((issue.project().get(), base.as_bytes(), issue.to_i64()))?;
    if is_there {
        Ok(())
    } else {
        Err(Error::Unavailable("a base was deleted".to_owned()))
    }
}

/// Keeps a dictionary for as long as the partition.
fn note_dictionary(tx: &Transaction<'_>, partition: i64, dictionary: u32) -> Result<()> {
    if dictionary != 0 {
        tx.prepare_cached(
            "insert into partition_dictionaries (partition_id, dictionary_id)
             values (?1, ?2)
             on conflict do nothing",
        )?
        .execute((partition, dictionary))?;
    }
    Ok(())
}

fn insert_quarantined(tx: &Transaction<'_>, batch: &Batch) -> Result<()> {
    let mut statement = tx.prepare_cached(
        "insert into quarantine (journal, sequence, project_id, received_at, error, record)
         values (?1, ?2, ?3, ?4, ?5, ?6)
         on conflict do nothing",
    )?;
    for record in &batch.quarantined {
        statement.execute((
            batch.journal.as_bytes(),
            record.sequence,
            record.project.map(ProjectId::get),
            record.received_at.as_microsecond(),
            &record.error,
            &record.record,
        ))?;
    }
    Ok(())
}

fn stored_position(connection: &Connection, journal: JournalId) -> Result<Option<u64>> {
    let position: Option<i64> = connection
        .prepare_cached(
            "select position
             from journals
             where id = ?1",
        )?
        .query_row((journal.as_bytes(),), |row| row.get(0))
        .optional()?;
    Ok(position.map(i64::unsigned_abs))
}

fn store_position(tx: &Transaction<'_>, batch: &Batch) -> Result<()> {
    tx.prepare_cached(
        "insert into journals (id, position)
         values (?1, ?2)
         on conflict (id) do update set position = excluded.position",
    )?
    .execute((batch.journal.as_bytes(), batch.position))?;
    Ok(())
}

/// An issue id as stored.
pub(super) fn issue_id(packed: i64) -> Result<IssueId> {
    IssueId::from_i64(packed).map_err(|error| Error::Broken(Box::new(error)))
}
