//! Records batches: one transaction each, in a fixed number of statements.
//!
//! Locks are taken in this order: the journal, the projects by id, the usage of their
//! organizations, the issues by id, the rest. A
//! second batch of the journal waits for the first one to end, even if nobody has heard whether it
//! was committed; batches on a project queue, whatever process they come from, so that what is read
//! here stays true until the commit.

pub(super) mod assign;
mod events;
pub(super) mod outcomes;
pub(super) mod quota;
mod tags;
mod tally;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use copal_model::{IssueId, Plans};
use copal_protocol::EventId;
use tokio::sync::Mutex;
use uuid::Uuid;

use super::append::{HeldTails, Piece, on_disk};
use super::{
    Columns, PostgresStore, Tx, append, count, execute, find, list, partitions, together, training,
};
use crate::payload::{Codec, Encoded, Place, Segments, Tails};
use crate::record::assign::{Fate, projects as named_projects};
use crate::record::frames;
use crate::record::plan::BatchTally;
use crate::record::quota::tally as tally_usage;
use crate::record::{Batch, JournalId, Recorded, Recorder};
use crate::{Error, Result};

/// How statements of a batch are planned: they look up rows by key, however many there are and
/// whatever statistics say.
const SETTINGS: &str = "select set_config('plan_cache_mode', 'force_generic_plan', true),
         set_config('enable_seqscan', 'off', true),
         set_config('enable_hashjoin', 'off', true),
         set_config('enable_mergejoin', 'off', true)";

/// A batch, and what recording it needs, for as many tries as it takes.
struct Job {
    batch: Batch,
    encoded: Arc<Encoded>,
    segments: Segments,
    tails: Arc<Mutex<Tails>>,
    codec: Arc<Codec>,
    plans: Plans,
}

#[async_trait]
impl Recorder for PostgresStore {
    async fn record(&self, batch: Batch) -> Result<Recorded> {
        let codec = Arc::clone(&self.codec);
        let (batch, encoded) = on_disk(move || frames::encode(&codec, batch)).await?;
        let job = Arc::new(Job {
            batch,
            encoded: Arc::new(encoded),
            segments: self.segments.clone(),
            tails: Arc::clone(&self.tails),
            codec: Arc::clone(&self.codec),
            plans: self.plans,
        });
        // Segments are open to one batch until it is committed.
        let turn = self.recording.lock().await;
        let trying = Arc::clone(&job);
        let recorded = self
            .engine
            .record(move |tx| {
                let job = Arc::clone(&trying);
                Box::pin(async move { record_batch(tx, &job).await })
            })
            .await;
        let recorded = match recorded {
            Ok(recorded) => recorded,
            Err(error) => {
                self.codec.bases.forget();
                return Err(error);
            }
        };
        self.tails.lock().await.settle();
        drop(turn);
        if let Some(Job { batch, encoded, .. }) = Arc::into_inner(job)
            && let Some(encoded) = Arc::into_inner(encoded)
        {
            frames::add_bases(&self.codec, &batch, encoded, &recorded);
        }
        self.note_recorded(&recorded);
        Ok(recorded)
    }

    async fn journal_position(&self, journal: JournalId) -> Result<Option<u64>> {
        self.engine
            .record(move |tx| Box::pin(settled_position(tx, journal)))
            .await
    }
}

async fn record_batch(tx: &Tx<'_>, job: &Job) -> Result<Recorded> {
    let batch = &job.batch;
    list(tx, SETTINGS, &[]).await?;
    if !store_position(tx, batch).await? {
        return Ok(Recorded::before(batch));
    }
    let mut tails = Arc::clone(&job.tails).lock_owned().await;
    tails.begin();
    training::refresh(tx, &job.codec, job.encoded.dictionary).await?;
    let mut tails = append::recover(tx, &job.segments, tails, batch.journal).await?;
    let projects = assign::living_projects(tx, &named_projects(batch)).await?;
    let fates = assign::assign(tx, batch, (&projects, &job.plans)).await?;
    let usage = tally_usage(batch, &fates, &projects);
    require_bases(tx, &frames::bases(&job.encoded, &fates)).await?;
    let pieces = open_pieces(tx, job, &mut tails, &fates).await?;
    let places = places(&job.encoded, &pieces, fates.len());
    let events: Vec<_> = frames::stored(&batch.events, &fates, &places).collect();
    let mut tally = BatchTally::default();
    for (event, assigned, _) in &events {
        tally.add(event, assigned.issue, assigned.partition);
    }
    let partitions: Vec<i64> = pieces
        .iter()
        .map(|piece| piece.tail.segment.partition)
        .collect();
    let lengths = pieces.iter().map(|piece| piece.end(&job.encoded)).collect();
    // The disk and the database work at the same time.
    let (appended, written) = tokio::join!(
        append::append(tails, Arc::clone(&job.encoded), pieces),
        together(vec![
            Box::pin(append::note_lengths(tx, lengths)),
            Box::pin(note_dictionary(tx, &partitions, job.encoded.dictionary)),
            Box::pin(events::insert_events(tx, &events)),
            Box::pin(tally::apply(tx, &tally)),
            Box::pin(quota::add(tx, &usage)),
            Box::pin(outcomes::count_received(tx, batch, &projects)),
            Box::pin(outcomes::count(tx, batch, &fates, &projects)),
            Box::pin(insert_quarantined(tx, batch)),
        ])
    );
    // What the disk says is graver.
    appended?;
    written?;
    Ok(Recorded::of(batch, &fates))
}

/// Finds the segments that frames of events to keep are appended to.
async fn open_pieces(
    tx: &Tx<'_>,
    job: &Job,
    tails: &mut HeldTails,
    fates: &[Fate],
) -> Result<Vec<Piece>> {
    let mut pieces = Vec::new();
    for (partition, frames) in frames::kept(&job.encoded, fates) {
        let tail = match tails.take(job.batch.journal, partition) {
            Some(tail) => tail,
            None => append::open_tail(tx, &job.segments, job.batch.journal, partition).await?,
        };
        pieces.push(Piece { tail, frames });
    }
    Ok(pieces)
}

/// A place for each event that is in a frame to be appended.
fn places(encoded: &Encoded, pieces: &[Piece], events: usize) -> Vec<Option<Place>> {
    let mut places = vec![None; events];
    for Piece { tail, frames } in pieces {
        let frames: Vec<_> = frames.iter().map(|at| &encoded.frames[*at]).collect();
        let starts = tail.places(frames.iter().map(|frame| &frame.bytes[..]));
        for (frame, place) in std::iter::zip(frames, starts) {
            frames::place(frame, place, &mut places);
        }
    }
    places
}

/// Makes sure that the events are still stored which frames are compressed against.
///
/// # Errors
/// [`Unavailable`](Error::Unavailable) when another process has deleted one: encode again.
async fn require_bases(tx: &Tx<'_>, bases: &BTreeMap<i64, Vec<(IssueId, EventId)>>) -> Result<()> {
    for (partition, bases) in bases {
        let (issues, events): (Vec<i64>, Vec<Uuid>) = bases
            .iter()
            .map(|(issue, event)| (issue.to_i64(), event.as_uuid()))
            .unzip();
        let found = count(
            tx,
            &format!(
                "select count(*)
                 from unnest($1::bigint[], $2::uuid[]) as n (issue_id, event_id)
                 join {} e on e.project_id = n.issue_id >> 32
                   and e.event_id = n.event_id
                   and e.issue_id = n.issue_id",
                partitions::table(*partition)
            ),
            &[&issues, &events],
        )
        .await?;
        if found < bases.len() as u64 {
            return Err(Error::Unavailable("a base was deleted".to_owned()));
        }
    }
    Ok(())
}

/// Keeps a dictionary for as long as partitions.
async fn note_dictionary(tx: &Tx<'_>, partitions: &[i64], dictionary: u32) -> Result<()> {
    if dictionary != 0 {
        execute(
            tx,
            "insert into partition_dictionaries (partition_id, dictionary_id)
             select n.partition_id, $2
             from unnest($1::bigint[]) as n (partition_id)
             on conflict do nothing",
            &[&partitions, &i64::from(dictionary)],
        )
        .await?;
    }
    Ok(())
}

async fn insert_quarantined(tx: &Tx<'_>, batch: &Batch) -> Result<()> {
    if batch.quarantined.is_empty() {
        return Ok(());
    }
    let (mut sequences, mut projects) = (Vec::new(), Vec::new());
    let (mut received_at, mut errors, mut records) = (Vec::new(), Vec::new(), Vec::new());
    for record in &batch.quarantined {
        sequences.push(record.sequence.cast_signed());
        projects.push(record.project.map(|project| i64::from(project.get())));
        received_at.push(record.received_at.as_microsecond());
        errors.push(&record.error);
        records.push(&record.record);
    }
    execute(
        tx,
        "insert into quarantine (journal, sequence, project_id, received_at, error, record)
         select $1, *
         from unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::bytea[])
         on conflict do nothing",
        &[
            &batch.journal,
            &sequences,
            &projects,
            &received_at,
            &errors,
            &records,
        ],
    )
    .await?;
    Ok(())
}

/// The position of a journal, once no batch of it is about to be committed: whoever lost the
/// connection during a commit cannot know how that ended.
async fn settled_position(tx: &Tx<'_>, journal: JournalId) -> Result<Option<u64>> {
    // Waits for whoever is about to insert or update the row.
    let made = execute(
        tx,
        "insert into journals (id, position)
         values ($1, 0)
         on conflict do nothing",
        &[&journal],
    )
    .await?;
    if made == 1 {
        execute(tx, "delete from journals where id = $1", &[&journal]).await?;
        return Ok(None);
    }
    let row = find(
        tx,
        "select position
         from journals
         where id = $1
         for no key update",
        &[&journal],
    )
    .await?;
    row.map(|row| Columns::new("journals", &row).count("position"))
        .transpose()
}

/// Waits until no batch of journals, given in their order, is about to be committed; none begins
/// before the end of this transaction.
pub(super) async fn settle_journals(tx: &Tx<'_>, journals: &[JournalId]) -> Result<()> {
    for journal in journals {
        settled_position(tx, *journal).await?;
    }
    Ok(())
}

/// Moves the journal's position on and keeps it locked; false when the batch has been recorded
/// before.
async fn store_position(tx: &Tx<'_>, batch: &Batch) -> Result<bool> {
    let stored = execute(
        tx,
        "insert into journals (id, position)
         values ($1, $2)
         on conflict (id) do update set position = excluded.position
         where journals.position < excluded.position",
        &[&batch.journal, &batch.position.cast_signed()],
    )
    .await?;
    Ok(stored == 1)
}

/// An issue id as stored.
pub(super) fn issue_id(packed: i64) -> Result<IssueId> {
    IssueId::from_i64(packed).map_err(|error| Error::Broken(Box::new(error)))
}
