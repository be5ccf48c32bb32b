//! Which events of a batch their organization's plan has room for.
//!
//! Pure, as `assign` is: whoever reads what is used must keep others from using it meanwhile.

use std::collections::{BTreeMap, BTreeSet};

use copal_model::{Month, OrgId, Outcome, Plans, ProjectId, Timestamp};

use super::assign::{Fate, Projects};
use super::{Batch, OutcomeCount};

/// An organization and a month, as it is stored: what events are counted by.
pub(crate) type Account = (OrgId, i64);

/// Events recorded so far.
pub(crate) type Used = BTreeMap<Account, u64>;

/// What a batch adds to an account.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UsageTally {
    /// Events recorded.
    pub(crate) events: u64,
    /// Events that there was no room for.
    pub(crate) refused: u64,
}

/// Where an event of a project is counted, of a project that is there.
pub(crate) fn account(
    projects: &Projects,
    project: ProjectId,
    received_at: Timestamp,
) -> Option<Account> {
    let living = projects.get(&project)?;
    Some((living.org, Month::of(received_at).number()))
}

/// Where the events of a batch are counted.
pub(crate) fn accounts(batch: &Batch, projects: &Projects) -> BTreeSet<Account> {
    let events = batch.events.iter();
    events
        .filter_map(|event| account(projects, event.scope.project(), event.received_at))
        .collect()
}

/// Takes room for one event of a project; false when there is none left.
pub(crate) fn take_room(
    projects: &Projects,
    plans: &Plans,
    used: &mut Used,
    (project, received_at): (ProjectId, Timestamp),
) -> bool {
    let Some(living) = projects.get(&project) else {
        return true;
    };
    let account = (living.org, Month::of(received_at).number());
    let used = used.entry(account).or_default();
    match plans.of(living.plan).events_per_month {
        Some(limit) if *used >= limit => false,
        _ => {
            *used += 1;
            true
        }
    }
}

/// What a batch adds to the accounts of its events.
pub(crate) fn tally(
    batch: &Batch,
    fates: &[Fate],
    projects: &Projects,
) -> BTreeMap<Account, UsageTally> {
    let mut tallies: BTreeMap<Account, UsageTally> = BTreeMap::new();
    for (event, fate) in std::iter::zip(&batch.events, fates) {
        let Some(account) = account(projects, event.scope.project(), event.received_at) else {
            continue;
        };
        match fate {
            Fate::Kept(_) => tallies.entry(account).or_default().events += 1,
            Fate::OverQuota => tallies.entry(account).or_default().refused += 1,
            Fate::Duplicate | Fate::ProjectGone => {}
        }
    }
    tallies
}

/// What items that ingest refused add to the accounts of their organizations.
pub(crate) fn tally_refused(
    refused: &[OutcomeCount],
    projects: &Projects,
) -> BTreeMap<Account, UsageTally> {
    let mut tallies: BTreeMap<Account, UsageTally> = BTreeMap::new();
    for count in refused {
        if count.outcome == Outcome::QUOTA
            && let Some(account) = account(projects, count.project, count.received_at)
        {
            tallies.entry(account).or_default().refused += count.quantity;
        }
    }
    tallies
}
