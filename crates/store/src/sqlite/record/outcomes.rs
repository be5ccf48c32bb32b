//! Counts what a batch received, and how it ended.

use std::collections::{BTreeMap, HashSet};

use copal_model::{Category, Outcome, ProjectId};
use rusqlite::Transaction;

use super::assign::Fate;
use crate::Result;
use crate::record::Batch;
use crate::record::plan::hour_of;

/// Counts outcomes of projects that are still there.
pub(super) fn count(
    tx: &Transaction<'_>,
    batch: &Batch,
    fates: &[Fate],
    projects: &HashSet<ProjectId>,
) -> Result<()> {
    let mut totals: BTreeMap<(ProjectId, i64, Category, Outcome), u64> = BTreeMap::new();
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
    for count in batch
        .outcomes
        .iter()
        .filter(|count| projects.contains(&count.project))
    {
        let hour = hour_of(count.received_at);
        let key = (count.project, hour, count.category, count.outcome.clone());
        *totals.entry(key).or_default() += count.quantity;
    }
    let mut statement = tx.prepare_cached(
        "insert into outcomes (project_id, hour, category, outcome, reason, quantity)
         values (?1, ?2, ?3, ?4, ?5, ?6)
         on conflict (project_id, hour, category, outcome, reason)
         do update set quantity = quantity + excluded.quantity",
    )?;
    for ((project, hour, category, outcome), quantity) in totals {
        statement.execute((
            project.get(),
            hour,
            category.as_str(),
            outcome.as_str(),
            outcome.reason(),
            quantity,
        ))?;
    }
    Ok(())
}

/// Counts what was received by projects that are still there.
pub(super) fn count_received(
    tx: &Transaction<'_>,
    batch: &Batch,
    projects: &HashSet<ProjectId>,
) -> Result<()> {
    let mut totals: BTreeMap<(ProjectId, i64, Category), u64> = BTreeMap::new();
    for count in &batch.received {
        if projects.contains(&count.project) {
            let key = (count.project, hour_of(count.received_at), count.category);
            *totals.entry(key).or_default() += count.quantity;
        }
    }
    let mut statement = tx.prepare_cached(
        "insert into received (project_id, hour, category, quantity)
         values (?1, ?2, ?3, ?4)
         on conflict (project_id, hour, category)
         do update set quantity = quantity + excluded.quantity",
    )?;
    for ((project, hour, category), quantity) in totals {
        statement.execute((project.get(), hour, category.as_str(), quantity))?;
    }
    Ok(())
}
