//! The invariants on PostgreSQL, each check a function of its own. Reads only.

mod belonging;

use std::collections::HashSet;

use futures_util::TryStreamExt as _;
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::append::on_disk;
use super::event_rows::{self, PayloadReader};
use super::{Tx, migrations, more_time, partitions};
use crate::payload::Segments;
use crate::record::plan::DEDUPE_DAYS;
use crate::telemetry::ISSUE_TABLES;
use crate::upkeep::FsckReport;
use crate::upkeep::invariants::{Check, Column, Findings};
use crate::{Error, Result};
use belonging::{
    keys_are_of_their_projects, organizations_have_owners, personal_organizations_are_alone,
    references_hold,
};

/// Events whose payloads are read in one go.
const PAGE_ROWS: usize = 10_000;

/// Checks everything in one snapshot.
pub(super) async fn check(
    tx: &Tx<'_>,
    mut reader: PayloadReader<'_>,
    segments: Segments,
) -> Result<FsckReport> {
    more_time(tx).await?;
    // Partitions that are there stay until the end.
    tx.batch_execute(
        "set local idle_in_transaction_session_timeout = 0;
         lock table events in access share mode",
    )
    .await?;
    let journals = on_disk(move || segments.journals().map_err(Error::Disk)).await?;
    let mut search = Search {
        tx,
        check: Check::ALL[0],
        findings: Findings::default(),
    };
    for check in Check::ALL {
        search.check = check;
        match check {
            Check::CountedIsStoredAndEvicted => counted_is_stored_and_evicted(&mut search).await,
            Check::StoredCountsAreRows => stored_counts_are_rows(&mut search).await,
            Check::IssuesSumToOutcomes => issues_sum_to_outcomes(&mut search).await,
            Check::HoursSumToEvents => hours_sum_to_events(&mut search).await,
            Check::ProjectHoursSumToAccepted => project_hours_sum_to_accepted(&mut search).await,
            Check::EventIdsAreUnique => event_ids_are_unique(&mut search).await,
            Check::IssuesHaveProjects => issues_have_projects(&mut search).await,
            Check::RowsHaveIssues => rows_have_issues(&mut search).await,
            Check::EventsHaveIssues => events_have_issues(&mut search).await,
            Check::PayloadsExist => payloads_exist(&mut search, &mut reader, &journals).await,
            Check::FirstIsBeforeLast => first_is_before_last(&mut search).await,
            Check::FirstAndLastAreOfEvents => first_and_last_are_of_events(&mut search).await,
            Check::TagValuesSumToTaggedEvents => tag_values_sum_to_tagged_events(&mut search).await,
            Check::SegmentsHoldWhatIsCommitted => {
                segments_hold_what_is_committed(&mut search).await
            }
            Check::SegmentsAreLiveOrDead => segments_are_live_or_dead(&mut search).await,
            Check::WhatWasReceivedHasEnded => what_was_received_has_ended(&mut search).await,
            Check::KeysAreOfTheirProjects => keys_are_of_their_projects(&mut search).await,
            Check::ReferencesHold => references_hold(&mut search).await,
            Check::OrganizationsHaveOwners => organizations_have_owners(&mut search).await,
            Check::PersonalOrganizationsAreAlone => {
                personal_organizations_are_alone(&mut search).await
            }
            Check::SchemaIsAsMigrated => schema_is_as_migrated(&mut search).await,
        }?;
        search.findings.end(check);
    }
    Ok(search.findings.report())
}

/// One check after the other in one snapshot.
struct Search<'a> {
    tx: &'a Tx<'a>,
    check: Check,
    findings: Findings,
}

impl Search<'_> {
    /// Each row that the query finds breaks the invariant.
    async fn tell(&mut self, sql: &str) -> Result<()> {
        let statement = self.tx.prepare(sql).await?;
        let none: [&str; 0] = [];
        let mut rows = std::pin::pin!(self.tx.query_raw(&statement, none).await?);
        while let Some(row) = rows.try_next().await? {
            let columns = (0..row.len()).map(|at| column(&row, at));
            let columns = columns.collect::<Result<Vec<_>>>()?;
            self.findings.tell(self.check, &columns);
        }
        Ok(())
    }
}

fn column(row: &Row, at: usize) -> Result<Column> {
    let column = match *row.columns()[at].type_() {
        Type::INT8 => row.try_get::<_, Option<i64>>(at)?.map(Column::Number),
        Type::INT4 => row
            .try_get::<_, Option<i32>>(at)?
            .map(|number| Column::Number(number.into())),
        Type::UUID => row
            .try_get::<_, Option<Uuid>>(at)?
            .map(|id| Column::Bytes(id.into_bytes().to_vec())),
        Type::BYTEA => row.try_get::<_, Option<_>>(at)?.map(Column::Bytes),
        _ => row.try_get::<_, Option<_>>(at)?.map(Column::Text),
    };
    Ok(column.unwrap_or_else(|| Column::Text("nothing".to_owned())))
}

async fn counted_is_stored_and_evicted(search: &mut Search<'_>) -> Result<()> {
    search
        .tell(
            "select i.id, i.events_count, coalesce(sum(p.stored), 0)::bigint, i.evicted_count
         from issues i
         left join issue_partitions p on p.issue_id = i.id
         group by i.id
         having i.events_count <> coalesce(sum(p.stored), 0) + i.evicted_count",
        )
        .await
}

async fn stored_counts_are_rows(search: &mut Search<'_>) -> Result<()> {
    for partition in partitions::between(search.tx, i64::MIN, i64::MAX).await? {
        search
            .tell(&format!(
                "select issue_id, {id}
             from (select issue_id, count(*) as events from {table} group by issue_id
                   union all
                   select issue_id, -stored from issue_partitions where partition_id = {id}) s
             group by issue_id
             having sum(events) <> 0",
                table = partition.table(),
                id = partition.id
            ))
            .await?;
    }
    Ok(())
}

async fn issues_sum_to_outcomes(search: &mut Search<'_>) -> Result<()> {
    search
        .tell(
            "select id, accepted::bigint, counted::bigint
         from (select p.id,
                 (select coalesce(sum(quantity), 0) from outcomes
                  where project_id = p.id and category = 'error' and outcome = 'accepted')
                   as accepted,
                 p.deleted_events
                   + (select coalesce(sum(events_count), 0) from issues where project_id = p.id)
                   as counted
               from projects p) p
         where accepted <> counted",
        )
        .await
}

async fn hours_sum_to_events(search: &mut Search<'_>) -> Result<()> {
    search
        .tell(
            "select i.id, i.events_count, coalesce(sum(h.events), 0)::bigint
         from issues i
         left join issue_hours h on h.issue_id = i.id
         group by i.id
         having i.events_count <> coalesce(sum(h.events), 0)",
        )
        .await
}

async fn project_hours_sum_to_accepted(search: &mut Search<'_>) -> Result<()> {
    search
        .tell(
            "select id, accepted::bigint, counted::bigint
         from (select p.id,
                 (select coalesce(sum(quantity), 0) from outcomes
                  where project_id = p.id and category = 'error' and outcome = 'accepted')
                   as accepted,
                 (select coalesce(sum(events), 0) from project_hours where project_id = p.id)
                   as counted
               from projects p) p
         where accepted <> counted",
        )
        .await
}

async fn event_ids_are_unique(search: &mut Search<'_>) -> Result<()> {
    let days = partitions::between(search.tx, i64::MIN, i64::MAX).await?;
    for (at, newer) in days.iter().enumerate() {
        for older in days[at + 1..]
            .iter()
            .filter(|older| older.day >= newer.day - DEDUPE_DAYS)
        {
            search
                .tell(&format!(
                    "select a.event_id, {}, {}
                 from {} a
                 join {} b on b.project_id = a.project_id and b.event_id = a.event_id",
                    newer.id,
                    older.id,
                    newer.table(),
                    older.table()
                ))
                .await?;
        }
    }
    Ok(())
}

async fn issues_have_projects(search: &mut Search<'_>) -> Result<()> {
    search
        .tell(
            "select i.id
         from issues i
         where i.id >> 32 <> i.project_id
            or not exists (select 1 from projects p where p.id = i.project_id)",
        )
        .await
}

async fn rows_have_issues(search: &mut Search<'_>) -> Result<()> {
    for table in ISSUE_TABLES {
        search
            .tell(&format!(
                "select distinct '{table}', t.issue_id
             from {table} t
             where not exists (select 1 from issues i where i.id = t.issue_id)"
            ))
            .await?;
    }
    Ok(())
}

async fn events_have_issues(search: &mut Search<'_>) -> Result<()> {
    for partition in partitions::between(search.tx, i64::MIN, i64::MAX).await? {
        search
            .tell(&format!(
                "select e.event_id
             from {} e
             where e.issue_id >> 32 <> e.project_id
                or not exists (select 1 from issues i where i.id = e.issue_id)",
                partition.table()
            ))
            .await?;
    }
    Ok(())
}

async fn payloads_exist(
    search: &mut Search<'_>,
    reader: &mut PayloadReader<'_>,
    journals: &HashSet<Uuid>,
) -> Result<()> {
    for partition in partitions::between(search.tx, i64::MIN, i64::MAX).await? {
        let rows = event_rows::open(search.tx, partition, PAGE_ROWS).await?;
        loop {
            let page = event_rows::page(search.tx, &rows).await?;
            if page.is_empty() {
                break;
            }
            let (here, elsewhere): (Vec<_>, Vec<_>) = page
                .into_iter()
                .partition(|row| journals.contains(&row.place.segment.journal));
            search.findings.skip(elsewhere.len());
            for error in reader.read_through(here).await? {
                let why = Column::Text(error.to_string());
                search.findings.tell(Check::PayloadsExist, &[why]);
            }
        }
    }
    Ok(())
}

async fn first_is_before_last(search: &mut Search<'_>) -> Result<()> {
    search
        .tell(
            "select id
         from issues
         where first_seen > last_seen",
        )
        .await
}

async fn first_and_last_are_of_events(search: &mut Search<'_>) -> Result<()> {
    let tables = partitions::between(search.tx, i64::MIN, i64::MAX)
        .await?
        .into_iter()
        .map(|partition| format!("select issue_id, occurred_at from {}", partition.table()))
        .collect::<Vec<_>>();
    if tables.is_empty() {
        return Ok(());
    }
    search
        .tell(&format!(
            "select i.id
         from issues i
         join (select issue_id, min(occurred_at) as first, max(occurred_at) as last
               from ({}) a
               group by issue_id) e on e.issue_id = i.id
         where i.evicted_count = 0
           and (i.first_seen <> e.first or i.last_seen <> e.last)
           and not exists (select 1
                           from issue_partitions g
                           where g.issue_id = i.id
                             and g.partition_id not in (select id from partitions))",
            tables.join(" union all ")
        ))
        .await
}

async fn tag_values_sum_to_tagged_events(search: &mut Search<'_>) -> Result<()> {
    search
        .tell(
            "select k.key, k.issue_id, k.events, (coalesce(sum(t.events), 0) + k.other)::bigint
         from issue_tag_keys k
         left join issue_tags t on t.issue_id = k.issue_id and t.key = k.key
         group by k.issue_id, k.key
         having k.events <> coalesce(sum(t.events), 0) + k.other
             or k.listed <> count(t.value)",
        )
        .await
}

async fn segments_hold_what_is_committed(search: &mut Search<'_>) -> Result<()> {
    for partition in partitions::between(search.tx, i64::MIN, i64::MAX).await? {
        search
            .tell(&format!(
                "select e.event_id
             from {} e
             left join segments s on s.id = e.segment_id and s.partition_id = {}
             where s.id is null
                or e.start + e.length > s.length",
                partition.table(),
                partition.id
            ))
            .await?;
    }
    Ok(())
}

async fn segments_are_live_or_dead(search: &mut Search<'_>) -> Result<()> {
    for partition in partitions::between(search.tx, i64::MIN, i64::MAX).await? {
        search
            .tell(&format!(
                "select s.id, s.length, coalesce(l.bytes, 0)::bigint, s.dead_bytes
             from segments s
             left join (select segment_id, sum(length) as bytes
                        from (select distinct segment_id, start, length from {}) f
                        group by segment_id) l on l.segment_id = s.id
             where s.partition_id = {}
               and s.length <> coalesce(l.bytes, 0) + s.dead_bytes",
                partition.table(),
                partition.id
            ))
            .await?;
    }
    Ok(())
}

async fn what_was_received_has_ended(search: &mut Search<'_>) -> Result<()> {
    search
        .tell(
            "select project_id, sum(received)::bigint, category, hour, sum(ended)::bigint
         from (select project_id, hour, category, quantity as received, 0 as ended
               from received
               union all
               select project_id, hour, category, 0, quantity
               from outcomes
               where outcome <> 'client_discard') c
         group by project_id, hour, category
         having sum(received) <> sum(ended)",
        )
        .await
}

async fn schema_is_as_migrated(search: &mut Search<'_>) -> Result<()> {
    let is = migrations::schema_digest(search.tx).await?;
    if migrations::stored_digest(search.tx).await? != Some(is) {
        search.findings.tell(Check::SchemaIsAsMigrated, &[]);
    }
    Ok(())
}
