//! Stored events across the partitions of an issue or a project.

use std::sync::Arc;

use async_trait::async_trait;
use copal_model::{EventSummary, IssueId};
use copal_protocol::EventId;
use futures_util::future::{self, BoxFuture};

use super::event_rows::{COLUMNS, PayloadReader, event_of, find_in, select, to_i64};
use super::partitions::{Partition, read_partition};
use super::{Columns, PostgresStore, Tx, count, list};
use crate::events::row::{Days, EventRow, Order, parse_cursor};
use crate::events::{EventInIssue, EventPick, Events, StoredEvent};
use crate::{Page, PageRequest, ProjectScope, Result};

#[async_trait]
impl Events for PostgresStore {
    async fn list_events(
        &self,
        scope: &ProjectScope,
        issue: IssueId,
        page: &PageRequest,
    ) -> Result<Page<EventSummary>> {
        let (scope, page) = (*scope, page.clone());
        self.with_payloads(move |tx, mut reader| {
            let page = page.clone();
            Box::pin(async move {
                let before = page.cursor.as_deref().map(parse_cursor).transpose()?;
                if issue.project() != scope.project() {
                    return Ok(Page::default());
                }
                let days = days_of(tx, issue).await?;
                let rows = rows_before(tx, issue, &days, before, page.limit + 1).await?;
                let Page { rows, next } = Page::of(rows, page.limit, EventRow::cursor);
                let (rows, contents) = reader.read_all(rows).await?;
                let rows = std::iter::zip(&rows, contents)
                    .map(|(row, content)| row.summary(content))
                    .collect();
                Ok(Page { rows, next })
            })
        })
        .await
    }

    async fn find_event(
        &self,
        scope: &ProjectScope,
        event: EventId,
    ) -> Result<Option<StoredEvent>> {
        let scope = *scope;
        self.with_payloads(move |tx, mut reader| {
            Box::pin(async move {
                match find_row(tx, &scope, event).await? {
                    Some(row) => reader.stored(&row).await.map(Some),
                    None => Ok(None),
                }
            })
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
        self.with_payloads(move |tx, reader| {
            Box::pin(find_in_issue(tx, reader, scope, issue, pick))
        })
        .await
    }
}

impl PostgresStore {
    /// Reads rows and frames in one snapshot, with every dictionary that the snapshot may need.
    pub(super) async fn with_payloads<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'a> Fn(&'a Tx<'a>, PayloadReader<'a>) -> BoxFuture<'a, Result<T>>
            + Send
            + Sync
            + 'static,
    {
        let (segments, codec) = (self.segments.clone(), Arc::clone(&self.codec));
        let work = Arc::new(work);
        self.engine
            .read(move |tx| {
                let (segments, codec) = (segments.clone(), Arc::clone(&codec));
                let work = Arc::clone(&work);
                Box::pin(async move { work(tx, PayloadReader::new(tx, segments, codec)).await })
            })
            .await
    }
}

async fn find_in_issue(
    tx: &Tx<'_>,
    mut reader: PayloadReader<'_>,
    scope: ProjectScope,
    issue: IssueId,
    pick: EventPick,
) -> Result<Option<EventInIssue>> {
    if issue.project() != scope.project() {
        return Ok(None);
    }
    let days = days_of(tx, issue).await?;
    let row = match pick {
        EventPick::Latest => rows_before(tx, issue, &days, None, 1).await?.pop(),
        EventPick::Oldest => rows_after(tx, issue, &days, None, 1).await?.pop(),
        EventPick::Id(event) => {
            let row = find_row(tx, &scope, event).await?;
            row.filter(|row| row.issue == issue)
        }
    };
    let Some(row) = row else {
        return Ok(None);
    };
    // Together: each is a way to the server and back.
    let (previous, next, place, event) = future::try_join4(
        rows_before(tx, issue, &days, Some(row.order()), 1),
        rows_after(tx, issue, &days, Some(row.order()), 1),
        place_in_day(tx, &days, &row),
        reader.stored(&row),
    )
    .await?;
    Ok(Some(EventInIssue {
        event,
        previous: previous.first().map(|row| row.event_id),
        next: next.first().map(|row| row.event_id),
        number: days.stored_before(&row) + place,
        stored: days.stored(),
    }))
}

async fn find_row(tx: &Tx<'_>, scope: &ProjectScope, event: EventId) -> Result<Option<EventRow>> {
    find_in(tx, "events", scope.project(), event).await
}

/// Rows of an issue that come before a place, last first.
async fn rows_before(
    tx: &Tx<'_>,
    issue: IssueId,
    days: &Days,
    before: Option<Order>,
    limit: usize,
) -> Result<Vec<EventRow>> {
    let bound = before.unwrap_or((i64::MAX, [0xff; 16]));
    let days = days.by_day().rev();
    collect(tx, issue, days, limit, bound, ("<", "desc")).await
}

/// Rows of an issue that come after a place, first first.
async fn rows_after(
    tx: &Tx<'_>,
    issue: IssueId,
    days: &Days,
    after: Option<Order>,
    limit: usize,
) -> Result<Vec<EventRow>> {
    let bound = after.unwrap_or((i64::MIN, [0; 16]));
    let days = days.by_day();
    collect(tx, issue, days, limit, bound, (">", "asc")).await
}

/// Takes rows day by day.
async fn collect<'a>(
    tx: &Tx<'_>,
    issue: IssueId,
    days: impl Iterator<Item = &'a [(Partition, u64)]> + Send,
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
             where e.issue_id = $1
               and (e.received_at, e.event_id) {comparison} ($2, $3)
             order by e.received_at {direction}, e.event_id {direction}
             limit $4",
            tables.join(" union all ")
        );
        let wanted = to_i64(limit - rows.len());
        let values = (issue.to_i64(), bound.0, event_of(&bound));
        let found = select(tx, &sql, &[&values.0, &values.1, &values.2, &wanted]).await?;
        rows.extend(found);
        if rows.len() >= limit {
            break;
        }
    }
    Ok(rows)
}

/// The partitions that hold events of an issue with their number, oldest first.
async fn days_of(tx: &Tx<'_>, issue: IssueId) -> Result<Days> {
    let rows = list(
        tx,
        "select p.id, p.day, i.stored
         from issue_partitions i
         join partitions p on p.id = i.partition_id
         where i.issue_id = $1
           and i.stored > 0
         order by p.day, p.id",
        &[&issue.to_i64()],
    )
    .await?;
    let days = rows.iter().map(|row| {
        let columns = Columns::new("issue_partitions", row);
        Ok((read_partition(row)?, columns.count("stored")?))
    });
    days.collect::<Result<_>>().map(Days)
}

/// The place of an event among the stored ones of its day, from 1, oldest first.
async fn place_in_day(tx: &Tx<'_>, days: &Days, row: &EventRow) -> Result<u64> {
    let order = row.order();
    let mut number = 0;
    for partition in days.of_day(row) {
        let sql = format!(
            "select count(*)
             from {}
             where issue_id = $1
               and (received_at, event_id) <= ($2, $3)",
            partition.table()
        );
        let values = (row.issue.to_i64(), order.0, event_of(&order));
        number += count(tx, &sql, &[&values.0, &values.1, &values.2]).await?;
    }
    Ok(number)
}
