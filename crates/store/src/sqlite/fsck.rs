//! The invariants, each a function of its own. Reads only.
//!
//! Two of the list do not apply yet: I-10 (one outbox row per destination: there are no
//! destinations) and I-14 (quota counters: there are no quotas).

use rusqlite::Connection;

use super::{event_rows, migrations, partitions};
use crate::Result;
use crate::payload::FrameReader;
use crate::upkeep::{FsckReport, Violation};

/// Checks everything in one snapshot.
pub(super) fn check(connection: &Connection, reader: &mut FrameReader<'_>) -> Result<FsckReport> {
    let mut report = FsckReport::default();
    for (invariant, check) in CHECKS {
        report.add(invariant, check(connection)?);
    }
    report.add("I-05", payloads_exist(connection, reader)?);
    report.checked.sort_unstable();
    Ok(report)
}

impl FsckReport {
    fn add(&mut self, invariant: &'static str, details: Vec<String>) {
        if !self.checked.contains(&invariant) {
            self.checked.push(invariant);
        }
        self.violations.extend(
            details
                .into_iter()
                .map(|detail| Violation { invariant, detail }),
        );
    }
}

/// Events whose payloads are read in one go.
const PAGE_ROWS: usize = 10_000;

type Check = fn(&Connection) -> Result<Vec<String>>;

const CHECKS: [(&str, Check); 17] = [
    ("I-01", counted_is_stored_and_evicted),
    ("I-01", stored_counts_are_rows),
    ("I-02", issues_sum_to_outcomes),
    ("I-03", hours_sum_to_events),
    ("I-03", project_hours_sum_to_accepted),
    ("I-04", event_ids_are_unique),
    ("I-05", parents_exist),
    ("I-06", first_is_before_last),
    ("I-06", first_and_last_are_of_events),
    ("I-07", tag_values_sum_to_tagged_events),
    ("I-08", segments_hold_what_is_committed),
    ("I-08", segments_are_live_or_dead),
    ("I-09", what_was_received_has_ended),
    ("I-11", keys_are_of_their_projects),
    ("I-11", references_hold),
    ("I-12", organizations_have_owners),
    ("I-13", schema_is_as_migrated),
];

fn counted_is_stored_and_evicted(connection: &Connection) -> Result<Vec<String>> {
    violations(
        connection,
        "select 'issue ' || i.id || ' counts ' || i.events_count || ' events, but '
             || coalesce(sum(p.stored), 0) || ' are stored and ' || i.evicted_count || ' evicted'
         from issues i
         left join issue_partitions p on p.issue_id = i.id
         group by i.id
         having i.events_count <> coalesce(sum(p.stored), 0) + i.evicted_count",
    )
}

fn stored_counts_are_rows(connection: &Connection) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for partition in partitions::between(connection, i64::MIN, i64::MAX)? {
        found.extend(violations(
            connection,
            &format!(
                "select 'issue ' || issue_id || ' has a wrong number of rows in {table}'
                 from (select issue_id, count(*) as events from {table} group by issue_id
                       union all
                       select issue_id, -stored from issue_partitions where partition_id = {id})
                 group by issue_id
                 having sum(events) <> 0",
                table = partition.table(),
                id = partition.id
            ),
        )?);
    }
    Ok(found)
}

fn issues_sum_to_outcomes(connection: &Connection) -> Result<Vec<String>> {
    violations(
        connection,
        "select 'project ' || p.id || ' accepted ' || accepted || ' events, its issues count '
             || counted
         from (select p.id, p.deleted_events
                   + (select coalesce(sum(events_count), 0) from issues where project_id = p.id)
                   as counted,
                 (select coalesce(sum(quantity), 0) from outcomes
                  where project_id = p.id and category = 'error' and outcome = 'accepted')
                   as accepted
               from projects p) p
         where accepted <> counted",
    )
}

fn hours_sum_to_events(connection: &Connection) -> Result<Vec<String>> {
    violations(
        connection,
        "select 'issue ' || i.id || ' counts ' || i.events_count || ' events, its hours '
             || coalesce(sum(h.events), 0)
         from issues i
         left join issue_hours h on h.issue_id = i.id
         group by i.id
         having i.events_count <> coalesce(sum(h.events), 0)",
    )
}

fn project_hours_sum_to_accepted(connection: &Connection) -> Result<Vec<String>> {
    violations(
        connection,
        "select 'project ' || p.id || ' accepted ' || accepted || ' events, its hours ' || counted
         from (select p.id,
                 (select coalesce(sum(events), 0) from project_hours where project_id = p.id)
                   as counted,
                 (select coalesce(sum(quantity), 0) from outcomes
                  where project_id = p.id and category = 'error' and outcome = 'accepted')
                   as accepted
               from projects p) p
         where accepted <> counted",
    )
}

fn event_ids_are_unique(connection: &Connection) -> Result<Vec<String>> {
    let days = partitions::between(connection, i64::MIN, i64::MAX)?;
    let mut found = Vec::new();
    for (at, newer) in days.iter().enumerate() {
        for older in days[at + 1..]
            .iter()
            .filter(|older| older.day >= newer.day - 1)
        {
            found.extend(violations(
                connection,
                &format!(
                    "select 'event ' || lower(hex(a.event_id)) || ' is in {newer} and {older}'
                     from {newer} a
                     join {older} b on b.project_id = a.project_id and b.event_id = a.event_id",
                    newer = newer.table(),
                    older = older.table()
                ),
            )?);
        }
    }
    Ok(found)
}

fn parents_exist(connection: &Connection) -> Result<Vec<String>> {
    let mut found = violations(
        connection,
        "select 'issue ' || i.id || ' is of no project'
         from issues i
         where i.project_id not in (select id from projects)
            or i.id >> 32 <> i.project_id",
    )?;
    for table in [
        "groupings",
        "issue_hashes",
        "issue_hours",
        "issue_users",
        "issue_tags",
        "issue_partitions",
    ] {
        found.extend(violations(
            connection,
            &format!(
                "select distinct '{table} has rows of issue ' || issue_id || ', which is not there'
                 from {table}
                 where issue_id not in (select id from issues)"
            ),
        )?);
    }
    for partition in partitions::between(connection, i64::MIN, i64::MAX)? {
        found.extend(violations(
            connection,
            &format!(
                "select 'event ' || lower(hex(event_id)) || ' is of no issue of its project'
                 from {}
                 where issue_id >> 32 <> project_id
                    or issue_id not in (select id from issues)",
                partition.table()
            ),
        )?);
    }
    Ok(found)
}

/// Reads every frame: checksum, project and event id.
fn payloads_exist(connection: &Connection, reader: &mut FrameReader<'_>) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for partition in partitions::between(connection, i64::MIN, i64::MAX)? {
        let mut after = i64::MIN;
        while let Some((last, mut rows)) =
            event_rows::page(connection, partition, after, PAGE_ROWS)?
        {
            after = last;
            // Events of an issue are compressed against one of them: read that one once.
            rows.sort_unstable_by_key(|row| (row.issue, row.place.start));
            for row in rows {
                if let Err(error) = row.read(reader) {
                    found.push(error.to_string());
                }
            }
        }
    }
    Ok(found)
}

fn first_is_before_last(connection: &Connection) -> Result<Vec<String>> {
    violations(
        connection,
        "select 'issue ' || id || ' was seen last before it was seen first'
         from issues
         where first_seen > last_seen",
    )
}

/// While all events of an issue are stored, the first and the last are among them.
fn first_and_last_are_of_events(connection: &Connection) -> Result<Vec<String>> {
    let tables = partitions::between(connection, i64::MIN, i64::MAX)?
        .into_iter()
        .map(|partition| format!("select issue_id, occurred_at from {}", partition.table()))
        .collect::<Vec<_>>();
    if tables.is_empty() {
        return Ok(Vec::new());
    }
    violations(
        connection,
        &format!(
            "select 'issue ' || i.id || ' was not seen first or last when its events happened'
             from issues i
             join (select issue_id, min(occurred_at) as first, max(occurred_at) as last
                   from ({})
                   group by issue_id) e on e.issue_id = i.id
             where i.evicted_count = 0
               and (i.first_seen <> e.first or i.last_seen <> e.last)",
            tables.join(" union all ")
        ),
    )
}

fn tag_values_sum_to_tagged_events(connection: &Connection) -> Result<Vec<String>> {
    violations(
        connection,
        "select 'tag ' || k.key || ' of issue ' || k.issue_id || ' has ' || k.events
             || ' events, its values ' || (coalesce(sum(t.events), 0) + k.other)
         from issue_tag_keys k
         left join issue_tags t on t.issue_id = k.issue_id and t.key = k.key
         group by k.issue_id, k.key
         having k.events <> coalesce(sum(t.events), 0) + k.other
             or k.listed <> count(t.value)",
    )
}

/// The database's side: no event lies beyond the committed length of its segment.
fn segments_hold_what_is_committed(connection: &Connection) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for partition in partitions::between(connection, i64::MIN, i64::MAX)? {
        found.extend(violations(
            connection,
            &format!(
                "select 'event ' || lower(hex(e.event_id)) || ' lies beyond its segment'
                 from {} e
                 left join segments s on s.id = e.segment_id and s.partition_id = {}
                 where s.id is null
                    or e.start + e.length > s.length",
                partition.table(),
                partition.id
            ),
        )?);
    }
    Ok(found)
}

/// Every byte of a segment is of a frame that events are in, or counted as dead.
fn segments_are_live_or_dead(connection: &Connection) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for partition in partitions::between(connection, i64::MIN, i64::MAX)? {
        found.extend(violations(
            connection,
            &format!(
                "select 'segment ' || s.id || ' has ' || s.length || ' bytes, of which '
                     || coalesce(l.bytes, 0) || ' are alive and ' || s.dead_bytes || ' dead'
                 from segments s
                 left join (select segment_id, sum(length) as bytes
                            from (select distinct segment_id, start, length from {})
                            group by segment_id) l on l.segment_id = s.id
                 where s.partition_id = {}
                   and s.length <> coalesce(l.bytes, 0) + s.dead_bytes",
                partition.table(),
                partition.id
            ),
        )?);
    }
    Ok(found)
}

/// What clients say they threw away was never received.
fn what_was_received_has_ended(connection: &Connection) -> Result<Vec<String>> {
    violations(
        connection,
        "select 'project ' || project_id || ' received ' || sum(received) || ' items (' || category
             || ') in the hour from ' || datetime(hour / 1000000, 'unixepoch') || ' UTC, of which '
             || sum(ended) || ' have ended'
         from (select project_id, hour, category, quantity as received, 0 as ended
               from received
               union all
               select project_id, hour, category, 0, quantity
               from outcomes
               where outcome <> 'client_discard')
         group by project_id, hour, category
         having sum(received) <> sum(ended)",
    )
}

fn keys_are_of_their_projects(connection: &Connection) -> Result<Vec<String>> {
    violations(
        connection,
        "select 'key ' || lower(hex(k.id)) || ' is of another organization than its project'
         from client_keys k
         left join projects p on p.id = k.project_id
         where p.org_id is not k.org_id",
    )
}

/// Every foreign key, among them all that carry an organization along.
fn references_hold(connection: &Connection) -> Result<Vec<String>> {
    violations(
        connection,
        "select 'a row of ' || \"table\" || ' points at a row of ' || parent || ' that is not there'
         from pragma_foreign_key_check",
    )
}

fn organizations_have_owners(connection: &Connection) -> Result<Vec<String>> {
    violations(
        connection,
        "select 'organization ' || o.slug || ' has no owner'
         from organizations o
         where not exists (select 1 from members m where m.org_id = o.id and m.role = 'OWNER')
         union all
         select 'personal organization ' || o.slug || ' is not its user''s alone'
         from organizations o
         join members m on m.org_id = o.id
         where o.personal_user_id is not null
           and m.user_id <> o.personal_user_id",
    )
}

fn schema_is_as_migrated(connection: &Connection) -> Result<Vec<String>> {
    let is = migrations::schema_digest(connection)?;
    Ok(match migrations::stored_digest(connection)? {
        Some(stored) if stored == is => Vec::new(),
        _ => vec!["the schema is not the one that the migrations made".to_owned()],
    })
}

/// The one text column of each row that a query finds.
fn violations(connection: &Connection, sql: &str) -> Result<Vec<String>> {
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map((), |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
