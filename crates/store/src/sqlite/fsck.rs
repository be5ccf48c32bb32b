//! The invariants on SQLite, each check a function of its own. Reads only.

mod belonging;

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::event_rows::{self, PayloadReader};
use super::{migrations, partitions};
use crate::Result;
use crate::record::plan::DEDUPE_DAYS;
use crate::telemetry;
use crate::upkeep::FsckReport;
use crate::upkeep::invariants::{Check, Column, Findings};
use belonging::{
    keys_are_of_their_projects, organizations_have_owners, personal_organizations_are_alone,
    references_hold,
};

/// Events whose payloads are read in one go.
const PAGE_ROWS: usize = 10_000;

/// Checks everything in one snapshot.
pub(super) fn check(connection: &Connection, reader: &mut PayloadReader<'_>) -> Result<FsckReport> {
    let mut search = Search {
        connection,
        check: Check::ALL[0],
        findings: Findings::default(),
    };
    for check in Check::ALL {
        search.check = check;
        match check {
            Check::CountedIsStoredAndEvicted => counted_is_stored_and_evicted(&mut search),
            Check::StoredCountsAreRows => stored_counts_are_rows(&mut search),
            Check::IssuesSumToOutcomes => issues_sum_to_outcomes(&mut search),
            Check::HoursSumToEvents => hours_sum_to_events(&mut search),
            Check::ProjectHoursSumToAccepted => project_hours_sum_to_accepted(&mut search),
            Check::EventIdsAreUnique => event_ids_are_unique(&mut search),
            Check::IssuesHaveProjects => issues_have_projects(&mut search),
            Check::RowsHaveIssues => rows_have_issues(&mut search),
            Check::EventsHaveIssues => events_have_issues(&mut search),
            Check::PayloadsExist => payloads_exist(&mut search, reader),
            Check::FirstIsBeforeLast => first_is_before_last(&mut search),
            Check::FirstAndLastAreOfEvents => first_and_last_are_of_events(&mut search),
            Check::TagValuesSumToTaggedEvents => tag_values_sum_to_tagged_events(&mut search),
            Check::SegmentsHoldWhatIsCommitted => segments_hold_what_is_committed(&mut search),
            Check::SegmentsAreLiveOrDead => segments_are_live_or_dead(&mut search),
            Check::WhatWasReceivedHasEnded => what_was_received_has_ended(&mut search),
            Check::KeysAreOfTheirProjects => keys_are_of_their_projects(&mut search),
            Check::ReferencesHold => references_hold(&mut search),
            Check::OrganizationsHaveOwners => organizations_have_owners(&mut search),
            Check::PersonalOrganizationsAreAlone => personal_organizations_are_alone(&mut search),
            Check::SchemaIsAsMigrated => schema_is_as_migrated(&mut search),
        }?;
        search.findings.end(check);
    }
    Ok(search.findings.report())
}

/// One check after the other in one snapshot.
struct Search<'a> {
    connection: &'a Connection,
    check: Check,
    findings: Findings,
}

impl Search<'_> {
    /// Each row that the query finds breaks the invariant.
    fn tell(&mut self, sql: &str) -> Result<()> {
        let mut statement = self.connection.prepare(sql)?;
        let width = statement.column_count();
        let mut rows = statement.query(())?;
        while let Some(row) = rows.next()? {
            let columns = (0..width).map(|at| Ok(column(row.get_ref(at)?)));
            let columns = columns.collect::<Result<Vec<_>>>()?;
            self.findings.tell(self.check, &columns);
        }
        Ok(())
    }
}

fn column(value: ValueRef<'_>) -> Column {
    match value {
        ValueRef::Null => Column::Text("nothing".to_owned()),
        ValueRef::Integer(number) => Column::Number(number),
        ValueRef::Real(number) => Column::Text(number.to_string()),
        ValueRef::Text(text) => Column::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Column::Bytes(bytes.to_vec()),
    }
}

fn counted_is_stored_and_evicted(search: &mut Search<'_>) -> Result<()> {
    search.tell(
        "select i.id, i.events_count, coalesce(sum(p.stored), 0), i.evicted_count
         from issues i
         left join issue_partitions p on p.issue_id = i.id
         group by i.id
         having i.events_count <> coalesce(sum(p.stored), 0) + i.evicted_count",
    )
}

fn stored_counts_are_rows(search: &mut Search<'_>) -> Result<()> {
    for partition in partitions::between(search.connection, i64::MIN, i64::MAX)? {
        search.tell(&format!(
            "select issue_id, {id}
             from (select issue_id, count(*) as events from {table} group by issue_id
                   union all
                   select issue_id, -stored from issue_partitions where partition_id = {id}) s
             group by issue_id
             having sum(events) <> 0",
            table = partition.table(),
            id = partition.id
        ))?;
    }
    Ok(())
}

fn issues_sum_to_outcomes(search: &mut Search<'_>) -> Result<()> {
    search.tell(
        "select id, accepted, counted
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
}

fn hours_sum_to_events(search: &mut Search<'_>) -> Result<()> {
    search.tell(
        "select i.id, i.events_count, coalesce(sum(h.events), 0)
         from issues i
         left join issue_hours h on h.issue_id = i.id
         group by i.id
         having i.events_count <> coalesce(sum(h.events), 0)",
    )
}

fn project_hours_sum_to_accepted(search: &mut Search<'_>) -> Result<()> {
    search.tell(
        "select id, accepted, counted
         from (select p.id,
                 (select coalesce(sum(quantity), 0) from outcomes
                  where project_id = p.id and category = 'error' and outcome = 'accepted')
                   as accepted,
                 (select coalesce(sum(events), 0) from project_hours where project_id = p.id)
                   as counted
               from projects p) p
         where accepted <> counted",
    )
}

fn event_ids_are_unique(search: &mut Search<'_>) -> Result<()> {
    let days = partitions::between(search.connection, i64::MIN, i64::MAX)?;
    for (at, newer) in days.iter().enumerate() {
        for older in days[at + 1..]
            .iter()
            .filter(|older| older.day >= newer.day - DEDUPE_DAYS)
        {
            search.tell(&format!(
                "select a.event_id, {}, {}
                 from {} a
                 join {} b on b.project_id = a.project_id and b.event_id = a.event_id",
                newer.id,
                older.id,
                newer.table(),
                older.table()
            ))?;
        }
    }
    Ok(())
}

fn issues_have_projects(search: &mut Search<'_>) -> Result<()> {
    search.tell(
        "select i.id
         from issues i
         where i.id >> 32 <> i.project_id
            or not exists (select 1 from projects p where p.id = i.project_id)",
    )
}

fn rows_have_issues(search: &mut Search<'_>) -> Result<()> {
    for table in telemetry::ISSUE_TABLES {
        search.tell(&format!(
            "select distinct '{table}', t.issue_id
             from {table} t
             where not exists (select 1 from issues i where i.id = t.issue_id)"
        ))?;
    }
    Ok(())
}

fn events_have_issues(search: &mut Search<'_>) -> Result<()> {
    for partition in partitions::between(search.connection, i64::MIN, i64::MAX)? {
        search.tell(&format!(
            "select e.event_id
             from {} e
             where e.issue_id >> 32 <> e.project_id
                or not exists (select 1 from issues i where i.id = e.issue_id)",
            partition.table()
        ))?;
    }
    Ok(())
}

fn payloads_exist(search: &mut Search<'_>, reader: &mut PayloadReader<'_>) -> Result<()> {
    for partition in partitions::between(search.connection, i64::MIN, i64::MAX)? {
        let mut after = i64::MIN;
        while let Some((last, rows)) =
            event_rows::page(search.connection, partition, after, PAGE_ROWS)?
        {
            after = last;
            for error in reader.read_through(rows)? {
                let why = Column::Text(error.to_string());
                search.findings.tell(Check::PayloadsExist, &[why]);
            }
        }
    }
    Ok(())
}

fn first_is_before_last(search: &mut Search<'_>) -> Result<()> {
    search.tell(
        "select id
         from issues
         where first_seen > last_seen",
    )
}

fn first_and_last_are_of_events(search: &mut Search<'_>) -> Result<()> {
    let tables = partitions::between(search.connection, i64::MIN, i64::MAX)?
        .into_iter()
        .map(|partition| format!("select issue_id, occurred_at from {}", partition.table()))
        .collect::<Vec<_>>();
    if tables.is_empty() {
        return Ok(());
    }
    search.tell(&format!(
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
}

fn tag_values_sum_to_tagged_events(search: &mut Search<'_>) -> Result<()> {
    search.tell(
        "select k.key, k.issue_id, k.events, coalesce(sum(t.events), 0) + k.other
         from issue_tag_keys k
         left join issue_tags t on t.issue_id = k.issue_id and t.key = k.key
         group by k.issue_id, k.key
         having k.events <> coalesce(sum(t.events), 0) + k.other
             or k.listed <> count(t.value)",
    )
}

fn segments_hold_what_is_committed(search: &mut Search<'_>) -> Result<()> {
    for partition in partitions::between(search.connection, i64::MIN, i64::MAX)? {
        search.tell(&format!(
            "select e.event_id
             from {} e
             left join segments s on s.id = e.segment_id and s.partition_id = {}
             where s.id is null
                or e.start + e.length > s.length",
            partition.table(),
            partition.id
        ))?;
    }
    Ok(())
}

fn segments_are_live_or_dead(search: &mut Search<'_>) -> Result<()> {
    for partition in partitions::between(search.connection, i64::MIN, i64::MAX)? {
        search.tell(&format!(
            "select s.id, s.length, coalesce(l.bytes, 0), s.dead_bytes
             from segments s
             left join (select segment_id, sum(length) as bytes
                        from (select distinct segment_id, start, length from {}) f
                        group by segment_id) l on l.segment_id = s.id
             where s.partition_id = {}
               and s.length <> coalesce(l.bytes, 0) + s.dead_bytes",
            partition.table(),
            partition.id
        ))?;
    }
    Ok(())
}

fn what_was_received_has_ended(search: &mut Search<'_>) -> Result<()> {
    search.tell(
        "select project_id, sum(received), category, hour, sum(ended)
         from (select project_id, hour, category, quantity as received, 0 as ended
               from received
               union all
               select project_id, hour, category, 0, quantity
               from outcomes
               where outcome <> 'client_discard') c
         group by project_id, hour, category
         having sum(received) <> sum(ended)",
    )
}

fn schema_is_as_migrated(search: &mut Search<'_>) -> Result<()> {
    let is = migrations::schema_digest(search.connection)?;
    if migrations::stored_digest(search.connection)? != Some(is) {
        search.findings.tell(Check::SchemaIsAsMigrated, &[]);
    }
    Ok(())
}
