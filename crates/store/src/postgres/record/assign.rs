//! Reads what is known of a batch's events, and writes what is decided about them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use copal_model::{IssueId, IssueStatus, OrgId, Plans, ProjectId};
use uuid::Uuid;

use super::{issue_id, quota};
use crate::Result;
use crate::postgres::event_rows::to_i64;
use crate::postgres::{Columns, Tx, execute, list, partitions, together};
use crate::projects::project_id;
use crate::record::assign::{Class, Fate, Fresh, Known, Living, Owners, Plan, Projects, kind_of};
use crate::record::plan::{DEDUPE_DAYS, day_of};
use crate::record::quota::accounts;
use crate::record::{Batch, GroupHash};

/// Decides for each event what happens to it, makes new issues and opens resolved ones again.
pub(super) async fn assign(
    tx: &Tx<'_>,
    batch: &Batch,
    (projects, plans): (&Projects, &Plans),
) -> Result<Vec<Fate>> {
    let used = quota::used(tx, &accounts(batch, projects)).await?;
    let recorded = recorded_events(tx, batch).await?;
    let mut fresh = Fresh::of(batch, projects, &recorded);
    fresh.limit(projects, plans, used);
    let owners = owners(tx, &fresh).await?;
    let known = Known {
        partitions: ensure_partitions(tx, &fresh).await?,
        resolved: resolved(tx, &owners).await?,
        owners,
    };
    let plan = Plan::of(&fresh, projects, known)?;
    together(vec![
        Box::pin(number_issues(tx, &plan)),
        Box::pin(insert_issues(tx, &plan)),
        Box::pin(insert_terms(tx, &plan)),
        Box::pin(reopen(tx, &plan)),
        Box::pin(own_hashes(tx, &plan)),
        Box::pin(announce(tx, &plan)),
    ])
    .await?;
    Ok(plan.fates)
}

/// Those of the projects that are still there. They are locked: whoever else records for one of
/// them, or deletes from it, waits.
pub(in crate::postgres) async fn living_projects(
    tx: &Tx<'_>,
    named: &BTreeSet<ProjectId>,
) -> Result<Projects> {
    let named = named.iter().map(|project| i64::from(project.get()));
    let named: Vec<i64> = named.collect();
    // Locked by a statement of its own: one that joins would wait for a project that moves, and then
    // look for it in the organization that it was in before, and miss it.
    list(
        tx,
        "select 1 from projects where id = any($1) order by id for no key update",
        &[&named],
    )
    .await?;
    let rows = list(
        tx,
        "select p.id, p.next_issue_number, p.org_id, o.plan
         from projects p
         join organizations o on o.id = p.org_id
         where p.id = any($1)
         order by p.id",
        &[&named],
    )
    .await?;
    rows.iter()
        .map(|row| {
            let columns = Columns::new("projects", row);
            let living = Living {
                next_issue: columns
                    .read("next_issue_number", |number: i64| u32::try_from(number))?,
                org: OrgId::new(columns.uuid("org_id")?),
                plan: columns.parse("plan")?,
            };
            Ok((columns.read("id", project_id)?, living))
        })
        .collect()
}

/// Indexes of events that have been recorded before.
async fn recorded_events(tx: &Tx<'_>, batch: &Batch) -> Result<HashSet<usize>> {
    let mut days: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
    for (index, event) in batch.events.iter().enumerate() {
        days.entry(day_of(event.received_at))
            .or_default()
            .push(index);
    }
    // Where events of a day may be, and what may be in a partition.
    let windows = days.keys().flat_map(|day| day - DEDUPE_DAYS..=*day);
    let windows: BTreeSet<i64> = windows.collect();
    let windows: Vec<i64> = windows.into_iter().collect();
    let mut recorded = HashSet::new();
    for partition in partitions::of_days(tx, &windows).await? {
        let asked = days.range(partition.day..=partition.day + DEDUPE_DAYS);
        let (mut indexes, mut projects, mut events) = (Vec::new(), Vec::new(), Vec::new());
        for index in asked.flat_map(|(_, indexes)| indexes) {
            let event = &batch.events[*index];
            indexes.push(to_i64(*index));
            projects.push(i64::from(event.scope.project().get()));
            events.push(event.event_id.as_uuid());
        }
        let found = recorded_in(tx, &partition.table(), (&indexes, &projects, &events)).await?;
        recorded.extend(found);
    }
    Ok(recorded)
}

/// Indexes of those events that are in a partition.
async fn recorded_in(
    tx: &Tx<'_>,
    table: &str,
    (indexes, projects, events): (&[i64], &[i64], &[Uuid]),
) -> Result<Vec<usize>> {
    let rows = list(
        tx,
        &format!(
            "select n.at
             from unnest($1::bigint[], $2::bigint[], $3::uuid[]) as n (at, project_id, event_id)
             join {table} e on e.project_id = n.project_id
               and e.event_id = n.event_id"
        ),
        &[&indexes, &projects, &events],
    )
    .await?;
    rows.iter()
        .map(|row| Columns::new("events", row).read("at", |at: i64| usize::try_from(at)))
        .collect()
}

async fn ensure_partitions(tx: &Tx<'_>, fresh: &Fresh<'_>) -> Result<HashMap<Class, i64>> {
    let mut partitions = HashMap::new();
    for class in fresh.classes() {
        partitions.insert(class, partitions::ensure(tx, class).await?);
    }
    Ok(partitions)
}

/// Who owns the hashes of events.
async fn owners(tx: &Tx<'_>, fresh: &Fresh<'_>) -> Result<Owners> {
    let hashes = fresh.hashes();
    let projects = hashes.iter().map(|(project, _)| i64::from(project.get()));
    let rows = list(
        tx,
        "select h.project_id, h.hash, h.issue_id
         from unnest($1::bigint[], $2::bytea[]) as n (project_id, hash)
         join issue_hashes h on h.project_id = n.project_id
           and h.hash = n.hash",
        &[
            &projects.collect::<Vec<_>>(),
            &hashes.iter().map(|(_, hash)| &hash[..]).collect::<Vec<_>>(),
        ],
    )
    .await?;
    rows.iter()
        .map(|row| {
            let columns = Columns::new("issue_hashes", row);
            let project = columns.read("project_id", project_id)?;
            let hash = columns.read("hash", |hash: &[u8]| GroupHash::try_from(hash))?;
            Ok(((project, hash), issue_id(columns.get("issue_id")?)?))
        })
        .collect()
}

/// Those of the owners that are resolved. All are locked: whoever triages one of them waits, or
/// has been waited for.
async fn resolved(tx: &Tx<'_>, owners: &Owners) -> Result<HashSet<IssueId>> {
    let issues: BTreeSet<i64> = owners.values().map(|issue| issue.to_i64()).collect();
    let rows = list(
        tx,
        "select id, status
         from issues
         where id = any($1)
         order by id
         for no key update",
        &[&issues.into_iter().collect::<Vec<_>>()],
    )
    .await?;
    let mut resolved = HashSet::new();
    for row in &rows {
        let columns = Columns::new("issues", row);
        if columns.parse::<IssueStatus>("status")? == IssueStatus::Resolved {
            resolved.insert(issue_id(columns.get("id")?)?);
        }
    }
    Ok(resolved)
}

async fn number_issues(tx: &Tx<'_>, plan: &Plan<'_>) -> Result<()> {
    if plan.projects.is_empty() {
        return Ok(());
    }
    let (mut projects, mut next, mut first) = (Vec::new(), Vec::new(), Vec::new());
    for (project, numbering) in &plan.projects {
        projects.push(i64::from(project.get()));
        next.push(i64::from(numbering.next));
        first.push(numbering.first_event_at.as_microsecond());
    }
    execute(
        tx,
        "update projects p
         set next_issue_number = n.next_issue_number,
             first_event_at = coalesce(p.first_event_at, n.first_event_at)
         from unnest($1::bigint[], $2::bigint[], $3::bigint[])
           as n (id, next_issue_number, first_event_at)
         where p.id = n.id",
        &[&projects, &next, &first],
    )
    .await?;
    Ok(())
}

/// Makes issues without counts.
async fn insert_issues(tx: &Tx<'_>, plan: &Plan<'_>) -> Result<()> {
    if plan.new_issues.is_empty() {
        return Ok(());
    }
    let (mut ids, mut projects, mut fingerprints) = (Vec::new(), Vec::new(), Vec::new());
    let (mut titles, mut error_types, mut culprits) = (Vec::new(), Vec::new(), Vec::new());
    let (mut levels, mut platforms) = (Vec::new(), Vec::new());
    let (mut seen, mut releases) = (Vec::new(), Vec::new());
    for (issue, event) in &plan.new_issues {
        ids.push(issue.to_i64());
        projects.push(i64::from(issue.project().get()));
        fingerprints.push(event.grouping.hashes.first().map(|hash| &hash[..]));
        titles.push(&event.issue.title);
        error_types.push(&event.issue.error_type);
        culprits.push(&event.issue.culprit);
        levels.push(event.level.as_str());
        platforms.push(&event.issue.platform);
        seen.push(event.occurred_at.as_microsecond());
        releases.push(&event.release);
    }
    execute(
        tx,
        "insert into issues (id, project_id, fingerprint, title, error_type, culprit, level,
             platform, status, is_regressed, events_count, users_affected, first_seen, last_seen,
             first_release, last_release)
         select n.id, n.project_id, n.fingerprint, n.title, n.error_type, n.culprit, n.level,
             n.platform, $11, false, 0, 0, n.seen, n.seen, n.release, n.release
         from unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::text[], $5::text[], $6::text[],
             $7::text[], $8::text[], $9::bigint[], $10::text[])
           as n (id, project_id, fingerprint, title, error_type, culprit, level, platform, seen,
             release)",
        &[
            &ids,
            &projects,
            &fingerprints,
            &titles,
            &error_types,
            &culprits,
            &levels,
            &platforms,
            &seen,
            &releases,
            &IssueStatus::Open.as_str(),
        ],
    )
    .await?;
    Ok(())
}

async fn insert_terms(tx: &Tx<'_>, plan: &Plan<'_>) -> Result<()> {
    let (mut issues, mut keys, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for (issue, key, value) in plan.terms() {
        issues.push(issue.to_i64());
        keys.push(key);
        values.push(value);
    }
    if issues.is_empty() {
        return Ok(());
    }
    execute(
        tx,
        "insert into issue_terms (issue_id, key, value)
         select *
         from unnest($1::bigint[], $2::text[], $3::text[])",
        &[&issues, &keys, &values],
    )
    .await?;
    Ok(())
}

/// Opens resolved issues again.
async fn reopen(tx: &Tx<'_>, plan: &Plan<'_>) -> Result<()> {
    if plan.regressed.is_empty() {
        return Ok(());
    }
    let issues: Vec<i64> = plan.regressed.iter().map(|issue| issue.to_i64()).collect();
    execute(
        tx,
        "update issues
         set status = $2,
             is_regressed = true
         where id = any($1)",
        &[&issues, &IssueStatus::Open.as_str()],
    )
    .await?;
    Ok(())
}

async fn own_hashes(tx: &Tx<'_>, plan: &Plan<'_>) -> Result<()> {
    if plan.new_hashes.is_empty() {
        return Ok(());
    }
    let (mut projects, mut hashes, mut issues) = (Vec::new(), Vec::new(), Vec::new());
    for ((project, hash), issue) in &plan.new_hashes {
        projects.push(i64::from(project.get()));
        hashes.push(&hash[..]);
        issues.push(issue.to_i64());
    }
    execute(
        tx,
        "insert into issue_hashes (project_id, hash, issue_id)
         select *
         from unnest($1::bigint[], $2::bytea[], $3::bigint[])",
        &[&projects, &hashes, &issues],
    )
    .await?;
    Ok(())
}

async fn announce(tx: &Tx<'_>, plan: &Plan<'_>) -> Result<()> {
    if plan.news.is_empty() {
        return Ok(());
    }
    let (mut projects, mut issues) = (Vec::new(), Vec::new());
    let (mut events, mut kinds) = (Vec::new(), Vec::new());
    for (event, issue, disposition) in &plan.news {
        projects.push(i64::from(event.scope.project().get()));
        issues.push(issue.to_i64());
        events.push(event.event_id.as_uuid());
        kinds.push(kind_of(*disposition));
    }
    execute(
        tx,
        "insert into outbox (project_id, issue_id, event_id, kind)
         select n.project_id, n.issue_id, n.event_id, n.kind
         from unnest($1::bigint[], $2::bigint[], $3::uuid[], $4::text[])
           with ordinality as n (project_id, issue_id, event_id, kind, at)
         order by n.at",
        &[&projects, &issues, &events, &kinds],
    )
    .await?;
    Ok(())
}
