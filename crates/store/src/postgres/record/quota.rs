//! Counts what organizations use of their plans.

use std::collections::{BTreeMap, BTreeSet};

use copal_model::OrgId;

use crate::Result;
use crate::postgres::{Columns, Tx, execute, list};
use crate::record::quota::{Account, UsageTally, Used};

/// Events recorded so far. The counts are locked, after the projects and in their order: whoever
/// else records for one of the organizations waits, even if it is in another project.
pub(super) async fn used(tx: &Tx<'_>, accounts: &BTreeSet<Account>) -> Result<Used> {
    if accounts.is_empty() {
        return Ok(Used::new());
    }
    let (orgs, months): (Vec<_>, Vec<i64>) = accounts
        .iter()
        .map(|(org, month)| (org.as_uuid(), *month))
        .unzip();
    let rows = list(
        tx,
        "insert into usage as u (org_id, month, events, events_refused)
         select n.org_id, n.month, 0, 0
         from unnest($1::uuid[], $2::bigint[]) as n (org_id, month)
         order by n.org_id, n.month
         on conflict (month, org_id)
         do update set events = u.events
         returning org_id, month, events",
        &[&orgs, &months],
    )
    .await?;
    rows.iter()
        .map(|row| {
            let columns = Columns::new("usage", row);
            let account = (OrgId::new(columns.uuid("org_id")?), columns.get("month")?);
            Ok((account, columns.count("events")?))
        })
        .collect()
}

/// Adds what a batch uses.
pub(in crate::postgres) async fn add(
    tx: &Tx<'_>,
    tallies: &BTreeMap<Account, UsageTally>,
) -> Result<()> {
    if tallies.is_empty() {
        return Ok(());
    }
    let (mut orgs, mut months) = (Vec::new(), Vec::new());
    let (mut events, mut refused) = (Vec::new(), Vec::new());
    for ((org, month), tally) in tallies {
        orgs.push(org.as_uuid());
        months.push(*month);
        events.push(tally.events.cast_signed());
        refused.push(tally.refused.cast_signed());
    }
    execute(
        tx,
        "insert into usage as u (org_id, month, events, events_refused)
         select *
         from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[])
         on conflict (month, org_id)
         do update set events = u.events + excluded.events,
             events_refused = u.events_refused + excluded.events_refused",
        &[&orgs, &months, &events, &refused],
    )
    .await?;
    Ok(())
}
