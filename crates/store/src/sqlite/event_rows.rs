//! Rows of stored events, and the events that they stand for.

use copal_protocol::EventId;
use rusqlite::{Connection, Row, ToSql};

use super::Columns;
use super::append::segment_name;
use super::partitions::{self, Partition};
use super::record::issue_id;
use crate::events::StoredEvent;
use crate::events::row::EventRow;
use crate::payload::{BaseKey, Content, FrameReader, Place};
use crate::upkeep::reading::Reading;
use crate::{Error, Result};

/// Reads the frames of rows in the snapshot that the rows are of.
pub(super) struct PayloadReader<'a> {
    connection: &'a Connection,
    frames: FrameReader,
}

impl<'a> PayloadReader<'a> {
    /// A reader with nothing opened.
    pub(super) const fn new(connection: &'a Connection, frames: FrameReader) -> Self {
        Self { connection, frames }
    }

    /// Reads the frame of a row.
    pub(super) fn read(&mut self, row: &EventRow) -> Result<Content> {
        row.read_with(&mut self.frames, |base| place_of(self.connection, base))
    }

    /// Reads the frames of rows and answers what went wrong.
    pub(super) fn read_through(&mut self, rows: Vec<EventRow>) -> Result<Vec<Error>> {
        let mut reading = Reading::new(rows);
        while let Some(base) = reading.go_on(&mut self.frames) {
            let place = place_of(self.connection, base)?;
            reading.supply(&mut self.frames, base, place);
        }
        Ok(reading.broken())
    }

    /// The event of a row with its payload.
    pub(super) fn stored(&mut self, row: &EventRow) -> Result<StoredEvent> {
        self.read(row).map(|content| row.stored(content))
    }
}

fn place_of(connection: &Connection, base: BaseKey) -> Result<Option<Place>> {
    let key = (base.project.get(), base.event.as_bytes());
    let row = find_in(connection, &partitions::table(base.partition), key)?;
    Ok(row.map(|row| row.place))
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
