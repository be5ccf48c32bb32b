//! Records batches: one transaction each.

mod assign;
mod outcomes;
mod tally;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use async_trait::async_trait;
use copal_model::{IssueId, ProjectId};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};

use super::append::Tails;
use super::{SqliteStore, partitions};
use crate::payload::{Place, Segments};
use crate::record::plan::BatchTally;
use crate::record::{Batch, Disposition, JournalId, NewEvent, Recorded, RecordedEvent, Recorder};
use crate::{Error, Result};
use assign::{Assigned, Fate};

#[async_trait]
impl Recorder for SqliteStore {
    async fn record(&self, mut batch: Batch) -> Result<Recorded> {
        let codec = Arc::clone(&self.codec);
        let (batch, frames) = tokio::task::spawn_blocking(move || {
            let frames = codec.encode_all(&batch.events)?;
            for event in &mut batch.events {
                event.payload = Vec::new();
            }
            Ok::<_, Error>((batch, frames))
        })
        .await
        .map_err(|error| Error::Broken(Box::new(error)))??;
        let (tails, segments) = (Arc::clone(&self.tails), self.segments.clone());
        let recorded = self
            .engine
            .on_writer(move |connection| {
                let mut tails = tails.lock().unwrap_or_else(PoisonError::into_inner);
                let recorded = record_batch(connection, &segments, &mut tails, &batch, &frames);
                if recorded.is_err() {
                    tails.forget();
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
    segments: &Segments,
    tails: &mut Tails,
    batch: &Batch,
    frames: &[Vec<u8>],
) -> Result<Recorded> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if stored_position(&tx, batch.journal)?.is_some_and(|stored| batch.position <= stored) {
        return Ok(Recorded {
            events: batch
                .events
                .iter()
                .map(|event| recorded(event, None, Disposition::Duplicate))
                .collect(),
        });
    }
    tails.recover(&tx, segments, batch.journal)?;
    let projects = assign::living_projects(&tx, batch)?;
    let fates = assign::assign(&tx, batch, &projects)?;
    let places = append(&tx, segments, tails, batch, frames, &fates)?;
    let mut tally = BatchTally::default();
    for (event, assigned, place) in zip(&batch.events, &fates, &places) {
        insert_event(&tx, event, assigned, place)?;
        tally.add(event, assigned.issue, assigned.partition);
    }
    tally::apply(&tx, &tally)?;
    outcomes::count(&tx, batch, &fates, &projects)?;
    insert_quarantined(&tx, batch)?;
    store_position(&tx, batch)?;
    tx.commit()?;
    let events = std::iter::zip(&batch.events, &fates)
        .map(|(event, fate)| match fate {
            Fate::Kept(assigned) => recorded(event, Some(assigned.issue), assigned.disposition),
            Fate::Duplicate => recorded(event, None, Disposition::Duplicate),
            Fate::ProjectGone => recorded(event, None, Disposition::ProjectGone),
        })
        .collect();
    Ok(Recorded { events })
}

/// Appends the frames of the events that are kept; a place for each of them.
fn append(
    tx: &Transaction<'_>,
    segments: &Segments,
    tails: &mut Tails,
    batch: &Batch,
    frames: &[Vec<u8>],
    fates: &[Fate],
) -> Result<Vec<Option<Place>>> {
    let mut by_partition: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
    for (index, fate) in fates.iter().enumerate() {
        if let Some(assigned) = fate.kept() {
            by_partition
                .entry(assigned.partition)
                .or_default()
                .push(index);
        }
    }
    let mut places = vec![None; fates.len()];
    for (partition, indexes) in by_partition {
        let bytes: Vec<&[u8]> = indexes.iter().map(|at| frames[*at].as_slice()).collect();
        let written = tails.append(tx, segments, (batch.journal, partition), &bytes)?;
        for (index, place) in std::iter::zip(indexes, written) {
            places[index] = Some(place);
        }
    }
    Ok(places)
}

/// The events that are kept, with where they go.
fn zip<'a>(
    events: &'a [NewEvent],
    fates: &'a [Fate],
    places: &'a [Option<Place>],
) -> impl Iterator<Item = (&'a NewEvent, &'a Assigned, &'a Place)> {
    std::iter::zip(events, std::iter::zip(fates, places))
        .filter_map(|(event, (fate, place))| Some((event, fate.kept()?, place.as_ref()?)))
}

fn insert_event(
    tx: &Transaction<'_>,
    event: &NewEvent,
    assigned: &Assigned,
    place: &Place,
) -> Result<()> {
    tx.prepare_cached(&format!(
        "insert into {} (project_id, event_id, issue_id, occurred_at, received_at, segment_id,
             start, length, hashes, grouping_version)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        partitions::table(assigned.partition)
    ))?
    .execute(rusqlite::params![
        event.scope.project().get(),
        event.event_id.as_bytes(),
        assigned.issue.to_i64(),
        event.occurred_at.as_microsecond(),
        event.received_at.as_microsecond(),
        place.segment.id,
        place.start,
        place.length,
        event.grouping.hashes.concat(),
        event.grouping.version,
    ])?;
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

fn recorded(event: &NewEvent, issue: Option<IssueId>, disposition: Disposition) -> RecordedEvent {
    RecordedEvent {
        project: event.scope.project(),
        event_id: event.event_id,
        issue,
        disposition,
    }
}

/// An issue id as stored.
pub(super) fn issue_id(packed: i64) -> Result<IssueId> {
    IssueId::from_i64(packed).map_err(|error| Error::Broken(Box::new(error)))
}
