//! Tables of stored events, one per day received and retention class.

use rusqlite::{Connection, OptionalExtension};

use crate::Result;
pub(super) use crate::partition::{Partition, table};
use crate::record::assign::Class;

/// All partitions whose day lies in `first..=last`, newest first.
pub(super) fn between(connection: &Connection, first: i64, last: i64) -> Result<Vec<Partition>> {
    let mut statement = connection.prepare_cached(
        "select id, day
         from partitions
         where day between ?1 and ?2
         order by day desc, id desc",
    )?;
    let rows = statement.query_map((first, last), |row| {
        Ok(Partition {
            id: row.get(0)?,
            day: row.get(1)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The partition of a day and retention class, made where it does not exist.
pub(super) fn ensure(connection: &Connection, (day, retention_days): Class) -> Result<i64> {
    let found: Option<i64> = connection
        .prepare_cached(
            "select id
             from partitions
             where day = ?1
               and retention_days = ?2",
        )?
        .query_row((day, retention_days), |row| row.get(0))
        .optional()?;
    if let Some(id) = found {
        return Ok(id);
    }
    let id: i64 = connection.query_one(
        "insert into partitions (day, retention_days)
         values (?1, ?2)
         returning id",
        (day, retention_days),
        |row| row.get(0),
    )?;
    // Client event ids are random. Rows stand in the order of recording, so that only the slim
    // index is written to all over the place.
    connection.execute_batch(&format!(
        "create table {table} (
             id integer not null primary key,
             project_id integer not null,
             event_id blob not null check (length(event_id) = 16),
             issue_id integer not null,
             grouping_id integer not null,
             occurred_at integer not null,
             received_at integer not null,
             segment_id integer not null,
             start integer not null,
             length integer not null,
             ordinal integer not null
         ) strict;
         create unique index {table}_by_event on {table} (project_id, event_id);
         create index {table}_by_issue on {table} (issue_id, received_at);",
        table = table(id),
    ))?;
    Ok(id)
}

/// The partitions that hold events of issues whose ids are in a range.
pub(super) fn of_issues(connection: &Connection, first: i64, last: i64) -> Result<Vec<i64>> {
    let mut statement = connection.prepare_cached(
        "select distinct i.partition_id
         from issue_partitions i
         join partitions p on p.id = i.partition_id
         where i.issue_id between ?1 and ?2",
    )?;
    let rows = statement.query_map((first, last), |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
