//! Adds a batch's tally to the counters of issues and projects.

use copal_model::{IssueId, ProjectId};
use rusqlite::Transaction;

use super::tags::Tags;
use crate::Result;
use crate::record::plan::{BatchTally, IssueTally, ProjectTally};
use crate::record::tags::environments;

/// Adds everything that was counted.
pub(super) fn apply(tx: &Transaction<'_>, tally: &BatchTally<'_>) -> Result<()> {
    let mut tags = Tags::new(tx)?;
    for (issue, tally) in &tally.issues {
        apply_to_issue(tx, *issue, tally, &mut tags)?;
    }
    for (project, tally) in &tally.projects {
        add_project_hours(tx, *project, tally)?;
        add_environments(tx, *project, tally)?;
    }
    Ok(())
}

fn add_project_hours(
    tx: &Transaction<'_>,
    project: ProjectId,
    tally: &ProjectTally<'_>,
) -> Result<()> {
    let mut statement = tx.prepare_cached(
        "insert into project_hours (project_id, hour, events)
         values (?1, ?2, ?3)
         on conflict (project_id, hour)
         do update set events = events + excluded.events",
    )?;
    for (hour, events) in &tally.hours {
        statement.execute((project.get(), hour, events))?;
    }
    Ok(())
}

fn add_environments(
    tx: &Transaction<'_>,
    project: ProjectId,
    tally: &ProjectTally<'_>,
) -> Result<()> {
    let mut find = tx.prepare_cached(
        "select 1
         from project_environments
         where project_id = ?1
           and environment = ?2",
    )?;
    let mut new = Vec::new();
    for environment in &tally.environments {
        if !find.exists((project.get(), environment))? {
            new.push(environment);
        }
    }
    if new.is_empty() {
        return Ok(());
    }
    let listed = tx
        .prepare_cached(
            "select count(*)
             from project_environments
             where project_id = ?1",
        )?
        .query_one((project.get(),), |row| row.get(0))?;
    let mut insert = tx.prepare_cached(
        "insert into project_environments (project_id, environment)
         values (?1, ?2)",
    )?;
    for environment in environments(new, listed) {
        insert.execute((project.get(), environment))?;
    }
    Ok(())
}

fn apply_to_issue(
    tx: &Transaction<'_>,
    issue: IssueId,
    tally: &IssueTally<'_>,
    tags: &mut Tags<'_>,
) -> Result<()> {
    let id = issue.to_i64();
    let new_users = add_users(tx, id, tally)?;
    update_issue(tx, id, tally, new_users)?;
    add_hours(tx, id, tally)?;
    tags.add(issue, tally)?;
    add_stored(tx, id, tally)
}

fn add_users(tx: &Transaction<'_>, issue: i64, tally: &IssueTally<'_>) -> Result<usize> {
    let mut statement = tx.prepare_cached(
        "insert into issue_users (issue_id, identity)
         values (?1, ?2)
         on conflict do nothing",
    )?;
    let mut added = 0;
    for identity in &tally.users {
        added += statement.execute((issue, identity))?;
    }
    Ok(added)
}

fn update_issue(
    tx: &Transaction<'_>,
    issue: i64,
    tally: &IssueTally<'_>,
    new_users: usize,
) -> Result<()> {
    tx.prepare_cached(
        "update issues
         set events_count = events_count + ?2,
             users_affected = users_affected + ?3,
             first_seen = min(first_seen, ?4),
             last_seen = max(last_seen, ?5),
             level = case when ?5 >= last_seen then ?6 else level end,
             last_release = case when ?5 >= last_seen then ?7 else last_release end
         where id = ?1",
    )?
    .execute((
        issue,
        tally.events,
        new_users,
        tally.first_seen.as_microsecond(),
        tally.last_seen.as_microsecond(),
        tally.last_level.as_str(),
        tally.last_release,
    ))?;
    Ok(())
}

fn add_hours(tx: &Transaction<'_>, issue: i64, tally: &IssueTally<'_>) -> Result<()> {
    let mut statement = tx.prepare_cached(
        "insert into issue_hours (issue_id, hour, environment, release, events)
         values (?1, ?2, ?3, ?4, ?5)
         on conflict (issue_id, hour, environment, release)
         do update set events = events + excluded.events",
    )?;
    for ((hour, environment, release), events) in &tally.hours {
        statement.execute((issue, hour, environment, release, events))?;
    }
    Ok(())
}

fn add_stored(tx: &Transaction<'_>, issue: i64, tally: &IssueTally<'_>) -> Result<()> {
    let mut statement = tx.prepare_cached(
        "insert into issue_partitions (issue_id, partition_id, stored)
         values (?1, ?2, ?3)
         on conflict (issue_id, partition_id)
         do update set stored = stored + excluded.stored",
    )?;
    for (partition, stored) in &tally.partitions {
        statement.execute((issue, partition, stored))?;
    }
    Ok(())
}
