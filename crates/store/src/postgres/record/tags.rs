//! Counts events by tag: most rows of a batch.

use std::collections::{HashMap, HashSet};

use copal_model::IssueId;

use super::issue_id;
use crate::Result;
use crate::postgres::event_rows::to_i64;
use crate::postgres::{Columns, Tx, execute, list};
use crate::record::plan::BatchTally;
use crate::record::tags::{Listed, NewValues, TagKey, counted};

/// Counts the events of all issues by tag.
pub(super) async fn add(tx: &Tx<'_>, tally: &BatchTally<'_>) -> Result<()> {
    let known = known(tx, tally).await?;
    let nothing = Listed::default();
    let mut keys = Vec::new();
    for (issue, tally) in &tally.issues {
        keys.extend(counted(*issue, tally, known.get(issue).unwrap_or(&nothing)));
    }
    let updated = update_values(tx, &keys).await?;
    let mut place = 0;
    let mut new_values = Vec::with_capacity(keys.len());
    for key in &keys {
        let mut new = Vec::new();
        for value in &key.values {
            if !updated.contains(&place) {
                new.push(*value);
            }
            place += 1;
        }
        new_values.push(key.list(new));
    }
    insert_values(tx, &keys, &new_values).await?;
    add_keys(tx, &keys, &new_values).await
}

/// The tag keys of all issues of a batch.
async fn known(tx: &Tx<'_>, tally: &BatchTally<'_>) -> Result<HashMap<IssueId, Listed>> {
    let issues: Vec<i64> = tally.issues.keys().map(|issue| issue.to_i64()).collect();
    let rows = list(
        tx,
        "select issue_id, key, listed
         from issue_tag_keys
         where issue_id = any($1)",
        &[&issues],
    )
    .await?;
    let mut known: HashMap<IssueId, Listed> = HashMap::new();
    for row in &rows {
        let columns = Columns::new("issue_tag_keys", row);
        let listed = columns.read("listed", |listed: i64| usize::try_from(listed))?;
        let keys = known.entry(issue_id(columns.get("issue_id")?)?);
        keys.or_default().insert(columns.get("key")?, listed);
    }
    Ok(known)
}

/// Adds to values that are listed. Answers which: their places among all values of all keys.
async fn update_values(tx: &Tx<'_>, keys: &[TagKey<'_>]) -> Result<HashSet<i64>> {
    let (mut issues, mut names) = (Vec::new(), Vec::new());
    let (mut values, mut events) = (Vec::new(), Vec::new());
    for key in keys {
        for (value, count) in &key.values {
            issues.push(key.issue.to_i64());
            names.push(key.key);
            values.push(*value);
            events.push(*count);
        }
    }
    if issues.is_empty() {
        return Ok(HashSet::new());
    }
    let rows = list(
        tx,
        "update issue_tags t
         set events = t.events + n.events
         from unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[])
           with ordinality as n (issue_id, key, value, events, at)
         where t.issue_id = n.issue_id
           and t.key = n.key
           and t.value = n.value
         returning n.at - 1 as at",
        &[&issues, &names, &values, &events],
    )
    .await?;
    rows.iter()
        .map(|row| Columns::new("issue_tags", row).get("at"))
        .collect()
}

async fn insert_values(tx: &Tx<'_>, keys: &[TagKey<'_>], new: &[NewValues<'_>]) -> Result<()> {
    let (mut issues, mut names) = (Vec::new(), Vec::new());
    let (mut values, mut events) = (Vec::new(), Vec::new());
    for (key, new) in std::iter::zip(keys, new) {
        for (value, count) in &new.listed {
            issues.push(key.issue.to_i64());
            names.push(key.key);
            values.push(*value);
            events.push(*count);
        }
    }
    if issues.is_empty() {
        return Ok(());
    }
    execute(
        tx,
        "insert into issue_tags (issue_id, key, value, events)
         select *
         from unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[])",
        &[&issues, &names, &values, &events],
    )
    .await?;
    Ok(())
}

async fn add_keys(tx: &Tx<'_>, keys: &[TagKey<'_>], new: &[NewValues<'_>]) -> Result<()> {
    let (mut issues, mut names, mut events) = (Vec::new(), Vec::new(), Vec::new());
    let (mut other, mut listed) = (Vec::new(), Vec::new());
    for (key, new) in std::iter::zip(keys, new) {
        issues.push(key.issue.to_i64());
        names.push(key.key);
        events.push(key.events());
        other.push(new.other);
        listed.push(to_i64(new.listed.len()));
    }
    if issues.is_empty() {
        return Ok(());
    }
    execute(
        tx,
        "insert into issue_tag_keys as k (issue_id, key, events, other, listed)
         select *
         from unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[])
         on conflict (issue_id, key)
         do update set events = k.events + excluded.events,
             other = k.other + excluded.other,
             listed = k.listed + excluded.listed",
        &[&issues, &names, &events, &other, &listed],
    )
    .await?;
    Ok(())
}
