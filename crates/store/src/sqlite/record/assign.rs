//! Reads what is known of a batch's events, and writes what is decided about them.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use copal_model::{IssueId, IssueStatus, OrgId, Plans, ProjectId};
use rusqlite::{OptionalExtension, Row, Transaction};

use super::{issue_id, quota};
use crate::Result;
use crate::record::assign::{Class, Fate, Fresh, Known, Living, Owners, Plan, Projects, kind_of};
use crate::record::plan::{DEDUPE_DAYS, day_of};
use crate::record::quota::accounts;
use crate::record::{Batch, Disposition, NewEvent};
use crate::sqlite::{Columns, partitions};

/// Decides for each event what happens to it, makes new issues and opens resolved ones again.
pub(super) fn assign(
    tx: &Transaction<'_>,
    batch: &Batch,
    (projects, plans): (&Projects, &Plans),
) -> Result<Vec<Fate>> {
    let recorded = recorded_events(tx, batch)?;
    let mut fresh = Fresh::of(batch, projects, &recorded);
    let used = quota::used(tx, &accounts(batch, projects))?;
    fresh.limit(projects, plans, used);
    let owners = owners(tx, &fresh)?;
    let known = Known {
        partitions: ensure_partitions(tx, &fresh)?,
        resolved: resolved(tx, &owners)?,
        owners,
    };
    let plan = Plan::of(&fresh, projects, known)?;
    number_issues(tx, &plan)?;
    for (issue, event) in &plan.new_issues {
        insert_issue(tx, *issue, event)?;
    }
    insert_terms(tx, &plan)?;
    for issue in &plan.regressed {
        reopen(tx, *issue)?;
    }
    own_hashes(tx, &plan)?;
    for (event, issue, disposition) in &plan.news {
        announce(tx, event, *issue, *disposition)?;
    }
    Ok(plan.fates)
}

/// Those of the projects that are still there.
pub(in crate::sqlite) fn living_projects(
    tx: &Transaction<'_>,
    named: &BTreeSet<ProjectId>,
) -> Result<Projects> {
    let mut find = tx.prepare_cached(
        "select p.next_issue_number, p.org_id, o.plan
         from projects p
         join organizations o on o.id = p.org_id
         where p.id = ?1",
    )?;
    let mut projects = BTreeMap::new();
    for project in named {
        let mut found = find.query_and_then((project.get(),), living)?;
        projects.extend(found.next().transpose()?.map(|living| (*project, living)));
    }
    Ok(projects)
}

fn living(row: &Row<'_>) -> Result<Living> {
    let columns = Columns::new("projects", row);
    Ok(Living {
        next_issue: columns.get("next_issue_number")?,
        org: OrgId::new(columns.uuid("org_id")?),
        plan: columns.parse("plan")?,
    })
}

/// Indexes of events that have been recorded before.
fn recorded_events(tx: &Transaction<'_>, batch: &Batch) -> Result<HashSet<usize>> {
    let mut recorded = HashSet::new();
    // For a day, the queries to ask in all partitions where an event may be.
    let mut queries: HashMap<i64, Vec<String>> = HashMap::new();
    for (index, event) in batch.events.iter().enumerate() {
        let day = day_of(event.received_at);
        let queries = match queries.entry(day) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(queries_for(tx, day)?),
        };
        let key = (event.scope.project().get(), event.event_id.as_bytes());
        for query in queries {
            if tx.prepare_cached(query)?.exists(key)? {
                recorded.insert(index);
                break;
            }
        }
    }
    Ok(recorded)
}

fn queries_for(tx: &Transaction<'_>, day: i64) -> Result<Vec<String>> {
    let partitions = partitions::between(tx, day - DEDUPE_DAYS, day)?.into_iter();
    let queries = partitions.map(|partition| {
        format!(
            "select 1
             from {}
             where project_id = ?1
               and event_id = ?2",
            partition.table()
        )
    });
    Ok(queries.collect())
}

fn ensure_partitions(tx: &Transaction<'_>, fresh: &Fresh<'_>) -> Result<HashMap<Class, i64>> {
    let mut partitions = HashMap::new();
    for class in fresh.classes() {
        partitions.insert(class, partitions::ensure(tx, class)?);
    }
    Ok(partitions)
}

/// Who owns the hashes of events.
fn owners(tx: &Transaction<'_>, fresh: &Fresh<'_>) -> Result<Owners> {
    let mut find = tx.prepare_cached(
        "select issue_id
         from issue_hashes
         where project_id = ?1
           and hash = ?2",
    )?;
    let mut owners = HashMap::new();
    for (project, hash) in fresh.hashes() {
        let packed = find.query_row((project.get(), hash), |row| row.get(0));
        if let Some(packed) = packed.optional()? {
            owners.insert((project, hash), issue_id(packed)?);
        }
    }
    Ok(owners)
}

/// Those of the owners that are resolved.
fn resolved(tx: &Transaction<'_>, owners: &Owners) -> Result<HashSet<IssueId>> {
    let mut find = tx.prepare_cached(
        "select 1
         from issues
         where id = ?1
           and status = ?2",
    )?;
    let mut resolved = HashSet::new();
    for issue in owners.values().copied().collect::<HashSet<_>>() {
        if find.exists((issue.to_i64(), IssueStatus::Resolved.as_str()))? {
            resolved.insert(issue);
        }
    }
    Ok(resolved)
}

fn number_issues(tx: &Transaction<'_>, plan: &Plan<'_>) -> Result<()> {
    let mut update = tx.prepare_cached(
        "update projects
         set next_issue_number = ?2,
             first_event_at = coalesce(first_event_at, ?3)
         where id = ?1",
    )?;
    for (project, numbering) in &plan.projects {
        let first_event_at = numbering.first_event_at.as_microsecond();
        update.execute((project.get(), numbering.next, first_event_at))?;
    }
    Ok(())
}

/// Makes an issue without counts.
fn insert_issue(tx: &Transaction<'_>, issue: IssueId, event: &NewEvent) -> Result<()> {
    let occurred_at = event.occurred_at.as_microsecond();
    tx.prepare_cached(
        "insert into issues (id, project_id, fingerprint, title, error_type, culprit, level,
             platform, status, is_regressed, events_count, users_affected, first_seen, last_seen,
             first_release, last_release)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, 0, 0, ?10, ?10, ?11, ?11)",
    )?
    .execute(rusqlite::params![
        issue.to_i64(),
        issue.project().get(),
        event.grouping.hashes.first(),
        event.issue.title,
        event.issue.error_type,
        event.issue.culprit,
        event.level.as_str(),
        event.issue.platform,
        IssueStatus::Open.as_str(),
        occurred_at,
        event.release,
    ])?;
    Ok(())
}

fn insert_terms(tx: &Transaction<'_>, plan: &Plan<'_>) -> Result<()> {
    let mut insert = tx.prepare_cached(
        "insert into issue_terms (issue_id, key, value)
         values (?1, ?2, ?3)",
    )?;
    for (issue, key, value) in plan.terms() {
        insert.execute((issue.to_i64(), key, value))?;
    }
    Ok(())
}

/// Opens a resolved issue again.
fn reopen(tx: &Transaction<'_>, issue: IssueId) -> Result<()> {
    tx.prepare_cached(
        "update issues
         set status = ?2,
             is_regressed = 1
         where id = ?1",
    )?
    .execute((issue.to_i64(), IssueStatus::Open.as_str()))?;
    Ok(())
}

fn own_hashes(tx: &Transaction<'_>, plan: &Plan<'_>) -> Result<()> {
    let mut insert = tx.prepare_cached(
        "insert into issue_hashes (project_id, hash, issue_id)
         values (?1, ?2, ?3)",
    )?;
    for ((project, hash), issue) in &plan.new_hashes {
        insert.execute((project.get(), hash, issue.to_i64()))?;
    }
    Ok(())
}

fn announce(
    tx: &Transaction<'_>,
    event: &NewEvent,
    issue: IssueId,
    disposition: Disposition,
) -> Result<()> {
    tx.prepare_cached(
        "insert into outbox (project_id, issue_id, event_id, kind)
         values (?1, ?2, ?3, ?4)",
    )?
    .execute((
        event.scope.project().get(),
        issue.to_i64(),
        event.event_id.as_bytes(),
        kind_of(disposition),
    ))?;
    Ok(())
}
