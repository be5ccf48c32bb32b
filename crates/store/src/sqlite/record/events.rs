//! Rows of events, and of how they were grouped.

use std::collections::HashMap;

use copal_model::IssueId;
use rusqlite::{OptionalExtension, Transaction};

use crate::Result;
use crate::payload::Place;
use crate::record::assign::Assigned;
use crate::record::{NewEvent, NewGrouping};
use crate::sqlite::partitions;

/// Finds and makes the rows of groupings of a batch.
pub(super) struct Groupings<'a> {
    tx: &'a Transaction<'a>,
    known: HashMap<(IssueId, Vec<u8>), i64>,
}

impl<'a> Groupings<'a> {
    /// Knows none yet.
    pub(super) fn new(tx: &'a Transaction<'a>) -> Self {
        Self {
            tx,
            known: HashMap::new(),
        }
    }

    /// The row of a grouping of an issue.
    pub(super) fn id(&mut self, issue: IssueId, grouping: &NewGrouping) -> Result<i64> {
        let key = (issue, grouping.hashes.concat());
        if let Some(id) = self.known.get(&key) {
            return Ok(*id);
        }
        let values = (issue.to_i64(), grouping.version, &key.1);
        let found: Option<i64> = self
            .tx
            .prepare_cached(
                "select id
                 from groupings
                 where issue_id = ?1
                   and version = ?2
                   and hashes = ?3",
            )?
            .query_row(values, |row| row.get(0))
            .optional()?;
        let id = match found {
            Some(id) => id,
            None => self
                .tx
                .prepare_cached(
                    "insert into groupings (issue_id, version, hashes)
                     values (?1, ?2, ?3)
                     returning id",
                )?
                .query_one(values, |row| row.get(0))?,
        };
        self.known.insert(key, id);
        Ok(id)
    }
}

/// Inserts the row of an event.
pub(super) fn insert_event(
    tx: &Transaction<'_>,
    event: &NewEvent,
    assigned: &Assigned,
    grouping: i64,
    place: &Place,
) -> Result<()> {
    tx.prepare_cached(&format!(
        "insert into {} (project_id, event_id, issue_id, grouping_id, occurred_at, received_at,
             segment_id, start, length, ordinal)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        partitions::table(assigned.partition)
    ))?
    .execute(rusqlite::params![
        event.scope.project().get(),
        event.event_id.as_bytes(),
        assigned.issue.to_i64(),
        grouping,
        event.occurred_at.as_microsecond(),
        event.received_at.as_microsecond(),
        place.segment.id,
        place.start,
        place.length,
        place.ordinal,
    ])?;
    Ok(())
}
