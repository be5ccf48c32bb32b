//! Records batches: one transaction each.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, PoisonError};

use async_trait::async_trait;
use copal_model::{Category, IssueId, IssueStatus, Outcome, ProjectId};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};

use super::append::Tails;
use super::{SqliteStore, partitions, tally};
use crate::payload::{Place, Segments};
use crate::record::plan::{DEDUPE_DAYS, IssueTally, day_of, hour_of};
use crate::record::{
    Batch, Disposition, GroupHash, JournalId, NewEvent, Recorded, RecordedEvent, Recorder,
};
use crate::{Error, Result};

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
    let assigned = assign(&tx, batch)?;
    let places = append(&tx, segments, tails, batch, frames, &assigned)?;
    let mut tallies = BTreeMap::new();
    for (event, assigned, place) in zip(&batch.events, &assigned, &places) {
        insert_event(&tx, event, assigned, place)?;
        tallies
            .entry(assigned.issue)
            .or_insert_with(|| IssueTally::new(event))
            .add(event, assigned.partition);
    }
    for (issue, tally) in &tallies {
        tally::apply(&tx, *issue, tally)?;
    }
    count_outcomes(&tx, batch, &assigned)?;
    insert_quarantined(&tx, batch)?;
    store_position(&tx, batch)?;
    tx.commit()?;
    let events = std::iter::zip(&batch.events, &assigned)
        .map(|(event, assigned)| match assigned {
            Some(assigned) => recorded(event, Some(assigned.issue), assigned.disposition),
            None => recorded(event, None, Disposition::Duplicate),
        })
        .collect();
    Ok(Recorded { events })
}

/// Where an event goes.
struct Assigned {
    issue: IssueId,
    partition: i64,
    disposition: Disposition,
}

/// Decides for each event where it goes; `None` for duplicates, and for events of a project that
/// has just been deleted.
fn assign(tx: &Transaction<'_>, batch: &Batch) -> Result<Vec<Option<Assigned>>> {
    let mut seen = HashSet::new();
    let mut ids = HashMap::new();
    let mut issues = Issues {
        tx,
        owners: HashMap::new(),
        reopened: HashSet::new(),
    };
    let mut assigned = Vec::with_capacity(batch.events.len());
    for event in &batch.events {
        let key = (event.scope.project(), event.event_id);
        if !seen.insert(key) || is_stored(tx, event)? {
            assigned.push(None);
            continue;
        }
        let Some((issue, disposition)) = issues.of(event)? else {
            assigned.push(None);
            continue;
        };
        let class = (day_of(event.received_at), event.retention_days);
        let partition = match ids.get(&class) {
            Some(id) => *id,
            None => partitions::ensure(tx, class.0, class.1)?,
        };
        ids.insert(class, partition);
        assigned.push(Some(Assigned {
            issue,
            partition,
            disposition,
        }));
    }
    Ok(assigned)
}

fn is_stored(tx: &Transaction<'_>, event: &NewEvent) -> Result<bool> {
    let day = day_of(event.received_at);
    for partition in partitions::between(tx, day - DEDUPE_DAYS, day)? {
        let found = tx
            .prepare_cached(&format!(
                "select 1
                 from {}
                 where project_id = ?1
                   and event_id = ?2",
                partition.table()
            ))?
            .exists((event.scope.project().get(), event.event_id.as_bytes()))?;
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Finds and makes the issues of a batch.
struct Issues<'a> {
    tx: &'a Transaction<'a>,
    owners: HashMap<(ProjectId, GroupHash), IssueId>,
    reopened: HashSet<IssueId>,
}

impl Issues<'_> {
    fn of(&mut self, event: &NewEvent) -> Result<Option<(IssueId, Disposition)>> {
        let project = event.scope.project();
        let mut found = None;
        for hash in &event.grouping.hashes {
            found = self.owner(project, *hash)?;
            if found.is_some() {
                break;
            }
        }
        let (issue, disposition) = match found {
            Some(issue) => (issue, self.reopen(issue)?),
            None => match create_issue(self.tx, event)? {
                Some(issue) => (issue, Disposition::New),
                None => return Ok(None),
            },
        };
        if disposition != Disposition::Joined {
            announce(self.tx, event, issue, disposition)?;
        }
        for hash in &event.grouping.hashes {
            self.own(project, *hash, issue)?;
        }
        Ok(Some((issue, disposition)))
    }

    fn owner(&self, project: ProjectId, hash: GroupHash) -> Result<Option<IssueId>> {
        if let Some(issue) = self.owners.get(&(project, hash)) {
            return Ok(Some(*issue));
        }
        let packed: Option<i64> = self
            .tx
            .prepare_cached(
                "select issue_id
                 from issue_hashes
                 where project_id = ?1
                   and hash = ?2",
            )?
            .query_row((project.get(), hash), |row| row.get(0))
            .optional()?;
        packed.map(issue_id).transpose()
    }

    /// Gives a hash that nobody owns to `issue`.
    fn own(&mut self, project: ProjectId, hash: GroupHash, issue: IssueId) -> Result<()> {
        if self.owners.contains_key(&(project, hash)) {
            return Ok(());
        }
        self.tx
            .prepare_cached(
                "insert into issue_hashes (project_id, hash, issue_id)
                 values (?1, ?2, ?3)
                 on conflict do nothing",
            )?
            .execute((project.get(), hash, issue.to_i64()))?;
        if let Some(owner) = self.owner(project, hash)? {
            self.owners.insert((project, hash), owner);
        }
        Ok(())
    }

    /// Opens a resolved issue again.
    fn reopen(&mut self, issue: IssueId) -> Result<Disposition> {
        if !self.reopened.insert(issue) {
            return Ok(Disposition::Joined);
        }
        let changed = self
            .tx
            .prepare_cached(
                "update issues
                 set status = ?2,
                     is_regressed = 1
                 where id = ?1
                   and status = ?3",
            )?
            .execute((
                issue.to_i64(),
                IssueStatus::Open.as_str(),
                IssueStatus::Resolved.as_str(),
            ))?;
        Ok(match changed {
            0 => Disposition::Joined,
            _ => Disposition::Regressed,
        })
    }
}

/// Makes an issue without counts; `None` when its project is gone.
fn create_issue(tx: &Transaction<'_>, event: &NewEvent) -> Result<Option<IssueId>> {
    let project = event.scope.project();
    let number: Option<u32> = tx
        .prepare_cached(
            "update projects
             set next_issue_number = next_issue_number + 1,
                 first_event_at = coalesce(first_event_at, ?2)
             where id = ?1
             returning next_issue_number - 1",
        )?
        .query_row((project.get(), event.received_at.as_microsecond()), |row| {
            row.get(0)
        })
        .optional()?;
    let Some(number) = number else {
        return Ok(None);
    };
    let deciding = event
        .grouping
        .hashes
        .first()
        .ok_or_else(|| Error::Broken("an event without a group hash".into()))?;
    let issue = IssueId::new(project, number);
    let occurred_at = event.occurred_at.as_microsecond();
    tx.prepare_cached(
        "insert into issues (id, project_id, fingerprint, title, error_type, culprit, level,
             platform, status, is_regressed, events_count, users_affected, first_seen, last_seen,
             first_release, last_release)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, 0, 0, ?10, ?10, ?11, ?11)",
    )?
    .execute(rusqlite::params![
        issue.to_i64(),
        project.get(),
        deciding,
        event.issue.title,
        event.issue.error_type,
        event.issue.culprit,
        event.level.as_str(),
        event.issue.platform,
        IssueStatus::Open.as_str(),
        occurred_at,
        event.release,
    ])?;
    let mut term = tx.prepare_cached(
        "insert into issue_terms (issue_id, key, value)
         values (?1, ?2, ?3)
         on conflict do nothing",
    )?;
    for (key, value) in &event.issue.search_terms {
        term.execute((issue.to_i64(), key, value))?;
    }
    Ok(Some(issue))
}

fn announce(
    tx: &Transaction<'_>,
    event: &NewEvent,
    issue: IssueId,
    disposition: Disposition,
) -> Result<()> {
    let kind = match disposition {
        Disposition::Regressed => "REGRESSED",
        _ => "NEW",
    };
    tx.prepare_cached(
        "insert into outbox (project_id, issue_id, event_id, kind)
         values (?1, ?2, ?3, ?4)",
    )?
    .execute((
        event.scope.project().get(),
        issue.to_i64(),
        event.event_id.as_bytes(),
        kind,
    ))?;
    Ok(())
}

/// Appends the frames of the events that are kept; a place for each of them.
fn append(
    tx: &Transaction<'_>,
    segments: &Segments,
    tails: &mut Tails,
    batch: &Batch,
    frames: &[Vec<u8>],
    assigned: &[Option<Assigned>],
) -> Result<Vec<Option<Place>>> {
    let mut by_partition: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
    for (index, assigned) in assigned.iter().enumerate() {
        if let Some(assigned) = assigned {
            by_partition
                .entry(assigned.partition)
                .or_default()
                .push(index);
        }
    }
    let mut places = vec![None; assigned.len()];
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
    assigned: &'a [Option<Assigned>],
    places: &'a [Option<Place>],
) -> impl Iterator<Item = (&'a NewEvent, &'a Assigned, &'a Place)> {
    std::iter::zip(events, std::iter::zip(assigned, places))
        .filter_map(|(event, (assigned, place))| Some((event, assigned.as_ref()?, place.as_ref()?)))
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

fn count_outcomes(
    tx: &Transaction<'_>,
    batch: &Batch,
    assigned: &[Option<Assigned>],
) -> Result<()> {
    let mut totals: BTreeMap<(ProjectId, i64, Category, Outcome), u64> = BTreeMap::new();
    for (event, assigned) in std::iter::zip(&batch.events, assigned) {
        let outcome = match assigned {
            Some(_) => Outcome::Accepted,
            None => Outcome::Invalid("duplicate"),
        };
        let hour = hour_of(event.received_at);
        let key = (event.scope.project(), hour, Category::Error, outcome);
        *totals.entry(key).or_default() += 1;
    }
    for count in &batch.outcomes {
        let hour = hour_of(count.received_at);
        let key = (count.project, hour, count.category, count.outcome.clone());
        *totals.entry(key).or_default() += count.quantity;
    }
    let mut statement = tx.prepare_cached(
        "insert into outcomes (project_id, hour, category, outcome, reason, quantity)
         values (?1, ?2, ?3, ?4, ?5, ?6)
         on conflict (project_id, hour, category, outcome, reason)
         do update set quantity = quantity + excluded.quantity",
    )?;
    for ((project, hour, category, outcome), quantity) in totals {
        statement.execute((
            project.get(),
            hour,
            category.as_str(),
            outcome.as_str(),
            outcome.reason(),
            quantity,
        ))?;
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
