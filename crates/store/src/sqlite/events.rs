//! Stored events across the partitions of an issue or a project.

use std::sync::Arc;

use async_trait::async_trait;
use copal_model::{EventSummary, IssueId};
use copal_protocol::EventId;
use rusqlite::Connection;

use super::event_rows::{COLUMNS, PayloadReader, find_in, select, to_i64};
use super::partitions::{self, Partition};
use super::{Columns, SqliteStore, training};
use crate::events::row::{Days, EventRow, Order, parse_cursor};
use crate::events::{EventInIssue, EventPick, Events, StoredEvent};
use crate::payload::FrameReader;
use crate::{Error, Page, PageRequest, ProjectScope, Result};

#[async_trait]
impl Events for SqliteStore {
    async fn list_events(
        &self,
        scope: &ProjectScope,
        issue: IssueId,
        page: &PageRequest,
    ) -> Result<Page<EventSummary>> {
        let (scope, page) = (*scope, page.clone());
        self.with_payloads(move |connection, reader| {
            let before = page.cursor.as_deref().map(parse_cursor).transpose()?;
            if issue.project() != scope.project() {
                return Ok(Page::default());
            }
            let days = days_of(connection, issue)?;
            let rows = rows_before(connection, issue, &days, before, page.limit + 1)?;
            let Page { rows, next } = Page::of(rows, page.limit, EventRow::cursor);
            let rows = rows
                .iter()
                .map(|row| reader.read(row).map(|content| row.summary(content)))
                .collect::<Result<_>>()?;
            Ok(Page { rows, next })
        })
        .await
    }

    async fn find_event(
        &self,
        scope: &ProjectScope,
        event: EventId,
    ) -> Result<Option<StoredEvent>> {
        let scope = *scope;
        self.with_payloads(move |connection, reader| {
            find_row(connection, &scope, event)?
                .map(|row| reader.stored(&row))
                .transpose()
        })
        .await
    }

    async fn find_event_in_issue(
        &self,
        scope: &ProjectScope,
        issue: IssueId,
        pick: EventPick,
    ) -> Result<Option<EventInIssue>> {
        let scope = *scope;
        self.with_payloads(move |connection, reader| {
            if issue.project() != scope.project() {
                return Ok(None);
            }
            let days = days_of(connection, issue)?;
            let row = match pick {
                EventPick::Latest => rows_before(connection, issue, &days, None, 1)?.pop(),
                EventPick::Oldest => rows_after(connection, issue, &days, None, 1)?.pop(),
                EventPick::Id(event) => {
                    find_row(connection, &scope, event)?.filter(|row| row.issue == issue)
                }
            };
            let Some(row) = row else {
                return Ok(None);
            };
            let previous = rows_before(connection, issue, &days, Some(row.order()), 1)?.pop();
            let next = rows_after(connection, issue, &days, Some(row.order()), 1)?.pop();
            Ok(Some(EventInIssue {
                event: reader.stored(&row)?,
                previous: previous.map(|row| row.event_id),
                next: next.map(|row| row.event_id),
                number: days.stored_before(&row) + place_in_day(connection, &days, &row)?,
                stored: days.stored(),
            }))
        })
        .await
    }
}

impl SqliteStore {
    /// Reads rows and frames in one snapshot, with every dictionary that the snapshot may need.
    pub(super) async fn with_payloads<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection, &mut PayloadReader<'_>) -> Result<T> + Send + 'static,
    {
        let (segments, codec) = (self.segments.clone(), Arc::clone(&self.codec));
        self.engine
            .read(move |connection| {
                let newest: u32 = connection
                    .prepare_cached("select coalesce(max(id), 0) from dictionaries")?
                    .query_one((), |row| row.get(0))?;
                if !codec.knows(newest) {
                    training::load_dictionaries(connection, &codec)?;
                }
                let frames = FrameReader::new(segments, codec);
                work(connection, &mut PayloadReader::new(connection, frames))
            })
            .await
    }
}

fn find_row(
    connection: &Connection,
    scope: &ProjectScope,
    event: EventId,
) -> Result<Option<EventRow>> {
    let key = (scope.project().get(), event.as_bytes());
    for partition in partitions::between(connection, i64::MIN, i64::MAX)? {
        if let Some(row) = find_in(connection, &partition.table(), key)? {
            return Ok(Some(row));
        }
    }
    Ok(None)
}

/// Rows of an issue that come before a place, last first.
fn rows_before(
    connection: &Connection,
    issue: IssueId,
    days: &Days,
    before: Option<Order>,
    limit: usize,
) -> Result<Vec<EventRow>> {
    let bound = before.unwrap_or((i64::MAX, [0xff; 16]));
    let days = days.by_day().rev();
    collect(connection, issue, days, limit, bound, ("<", "desc"))
}

/// Rows of an issue that come after a place, first first.
fn rows_after(
    connection: &Connection,
    issue: IssueId,
    days: &Days,
    after: Option<Order>,
    limit: usize,
) -> Result<Vec<EventRow>> {
    let bound = after.unwrap_or((i64::MIN, [0; 16]));
    let days = days.by_day();
    collect(connection, issue, days, limit, bound, (">", "asc"))
}

/// Takes rows day by day.
fn collect<'a>(
    connection: &Connection,
    issue: IssueId,
    days: impl Iterator<Item = &'a [(Partition, u64)]>,
    limit: usize,
    bound: Order,
    (comparison, direction): (&str, &str),
) -> Result<Vec<EventRow>> {
    let mut rows = Vec::new();
    for day in days {
        let tables: Vec<String> = day
            .iter()
            .map(|(partition, _)| format!("select * from {}", partition.table()))
            .collect();
        let sql = format!(
            "select {COLUMNS}
             from ({}) e
             join segments s on s.id = e.segment_id
             where e.issue_id = ?1
               and (e.received_at, e.event_id) {comparison} (?2, ?3)
             order by e.received_at {direction}, e.event_id {direction}
             limit ?4",
            tables.join(" union all ")
        );
        let wanted = to_i64(limit - rows.len());
        rows.extend(select(
            connection,
            &sql,
            &[&issue.to_i64(), &bound.0, &bound.1, &wanted],
        )?);
        if rows.len() >= limit {
            break;
        }
    }
    Ok(rows)
}

/// The partitions that hold events of an issue with their number, oldest first.
fn days_of(connection: &Connection, issue: IssueId) -> Result<Days> {
    let mut statement = connection.prepare_cached(
        "select p.id, p.day, i.stored
         from issue_partitions i
         join partitions p on p.id = i.partition_id
         where i.issue_id = ?1
           and i.stored > 0
         order by p.day, p.id",
    )?;
    let rows = statement.query_and_then((issue.to_i64(),), |row| {
        let columns = Columns::new("issue_partitions", row);
        let partition = Partition {
            id: columns.get("id")?,
            day: columns.get("day")?,
        };
        Ok::<_, Error>((partition, columns.count("stored")?))
    })?;
    rows.collect::<Result<_>>().map(Days)
}

/// The place of an event among the stored ones of its day, from 1, oldest first.
fn place_in_day(connection: &Connection, days: &Days, row: &EventRow) -> Result<u64> {
    let (received_at, event) = row.order();
    let mut number = 0;
    for partition in days.of_day(row) {
        // Two counts, so that the first reads the index alone.
        number += connection
            .prepare_cached(&format!(
                "select (select count(*)
                         from {table}
                         where issue_id = ?1
                           and received_at < ?2)
                     + (select count(*)
                        from {table}
                        where issue_id = ?1
                          and received_at = ?2
                          and event_id <= ?3)",
                table = partition.table()
            ))?
            .query_one((row.issue.to_i64(), received_at, event), |row| {
                row.get::<_, i64>(0)
            })?
            .unsigned_abs();
    }
    Ok(number)
}
