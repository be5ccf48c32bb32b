//! Rows of events, and of how they were grouped.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use copal_model::IssueId;
use uuid::Uuid;

use crate::payload::Place;
use crate::postgres::event_rows::to_i64;
use crate::postgres::{Columns, Tx, execute, list, partitions};
use crate::record::NewEvent;
use crate::record::assign::Assigned;
use crate::{Error, Result};

/// How an event was grouped, as a row: issue, version and all hashes.
type GroupingKey<'a> = (IssueId, &'a str, Vec<u8>);

fn grouping_key<'a>(event: &'a NewEvent, assigned: &Assigned) -> GroupingKey<'a> {
    let grouping = &event.grouping;
    (assigned.issue, grouping.version, grouping.hashes.concat())
}

/// Finds and makes the rows of groupings of a batch.
async fn groupings<'a>(
    tx: &Tx<'_>,
    events: &[(&'a NewEvent, &Assigned, &Place)],
) -> Result<HashMap<GroupingKey<'a>, i64>> {
    let keys = events
        .iter()
        .map(|(event, assigned, _)| grouping_key(event, assigned));
    let keys: BTreeSet<GroupingKey<'_>> = keys.collect();
    let mut ids = find_groupings(tx, &keys).await?;
    let missing: BTreeSet<_> = keys
        .into_iter()
        .filter(|key| !ids.contains_key(key))
        .collect();
    if !missing.is_empty() {
        let (issues, versions, hashes) = columns_of(&missing);
        execute(
            tx,
            "insert into groupings (issue_id, version, hashes)
             select * from unnest($1::bigint[], $2::text[], $3::bytea[])",
            &[&issues, &versions, &hashes],
        )
        .await?;
        ids.extend(find_groupings(tx, &missing).await?);
    }
    Ok(ids)
}

async fn find_groupings<'a>(
    tx: &Tx<'_>,
    keys: &BTreeSet<GroupingKey<'a>>,
) -> Result<HashMap<GroupingKey<'a>, i64>> {
    let (issues, versions, hashes) = columns_of(keys);
    let rows = list(
        tx,
        "select n.at, g.id
         from unnest($1::bigint[], $2::text[], $3::bytea[])
           with ordinality as n (issue_id, version, hashes, at)
         join groupings g on g.issue_id = n.issue_id
           and g.version = n.version
           and g.hashes = n.hashes",
        &[&issues, &versions, &hashes],
    )
    .await?;
    let keys: Vec<&GroupingKey<'_>> = keys.iter().collect();
    let mut ids = HashMap::with_capacity(keys.len());
    for row in &rows {
        let columns = Columns::new("groupings", row);
        let at = columns.read("at", |at: i64| usize::try_from(at - 1))?;
        ids.insert(keys[at].clone(), columns.get("id")?);
    }
    Ok(ids)
}

fn columns_of<'a>(keys: &'a BTreeSet<GroupingKey<'_>>) -> (Vec<i64>, Vec<&'a str>, Vec<&'a [u8]>) {
    let mut columns = (Vec::new(), Vec::new(), Vec::new());
    for (issue, version, hashes) in keys {
        columns.0.push(issue.to_i64());
        columns.1.push(*version);
        columns.2.push(&hashes[..]);
    }
    columns
}

/// Inserts the rows of events, and of how they were grouped.
pub(super) async fn insert_events(
    tx: &Tx<'_>,
    events: &[(&NewEvent, &Assigned, &Place)],
) -> Result<()> {
    let groupings = groupings(tx, events).await?;
    let mut by_partition: BTreeMap<i64, EventColumns> = BTreeMap::new();
    for (event, assigned, place) in events {
        let grouping = groupings.get(&grouping_key(event, assigned));
        let grouping = grouping.ok_or_else(|| Error::Broken("a grouping without a row".into()))?;
        let columns = by_partition.entry(assigned.partition).or_default();
        columns.add(event, assigned, *grouping, place);
    }
    for (partition, columns) in &by_partition {
        columns.insert(tx, *partition).await?;
    }
    Ok(())
}

/// Rows of one partition, column by column.
#[derive(Default)]
struct EventColumns {
    projects: Vec<i64>,
    events: Vec<Uuid>,
    issues: Vec<i64>,
    groupings: Vec<i64>,
    occurred_at: Vec<i64>,
    received_at: Vec<i64>,
    segments: Vec<i64>,
    starts: Vec<i64>,
    lengths: Vec<i64>,
    ordinals: Vec<i64>,
}

impl EventColumns {
    fn add(&mut self, event: &NewEvent, assigned: &Assigned, grouping: i64, place: &Place) {
        self.projects.push(event.scope.project().get().into());
        self.events.push(event.event_id.as_uuid());
        self.issues.push(assigned.issue.to_i64());
        self.groupings.push(grouping);
        self.occurred_at.push(event.occurred_at.as_microsecond());
        self.received_at.push(event.received_at.as_microsecond());
        self.segments.push(place.segment.id);
        self.starts.push(place.start.cast_signed());
        self.lengths.push(to_i64(place.length));
        self.ordinals.push(to_i64(place.ordinal));
    }

    async fn insert(&self, tx: &Tx<'_>, partition: i64) -> Result<()> {
        execute(
            tx,
            &format!(
                "insert into {} (partition_id, project_id, event_id, issue_id, grouping_id,
                     occurred_at, received_at, segment_id, start, length, ordinal)
                 select {partition}, *
                 from unnest($1::bigint[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[],
                     $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[])",
                partitions::table(partition)
            ),
            &[
                &self.projects,
                &self.events,
                &self.issues,
                &self.groupings,
                &self.occurred_at,
                &self.received_at,
                &self.segments,
                &self.starts,
                &self.lengths,
                &self.ordinals,
            ],
        )
        .await?;
        Ok(())
    }
}
