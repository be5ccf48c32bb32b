//! Adds up what a batch received, and how it ended.

use std::collections::BTreeMap;

use copal_model::{Category, Outcome, ProjectId};

use super::Batch;
use super::assign::{Fate, Projects};
use super::plan::hour_of;

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
