//! Decides where each event of a batch goes: which issue, which partition, or nowhere.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use copal_model::{IssueId, IssueStatus, ProjectId};
use rusqlite::{OptionalExtension, Transaction};

use super::issue_id;
use crate::record::plan::{DEDUPE_DAYS, day_of};
use crate::record::{Batch, Disposition, GroupHash, NewEvent};
use crate::sqlite::partitions;
use crate::{Error, Result};

/// What happens to an event.
pub(super) enum Fate {
    /// It is stored and counted.
    Kept(Assigned),
    /// It has been before.
    Duplicate,
    /// Its project has just been deleted, and its counters with it.
    ProjectGone,
}

/// Where an event goes.
pub(super) struct Assigned {
    pub(super) issue: IssueId,
    pub(super) partition: i64,
    pub(super) disposition: Disposition,
}

impl Fate {
    /// Where the event goes, if it goes anywhere.
    pub(super) const fn kept(&self) -> Option<&Assigned> {
        match self {
            Self::Kept(assigned) => Some(assigned),
            Self::Duplicate | Self::ProjectGone => None,
        }
    }
}

/// Decides for each event what happens to it, makes new issues and opens resolved ones again.
pub(super) fn assign(
    tx: &Transaction<'_>,
    batch: &Batch,
    projects: &HashSet<ProjectId>,
) -> Result<Vec<Fate>> {
    let mut seen = HashSet::new();
    let mut partitions = HashMap::new();
    let mut known = Known::new(tx);
    let mut issues = Issues {
        tx,
        owners: HashMap::new(),
        reopened: HashSet::new(),
    };
    let mut fates = Vec::with_capacity(batch.events.len());
    for event in &batch.events {
        let project = event.scope.project();
        if !projects.contains(&project) {
            fates.push(Fate::ProjectGone);
            continue;
        }
        if !seen.insert((project, event.event_id)) || known.has(event)? {
            fates.push(Fate::Duplicate);
            continue;
        }
        let (issue, disposition) = issues.of(event)?;
        let class = (day_of(event.received_at), event.retention_days);
        let partition = match partitions.get(&class) {
            Some(id) => *id,
            None => partitions::ensure(tx, class.0, class.1)?,
        };
        partitions.insert(class, partition);
        fates.push(Fate::Kept(Assigned {
            issue,
            partition,
            disposition,
        }));
    }
    Ok(fates)
}

/// Those projects of a batch that are still there.
pub(super) fn living_projects(tx: &Transaction<'_>, batch: &Batch) -> Result<HashSet<ProjectId>> {
    let named: HashSet<ProjectId> = batch
        .events
        .iter()
        .map(|event| event.scope.project())
        .chain(batch.received.iter().map(|count| count.project))
        .chain(batch.outcomes.iter().map(|count| count.project))
        .collect();
    let mut find = tx.prepare_cached("select 1 from projects where id = ?1")?;
    let mut living = HashSet::new();
    for project in named {
        if find.exists((project.get(),))? {
            living.insert(project);
        }
    }
    Ok(living)
}

/// Finds events that have been recorded before.
struct Known<'a> {
    tx: &'a Transaction<'a>,
    /// Queries to ask for an event received on a day, in all partitions where it may be.
    /// Partitions made by this batch hold nothing of earlier ones.
    queries: HashMap<i64, Vec<String>>,
}

impl<'a> Known<'a> {
    fn new(tx: &'a Transaction<'a>) -> Self {
        Self {
            tx,
            queries: HashMap::new(),
        }
    }

    fn has(&mut self, event: &NewEvent) -> Result<bool> {
        let day = day_of(event.received_at);
        let queries = match self.queries.entry(day) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(
                partitions::between(self.tx, day - DEDUPE_DAYS, day)?
                    .into_iter()
                    .map(|partition| {
                        format!(
                            "select 1
                             from {}
                             where project_id = ?1
                               and event_id = ?2",
                            partition.table()
                        )
                    })
                    .collect(),
            ),
        };
        for query in queries {
            let key = (event.scope.project().get(), event.event_id.as_bytes());
            if self.tx.prepare_cached(query)?.exists(key)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Finds and makes the issues of a batch.
struct Issues<'a> {
    tx: &'a Transaction<'a>,
    owners: HashMap<(ProjectId, GroupHash), IssueId>,
    reopened: HashSet<IssueId>,
}

impl Issues<'_> {
    fn of(&mut self, event: &NewEvent) -> Result<(IssueId, Disposition)> {
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
            None => (create_issue(self.tx, event)?, Disposition::New),
        };
        if disposition != Disposition::Joined {
            announce(self.tx, event, issue, disposition)?;
        }
        for hash in &event.grouping.hashes {
            self.own(project, *hash, issue)?;
        }
        Ok((issue, disposition))
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

/// Makes an issue without counts.
fn create_issue(tx: &Transaction<'_>, event: &NewEvent) -> Result<IssueId> {
    let project = event.scope.project();
    let number: u32 = tx
        .prepare_cached(
            "update projects
             set next_issue_number = next_issue_number + 1,
                 first_event_at = coalesce(first_event_at, ?2)
             where id = ?1
             returning next_issue_number - 1",
        )?
        .query_one((project.get(), event.received_at.as_microsecond()), |row| {
            row.get(0)
        })?;
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
    Ok(issue)
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
