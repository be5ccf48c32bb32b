//! Adds a batch's tally to the counters of issues and projects.

use std::collections::{BTreeMap, HashMap};

use copal_model::ProjectId;

use super::tags;
use crate::Result;
use crate::postgres::{Columns, Tx, execute, list, together};
use crate::projects::project_id;
use crate::record::plan::BatchTally;
use crate::record::tags::environments;

/// Adds everything that was counted.
pub(super) async fn apply(tx: &Tx<'_>, tally: &BatchTally<'_>) -> Result<()> {
    if tally.issues.is_empty() {
        return Ok(());
    }
    together(vec![
        Box::pin(update_issues(tx, tally)),
        Box::pin(add_hours(tx, tally)),
        Box::pin(tags::add(tx, tally)),
        Box::pin(add_stored(tx, tally)),
        Box::pin(add_project_hours(tx, tally)),
        Box::pin(add_environments(tx, tally)),
    ])
    .await
}

async fn add_project_hours(tx: &Tx<'_>, tally: &BatchTally<'_>) -> Result<()> {
    let (mut projects, mut hours, mut events) = (Vec::new(), Vec::new(), Vec::new());
    for (project, tally) in &tally.projects {
        for (hour, count) in &tally.hours {
            projects.push(i64::from(project.get()));
            hours.push(*hour);
            events.push(*count);
        }
    }
    execute(
        tx,
        "insert into project_hours as p (project_id, hour, events)
         select *
         from unnest($1::bigint[], $2::bigint[], $3::bigint[])
         on conflict (project_id, hour)
         do update set events = p.events + excluded.events",
        &[&projects, &hours, &events],
    )
    .await?;
    Ok(())
}

async fn add_environments(tx: &Tx<'_>, tally: &BatchTally<'_>) -> Result<()> {
    let (mut projects, mut names) = (Vec::new(), Vec::new());
    for (project, tally) in &tally.projects {
        for environment in &tally.environments {
            projects.push(i64::from(project.get()));
            names.push(*environment);
        }
    }
    let rows = list(
        tx,
        "select n.project_id, n.environment,
             (select count(*)
              from project_environments e
              where e.project_id = n.project_id) as listed
         from unnest($1::bigint[], $2::text[]) as n (project_id, environment)
         where not exists (select 1
                           from project_environments e
                           where e.project_id = n.project_id
                             and e.environment = n.environment)
         order by n.project_id, n.environment",
        &[&projects, &names],
    )
    .await?;
    let mut new: BTreeMap<ProjectId, (usize, Vec<&str>)> = BTreeMap::new();
    for row in &rows {
        let columns = Columns::new("project_environments", row);
        let listed = columns.read("listed", |listed: i64| usize::try_from(listed))?;
        let project = columns.read("project_id", project_id)?;
        let (_, names) = new.entry(project).or_insert((listed, Vec::new()));
        names.push(columns.get("environment")?);
    }
    let (mut projects, mut names) = (Vec::new(), Vec::new());
    for (project, (listed, new)) in new {
        for environment in environments(new, listed) {
            projects.push(i64::from(project.get()));
            names.push(environment);
        }
    }
    if projects.is_empty() {
        return Ok(());
    }
    execute(
        tx,
        "insert into project_environments (project_id, environment)
         select *
         from unnest($1::bigint[], $2::text[])",
        &[&projects, &names],
    )
    .await?;
    Ok(())
}

/// Adds users. Answers how many are new, by issue.
async fn add_users(tx: &Tx<'_>, tally: &BatchTally<'_>) -> Result<HashMap<i64, i64>> {
    let (mut issues, mut identities) = (Vec::new(), Vec::new());
    for (issue, tally) in &tally.issues {
        for identity in &tally.users {
            issues.push(issue.to_i64());
            identities.push(&identity[..]);
        }
    }
    let rows = list(
        tx,
        "insert into issue_users (issue_id, identity)
         select *
         from unnest($1::bigint[], $2::text[])
         on conflict do nothing
         returning issue_id",
        &[&issues, &identities],
    )
    .await?;
    let mut added = HashMap::new();
    for row in &rows {
        let issue = Columns::new("issue_users", row).get("issue_id")?;
        *added.entry(issue).or_default() += 1;
    }
    Ok(added)
}

async fn update_issues(tx: &Tx<'_>, tally: &BatchTally<'_>) -> Result<()> {
    let new_users = add_users(tx, tally).await?;
    let (mut ids, mut events, mut users) = (Vec::new(), Vec::new(), Vec::new());
    let (mut first_seen, mut last_seen) = (Vec::new(), Vec::new());
    let (mut levels, mut releases) = (Vec::new(), Vec::new());
    for (issue, tally) in &tally.issues {
        let id = issue.to_i64();
        ids.push(id);
        events.push(tally.events);
        users.push(new_users.get(&id).copied().unwrap_or_default());
        first_seen.push(tally.first_seen.as_microsecond());
        last_seen.push(tally.last_seen.as_microsecond());
        levels.push(tally.last_level.as_str());
        releases.push(tally.last_release);
    }
    execute(
        tx,
        "update issues i
         set events_count = i.events_count + n.events,
             users_affected = i.users_affected + n.users,
             first_seen = least(i.first_seen, n.first_seen),
             last_seen = greatest(i.last_seen, n.last_seen),
             level = case when n.last_seen >= i.last_seen then n.level else i.level end,
             last_release = case when n.last_seen >= i.last_seen then n.release
                 else i.last_release end
         from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[],
             $6::text[], $7::text[])
           as n (id, events, users, first_seen, last_seen, level, release)
         where i.id = n.id",
        &[
            &ids,
            &events,
            &users,
            &first_seen,
            &last_seen,
            &levels,
            &releases,
        ],
    )
    .await?;
    Ok(())
}

async fn add_hours(tx: &Tx<'_>, tally: &BatchTally<'_>) -> Result<()> {
    let (mut issues, mut hours, mut environments) = (Vec::new(), Vec::new(), Vec::new());
    let (mut releases, mut events) = (Vec::new(), Vec::new());
    for (issue, tally) in &tally.issues {
        for ((hour, environment, release), count) in &tally.hours {
            issues.push(issue.to_i64());
            hours.push(*hour);
            environments.push(*environment);
            releases.push(*release);
            events.push(*count);
        }
    }
    execute(
        tx,
        "insert into issue_hours as h (issue_id, hour, environment, release, events)
         select *
         from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::bigint[])
         on conflict (issue_id, hour, environment, release)
         do update set events = h.events + excluded.events",
        &[&issues, &hours, &environments, &releases, &events],
    )
    .await?;
    Ok(())
}

async fn add_stored(tx: &Tx<'_>, tally: &BatchTally<'_>) -> Result<()> {
    let (mut issues, mut partitions, mut stored) = (Vec::new(), Vec::new(), Vec::new());
    for (issue, tally) in &tally.issues {
        for (partition, count) in &tally.partitions {
            issues.push(issue.to_i64());
            partitions.push(*partition);
            stored.push(*count);
        }
    }
    execute(
        tx,
        "insert into issue_partitions as p (issue_id, partition_id, stored)
         select *
         from unnest($1::bigint[], $2::bigint[], $3::bigint[])
         on conflict (issue_id, partition_id)
         do update set stored = p.stored + excluded.stored",
        &[&issues, &partitions, &stored],
    )
    .await?;
    Ok(())
}
