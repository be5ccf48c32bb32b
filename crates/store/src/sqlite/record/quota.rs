//! Counts what organizations use of their plans.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{OptionalExtension, Transaction};

use crate::Result;
use crate::record::quota::{Account, UsageTally, Used};

/// Events recorded so far.
pub(super) fn used(tx: &Transaction<'_>, accounts: &BTreeSet<Account>) -> Result<Used> {
    let mut find = tx.prepare_cached(
        "select events
         from usage
         where month = ?1
           and org_id = ?2",
    )?;
    let mut used = Used::new();
    for (org, month) in accounts {
        let events = find.query_row((month, org.as_uuid().as_bytes()), |row| row.get(0));
        used.insert((*org, *month), events.optional()?.unwrap_or(0));
    }
    Ok(used)
}

/// Adds what a batch uses.
pub(in crate::sqlite) fn add(
    tx: &Transaction<'_>,
    tallies: &BTreeMap<Account, UsageTally>,
) -> Result<()> {
    let mut statement = tx.prepare_cached(
        "insert into usage (org_id, month, events, events_refused)
         values (?1, ?2, ?3, ?4)
         on conflict (month, org_id)
         do update set events = events + excluded.events,
             events_refused = events_refused + excluded.events_refused",
    )?;
    for ((org, month), tally) in tallies {
        let org = org.as_uuid().into_bytes();
        statement.execute((org, month, tally.events, tally.refused))?;
    }
    Ok(())
}
