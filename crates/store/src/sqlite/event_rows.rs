//! Rows of stored events, and the events that they stand for.

use copal_model::{EventSummary, IssueId, ProjectId, Timestamp};
use copal_protocol::EventId;
use rusqlite::{Connection, Row, ToSql};

use super::Columns;
use super::append::segment_name;
use super::partitions::{self, Partition};
use super::record::issue_id;
use crate::events::StoredEvent;
use crate::payload::{Content, FrameReader, Place};
use crate::{Error, Result};

/// The order of the events of an issue.
pub(super) type Order = (i64, [u8; 16]);

/// A row of a partition, with the name of its segment.
pub(super) struct EventRow {
    pub(super) event_id: EventId,
    pub(super) issue: IssueId,
    occurred_at: Timestamp,
    received_at: Timestamp,
    pub(super) place: Place,
}

impl EventRow {
    /// Reads its frame.
    pub(super) fn read(&self, reader: &mut FrameReader<'_>) -> Result<Content> {
        reader
            .read(self.place, self.issue.project(), self.event_id)
            .map_err(|error| match error {
                Error::Broken(why) => {
                    Error::Broken(format!("event {}: {why}", self.event_id).into())
                }
                other => other,
            })
    }

    /// The event with its payload.
    pub(super) fn stored(&self, reader: &mut FrameReader<'_>) -> Result<StoredEvent> {
        let content = self.read(reader)?;
        Ok(StoredEvent {
            payload: content.payload.clone(),
            grouping: content.grouping.clone(),
            summary: self.summary(content),
        })
    }

    /// What lists show of it.
    pub(super) fn summary(&self, content: Content) -> EventSummary {
        EventSummary {
            event_id: self.event_id,
            issue_id: self.issue,
            title: content.headline.title,
            occurred_at: self.occurred_at,
            received_at: self.received_at,
            release: content.headline.release,
            environment: content.headline.environment,
        }
    }

    /// Its place in the order of its issue.
    pub(super) fn order(&self) -> Order {
        (self.received_at.as_microsecond(), *self.event_id.as_bytes())
    }

    /// Its place as a page token.
    pub(super) fn cursor(&self) -> String {
        format!("{}.{}", self.received_at.as_microsecond(), self.event_id)
    }
}

/// The columns of an event row; `e` is the partition's table.
pub(super) const COLUMNS: &str = "e.event_id, e.issue_id, e.occurred_at, e.received_at, e.start,
             e.length, e.ordinal, s.id, s.partition_id, s.journal";

fn read_row(row: &Row<'_>) -> Result<EventRow> {
    let columns = Columns::new("events", row);
    Ok(EventRow {
        event_id: EventId::new(columns.uuid("event_id")?),
        issue: issue_id(columns.get("issue_id")?)?,
        occurred_at: columns.time("occurred_at")?,
        received_at: columns.time("received_at")?,
        place: Place {
            segment: segment_name(&columns)?,
            start: columns.count("start")?,
            length: columns.read("length", |length: i64| usize::try_from(length))?,
            ordinal: columns.read("ordinal", |ordinal: i64| usize::try_from(ordinal))?,
        },
    })
}

/// Tells where events are stored that others are compressed against.
pub(super) fn finder(
    connection: &Connection,
) -> impl Fn(i64, ProjectId, EventId) -> Result<Option<Place>> {
    |partition, project, event| {
        let key = (project.get(), event.as_bytes());
        let row = find_in(connection, &partitions::table(partition), key)?;
        Ok(row.map(|row| row.place))
    }
}

/// Rows of a partition that come after a row in the order of recording, with the last one's id.
pub(super) fn page(
    connection: &Connection,
    partition: Partition,
    after: i64,
    limit: usize,
) -> Result<Option<(i64, Vec<EventRow>)>> {
    let mut statement = connection.prepare_cached(&format!(
        "select e.id as row_id, {COLUMNS}
         from {} e
         join segments s on s.id = e.segment_id
         where e.id > ?1
         order by e.id
         limit ?2",
        partition.table()
    ))?;
    let rows = statement.query_and_then((after, to_i64(limit)), |row| {
        Ok::<_, Error>((row.get::<_, i64>(0)?, read_row(row)?))
    })?;
    let (ids, rows): (Vec<_>, Vec<_>) = rows.collect::<Result<Vec<_>>>()?.into_iter().unzip();
    Ok(ids.last().map(|last| (*last, rows)))
}

/// The latest event of each of the issues seen last in a partition.
pub(super) fn latest_of_issues(
    connection: &Connection,
    partition: Partition,
    limit: usize,
) -> Result<Vec<EventRow>> {
    select(
        connection,
        &format!(
            "select {COLUMNS}
             from (select max(id) as id
                   from {table}
                   group by issue_id
                   order by max(id) desc
                   limit ?1) l
             join {table} e on e.id = l.id
             join segments s on s.id = e.segment_id",
            table = partition.table()
        ),
        &[&to_i64(limit)],
    )
}

/// A row of a partition's table, by project and event.
pub(super) fn find_in(
    connection: &Connection,
    table: &str,
    (project, event): (u32, &[u8; 16]),
) -> Result<Option<EventRow>> {
    let sql = format!(
        "select {COLUMNS}
         from {table} e
         join segments s on s.id = e.segment_id
         where e.project_id = ?1
           and e.event_id = ?2"
    );
    Ok(select(connection, &sql, &[&project, event])?.pop())
}

/// Rows that a query over [`COLUMNS`] finds.
pub(super) fn select(
    connection: &Connection,
    sql: &str,
    values: &[&dyn ToSql],
) -> Result<Vec<EventRow>> {
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_and_then(values, read_row)?.collect()
}

/// A limit as SQLite takes it.
pub(super) fn to_i64(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
