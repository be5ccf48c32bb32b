//! Deletes what was recorded of an issue or a project, in the caller's transaction.

use copal_model::{IssueId, ProjectId};
use rusqlite::Connection;

use super::partitions;
use crate::telemetry::{ISSUE_TABLES, PROJECT_TABLES};
use crate::{Error, Result};

/// Deletes an issue with its events. Their frames are dead from now on.
/// The project keeps count of them.
///
/// # Errors
/// [`NotFound`](Error::NotFound) when there is no such issue.
pub(super) fn delete_issue(tx: &Connection, issue: IssueId) -> Result<()> {
    let deleted = delete_range(tx, issue.to_i64(), issue.to_i64())?;
    if deleted == 0 {
        return Err(Error::NotFound { what: "issue" });
    }
    Ok(())
}

/// Deletes all that was recorded of a project.
pub(super) fn delete_project(tx: &Connection, project: ProjectId) -> Result<()> {
    let (first, last) = (IssueId::new(project, 0), IssueId::new(project, u32::MAX));
    delete_range(tx, first.to_i64(), last.to_i64())?;
    for table in PROJECT_TABLES {
        tx.execute(
            &format!("delete from {table} where project_id = ?1"),
            (project.get(),),
        )?;
    }
    Ok(())
}

/// Deletes issues and what they own; their ids are a range. Answers how many issues.
fn delete_range(tx: &Connection, first: i64, last: i64) -> Result<usize> {
    for partition in partitions::of_issues(tx, first, last)? {
        let table = partitions::table(partition);
        tx.execute(
            &format!(
                "update segments
                 set dead_bytes = dead_bytes + d.bytes
                 from (select segment_id, sum(length) as bytes
                       from (select distinct segment_id, start, length
                             from {table}
                             where issue_id between ?1 and ?2)
                       group by segment_id) d
                 where segments.id = d.segment_id"
            ),
            (first, last),
        )?;
        tx.execute(
            &format!("delete from {table} where issue_id between ?1 and ?2"),
            (first, last),
        )?;
    }
    for table in ISSUE_TABLES {
        tx.execute(
            &format!("delete from {table} where issue_id between ?1 and ?2"),
            (first, last),
        )?;
    }
    note_deleted(tx, first, last)?;
    tx.execute("update dictionaries set knows_deleted = 1", ())?;
    Ok(tx.execute(
        "delete from issues where id between ?1 and ?2",
        (first, last),
    )?)
}

/// Keeps I-02 an equation: events of deleted issues stay accounted for.
fn note_deleted(tx: &Connection, first: i64, last: i64) -> Result<()> {
    tx.execute(
        "update projects
         set deleted_events = deleted_events + d.events
         from (select project_id, sum(events_count) as events
               from issues
               where id between ?1 and ?2
               group by project_id) d
         where projects.id = d.project_id",
        (first, last),
    )?;
    Ok(())
}
