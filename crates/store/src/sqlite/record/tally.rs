//! Adds a batch's tally to the counters of issues and projects.

use std::collections::BTreeMap;

use copal_model::limits::{
    ENVIRONMENTS_PER_PROJECT_MAX, TAG_KEYS_PER_ISSUE_MAX, TAG_VALUES_PER_KEY_MAX,
};
use copal_model::{IssueId, ProjectId};
use rusqlite::Transaction;

use crate::Result;
use crate::record::plan::{BatchTally, IssueTally, ProjectTally};

/// Adds everything that was counted.
pub(super) fn apply(tx: &Transaction<'_>, tally: &BatchTally<'_>) -> Result<()> {
    for (issue, tally) in &tally.issues {
        apply_to_issue(tx, *issue, tally)?;
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
    let mut insert = tx.prepare_cached(
        "insert into project_environments (project_id, environment)
         select ?1, ?2
         where ?3 > (select count(*)
                     from project_environments
                     where project_id = ?1)",
    )?;
    for environment in &tally.environments {
        if !find.exists((project.get(), environment))? {
            insert.execute((project.get(), environment, ENVIRONMENTS_PER_PROJECT_MAX))?;
        }
    }
    Ok(())
}

fn apply_to_issue(tx: &Transaction<'_>, issue: IssueId, tally: &IssueTally<'_>) -> Result<()> {
    let id = issue.to_i64();
    let new_users = add_users(tx, id, tally)?;
    update_issue(tx, id, tally, new_users)?;
    add_hours(tx, id, tally)?;
    for (key, values) in &tally.tags {
        add_tag(tx, id, key, values)?;
    }
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

fn add_tag(
    tx: &Transaction<'_>,
    issue: i64,
    key: &str,
    values: &BTreeMap<&str, i64>,
) -> Result<()> {
    let Some(mut listed) = add_tag_key(tx, issue, key, values.values().sum())? else {
        return Ok(());
    };
    let mut update = tx.prepare_cached(
        "update issue_tags
         set events = events + ?4
         where issue_id = ?1
           and key = ?2
           and value = ?3",
    )?;
    let mut insert = tx.prepare_cached(
        "insert into issue_tags (issue_id, key, value, events)
         values (?1, ?2, ?3, ?4)",
    )?;
    let (mut added, mut other) = (0, 0);
    for (value, events) in values {
        if update.execute((issue, key, value, events))? > 0 {
            continue;
        }
        if listed < TAG_VALUES_PER_KEY_MAX {
            insert.execute((issue, key, value, events))?;
            listed += 1;
            added += 1;
        } else {
            other += events;
        }
    }
    if added > 0 || other > 0 {
        tx.prepare_cached(
            "update issue_tag_keys
             set listed = listed + ?3,
                 other = other + ?4
             where issue_id = ?1
               and key = ?2",
        )?
        .execute((issue, key, added, other))?;
    }
    Ok(())
}

/// Counts events that have the key. Answers how many values are listed; `None` when the issue has
/// too many keys.
fn add_tag_key(tx: &Transaction<'_>, issue: i64, key: &str, events: i64) -> Result<Option<usize>> {
    let mut update = tx.prepare_cached(
        "update issue_tag_keys
         set events = events + ?3
         where issue_id = ?1
           and key = ?2
         returning listed",
    )?;
    let mut rows = update.query((issue, key, events))?;
    if let Some(row) = rows.next()? {
        let listed = row.get(0)?;
        // To the end: a statement with `returning` has done its work only then.
        while rows.next()?.is_some() {}
        return Ok(Some(listed));
    }
    let keys: usize = tx
        .prepare_cached(
            "select count(*)
             from issue_tag_keys
             where issue_id = ?1",
        )?
        .query_one((issue,), |row| row.get(0))?;
    if keys >= TAG_KEYS_PER_ISSUE_MAX {
        return Ok(None);
    }
    tx.prepare_cached(
        "insert into issue_tag_keys (issue_id, key, events, other, listed)
         values (?1, ?2, ?3, 0, 0)",
    )?
    .execute((issue, key, events))?;
    Ok(Some(0))
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
