//! Rows of stored events, and the events that they stand for.

use std::sync::{Arc, Mutex, PoisonError};

use copal_model::ProjectId;
use copal_protocol::EventId;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Row, Statement};

use super::append::{on_disk, segment_name};
use super::partitions::{self, Partition};
use super::record::issue_id;
use super::{Columns, Tx, count, list, training};
use crate::events::StoredEvent;
use crate::events::row::{EventRow, Order, read_on};
use crate::payload::{BaseKey, Codec, Content, FrameReader, Place, Segments};
use crate::upkeep::reading::Reading;
use crate::{Error, Result};

/// Reads the frames of rows in the snapshot that the rows are of.
pub(super) struct PayloadReader<'a> {
    tx: &'a Tx<'a>,
    codec: Arc<Codec>,
    /// Whether the codec has every dictionary that the snapshot may need.
    is_learned: bool,
    frames: Arc<Mutex<FrameReader>>,
}

impl<'a> PayloadReader<'a> {
    /// A reader with nothing opened.
    pub(super) fn new(tx: &'a Tx<'a>, segments: Segments, codec: Arc<Codec>) -> Self {
        let frames = FrameReader::new(segments, Arc::clone(&codec));
        Self {
            tx,
            codec,
            is_learned: false,
            frames: Arc::new(Mutex::new(frames)),
        }
    }

    /// Makes the codec know what other processes have trained.
    async fn learn(&mut self) -> Result<()> {
        if !self.is_learned {
            let newest = "select coalesce(max(id), 0) from dictionaries";
            let newest = count(self.tx, newest, &[]).await?;
            if !u32::try_from(newest).is_ok_and(|newest| self.codec.knows(newest)) {
                training::load_dictionaries(self.tx, &self.codec).await?;
            }
            self.is_learned = true;
        }
        Ok(())
    }

    /// Reads the frame of a row.
    pub(super) async fn read(&mut self, row: &EventRow) -> Result<Content> {
        let mut contents = self.read_all(vec![row.clone()]).await?.1;
        contents
            .pop()
            .ok_or_else(|| Error::Broken("an event was not read".into()))
    }

    /// Reads the frames of rows and answers what went wrong.
    pub(super) async fn read_through(&mut self, rows: Vec<EventRow>) -> Result<Vec<Error>> {
        self.learn().await?;
        let mut reading = Reading::new(rows);
        let mut supply = None;
        loop {
            let frames = Arc::clone(&self.frames);
            let base;
            (reading, base) = on_disk(move || {
                let mut frames = frames.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some((key, place)) = supply {
                    reading.supply(&mut frames, key, place);
                }
                let base = reading.go_on(&mut frames);
                Ok((reading, base))
            })
            .await?;
            let Some(key) = base else {
                return Ok(reading.broken());
            };
            supply = Some((key, self.place_of(key).await?));
        }
    }

    async fn place_of(&self, base: BaseKey) -> Result<Option<Place>> {
        let table = partitions::table(base.partition);
        let row = find_in(self.tx, &table, base.project, base.event).await?;
        Ok(row.map(|row| row.place))
    }

    /// Reads the frames of rows, and gives these back.
    pub(super) async fn read_all(
        &mut self,
        rows: Vec<EventRow>,
    ) -> Result<(Vec<EventRow>, Vec<Content>)> {
        self.learn().await?;
        let (mut rows, mut contents) = (rows, Vec::new());
        let mut supply = None;
        loop {
            let frames = Arc::clone(&self.frames);
            let needed;
            (rows, contents, needed) = on_disk(move || {
                let mut frames = frames.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some((key, place)) = supply {
                    rows[contents.len()].supply(&mut frames, key, place)?;
                }
                let needed = read_on(&rows, &mut frames, &mut contents)?;
                Ok((rows, contents, needed))
            })
            .await?;
            let Some(key) = needed else {
                return Ok((rows, contents));
            };
            supply = Some((key, self.place_of(key).await?));
        }
    }

    /// The event of a row with its payload.
    pub(super) async fn stored(&mut self, row: &EventRow) -> Result<StoredEvent> {
        let content = self.read(row).await?;
        Ok(row.stored(content))
    }
}

/// The columns of an event row; `e` is the partition's table.
pub(super) const COLUMNS: &str = "e.event_id, e.issue_id, e.occurred_at, e.received_at, e.start,
             e.length, e.ordinal, s.id, s.partition_id, s.journal";

fn read_row(row: &Row) -> Result<EventRow> {
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

/// All rows of a partition, to be read `limit` by `limit`, in the order of recording as a rule.
pub(super) async fn open(tx: &Tx<'_>, partition: Partition, limit: usize) -> Result<Statement> {
    let table = partition.table();
    tx.batch_execute(&format!(
        "declare {table}_rows no scroll cursor for
         select {COLUMNS}
         from {table} e
         join segments s on s.id = e.segment_id"
    ))
    .await?;
    Ok(tx
        .prepare(&format!("fetch {limit} from {table}_rows"))
        .await?)
}

/// The next rows; none at the end.
pub(super) async fn page(tx: &Tx<'_>, rows: &Statement) -> Result<Vec<EventRow>> {
    tx.query(rows, &[]).await?.iter().map(read_row).collect()
}

/// The latest event of each of the issues seen last in a partition.
pub(super) async fn latest_of_issues(
    tx: &Tx<'_>,
    partition: Partition,
    limit: usize,
) -> Result<Vec<EventRow>> {
    let sql = format!(
        "select {COLUMNS}
         from issue_partitions i
         cross join lateral (select *
                             from {table} l
                             where l.issue_id = i.issue_id
                             order by l.received_at desc, l.event_id desc
                             limit 1) e
         join segments s on s.id = e.segment_id
         where i.partition_id = $1
         order by e.received_at desc, e.event_id desc
         limit $2",
        table = partition.table()
    );
    select(tx, &sql, &[&partition.id, &to_i64(limit)]).await
}

/// A row of a partition's table, by project and event; `events` has those of all partitions, of
/// which it is the latest.
pub(super) async fn find_in(
    tx: &Tx<'_>,
    table: &str,
    project: ProjectId,
    event: EventId,
) -> Result<Option<EventRow>> {
    let sql = format!(
        "select {COLUMNS}
         from {table} e
         join segments s on s.id = e.segment_id
         where e.project_id = $1
           and e.event_id = $2
         order by e.received_at desc
         limit 1"
    );
    let project = i64::from(project.get());
    Ok(select(tx, &sql, &[&project, &event.as_uuid()]).await?.pop())
}

/// Rows that a query over [`COLUMNS`] finds.
pub(super) async fn select(
    tx: &Tx<'_>,
    sql: &str,
    values: &[&(dyn ToSql + Sync)],
) -> Result<Vec<EventRow>> {
    list(tx, sql, values).await?.iter().map(read_row).collect()
}

/// The event of a place in an order, as PostgreSQL compares it.
pub(super) fn event_of(order: &Order) -> uuid::Uuid {
    uuid::Uuid::from_bytes(order.1)
}

/// A limit as PostgreSQL takes it.
pub(super) fn to_i64(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
