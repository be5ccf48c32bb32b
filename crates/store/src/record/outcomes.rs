//! Adds up what a batch received, and how it ended.

use std::collections::{BTreeMap, BTreeSet};

use copal_model::{Category, Outcome, ProjectId};

use super::assign::{Fate, Projects};
use super::plan::hour_of;
use super::{Batch, OutcomeCount, ReceivedCount};

/// Items per project, hour in which they were received, category, and how they ended; of projects
/// that are there.
pub(crate) fn ended(
    batch: &Batch,
    fates: &[Fate],
    projects: &Projects,
) -> BTreeMap<(ProjectId, i64, Category, Outcome), u64> {
    let mut totals: BTreeMap<_, u64> = BTreeMap::new();
    for (event, fate) in std::iter::zip(&batch.events, fates) {
        let outcome = match fate {
            Fate::Kept(_) => Outcome::Accepted,
            Fate::Duplicate => Outcome::Invalid("duplicate"),
            Fate::OverQuota => Outcome::QUOTA,
            Fate::ProjectGone => continue,
        };
        let hour = hour_of(event.received_at);
        let key = (event.scope.project(), hour, Category::Error, outcome);
        *totals.entry(key).or_default() += 1;
    }
    for count in &batch.outcomes {
        if projects.contains_key(&count.project) {
            let hour = hour_of(count.received_at);
            let key = (count.project, hour, count.category, count.outcome.clone());
            *totals.entry(key).or_default() += count.quantity;
        }
    }
    totals
}

/// Items received per project, hour and category; of projects that are there.
pub(crate) fn received(
    batch: &Batch,
    projects: &Projects,
) -> BTreeMap<(ProjectId, i64, Category), u64> {
    let mut totals: BTreeMap<_, u64> = BTreeMap::new();
    for count in &batch.received {
        if projects.contains_key(&count.project) {
            let key = (count.project, hour_of(count.received_at), count.category);
            *totals.entry(key).or_default() += count.quantity;
        }
    }
    totals
}

/// The projects that outcomes are of.
pub(crate) fn named(counts: &[OutcomeCount]) -> BTreeSet<ProjectId> {
    counts.iter().map(|count| count.project).collect()
}

/// Items that were received and refused at once, as a batch without events.
pub(crate) fn refused_batch(refused: Vec<OutcomeCount>) -> Batch {
    let received = refused.iter().map(|count| ReceivedCount {
        project: count.project,
        received_at: count.received_at,
        category: count.category,
        quantity: count.quantity,
    });
    Batch {
        received: received.collect(),
        outcomes: refused,
        ..Batch::default()
    }
}
