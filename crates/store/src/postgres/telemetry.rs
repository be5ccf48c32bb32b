//! Deletes what was recorded of an issue or a project, in the caller's transaction.

use copal_model::{IssueId, ProjectId};

use super::{Tx, execute, list, more_time, partitions};
use crate::telemetry::{ISSUE_TABLES, PROJECT_TABLES};
use crate::{Error, Result};

/// Deletes an issue with its events. Their frames are dead from now on.
/// The project keeps count of them.
///
/// # Errors
/// [`NotFound`](Error::NotFound) when there is no such issue.
pub(super) async fn delete_issue(tx: &Tx<'_>, issue: IssueId) -> Result<()> {
    // Batches of the project come before this or after it.
    execute(
        tx,
        "select 1
         from projects
         where id = $1
         for no key update",
        &[&i64::from(issue.project().get())],
    )
    .await?;
    let deleted = delete_range(tx, issue.to_i64(), issue.to_i64()).await?;
    if deleted == 0 {
        return Err(Error::NotFound { what: "issue" });
    }
    Ok(())
}

/// Deletes all that was recorded of a project, whose row the caller has locked.
pub(super) async fn delete_project(tx: &Tx<'_>, project: ProjectId) -> Result<()> {
    let (first, last) = (IssueId::new(project, 0), IssueId::new(project, u32::MAX));
    delete_range(tx, first.to_i64(), last.to_i64()).await?;
    for table in PROJECT_TABLES {
        execute(
            tx,
            &format!("delete from {table} where project_id = $1"),
            &[&i64::from(project.get())],
        )
        .await?;
    }
    Ok(())
}

/// Deletes issues and what they own; their ids are a range. Answers how many issues.
async fn delete_range(tx: &Tx<'_>, first: i64, last: i64) -> Result<u64> {
    more_time(tx).await?;
    let tables = partitions::of_issues(tx, first, last).await?;
    let tables: Vec<String> = tables.into_iter().map(partitions::table).collect();
    lock_segments(tx, &tables, first, last).await?;
    for table in &tables {
        delete_events(tx, table, first, last).await?;
    }
    for table in ISSUE_TABLES {
        execute(
            tx,
            &format!("delete from {table} where issue_id between $1 and $2"),
            &[&first, &last],
        )
        .await?;
    }
    note_deleted(tx, first, last).await?;
    execute(
        tx,
        "update dictionaries
         set knows_deleted = true
         where not knows_deleted",
        &[],
    )
    .await?;
    execute(
        tx,
        "delete from issues where id between $1 and $2",
        &[&first, &last],
    )
    .await
}

/// Locks the segments that events are in: all of them in their order, as batches do, so that none
/// of those who delete, record and compact waits for the other in turn.
async fn lock_segments(tx: &Tx<'_>, tables: &[String], first: i64, last: i64) -> Result<()> {
    let of_table =
        |table| format!("select segment_id from {table} where issue_id between $1 and $2");
    let segments: Vec<String> = tables.iter().map(of_table).collect();
    if segments.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "select 1
         from segments
         where id in ({})
         order by id
         for no key update",
        segments.join(" union all ")
    );
    list(tx, &sql, &[&first, &last]).await?;
    Ok(())
}

async fn delete_events(tx: &Tx<'_>, table: &str, first: i64, last: i64) -> Result<()> {
    execute(
        tx,
        &format!(
            "update segments
             set dead_bytes = dead_bytes + d.bytes
             from (select segment_id, sum(length)::bigint as bytes
                   from (select distinct segment_id, start, length
                         from {table}
                         where issue_id between $1 and $2) f
                   group by segment_id) d
             where segments.id = d.segment_id"
        ),
        &[&first, &last],
    )
    .await?;
    execute(
        tx,
        &format!("delete from {table} where issue_id between $1 and $2"),
        &[&first, &last],
    )
    .await?;
    Ok(())
}

/// Keeps I-02 an equation: events of deleted issues stay accounted for.
async fn note_deleted(tx: &Tx<'_>, first: i64, last: i64) -> Result<()> {
    execute(
        tx,
        "update projects
         set deleted_events = deleted_events + d.events
         from (select project_id, sum(events_count)::bigint as events
               from issues
               where id between $1 and $2
               group by project_id) d
         where projects.id = d.project_id",
        &[&first, &last],
    )
    .await?;
    Ok(())
}
