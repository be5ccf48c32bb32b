//! Counts what a batch received, and how it ended.

use rusqlite::Transaction;

use crate::Result;
use crate::record::assign::{Fate, Projects};
use crate::record::{Batch, outcomes};

/// Counts outcomes of projects that are still there.
pub(in crate::sqlite) fn count(
    tx: &Transaction<'_>,
    batch: &Batch,
    fates: &[Fate],
    projects: &Projects,
) -> Result<()> {
    let mut statement = tx.prepare_cached(
        "insert into outcomes (project_id, hour, category, outcome, reason, quantity)
         values (?1, ?2, ?3, ?4, ?5, ?6)
         on conflict (project_id, hour, category, outcome, reason)
         do update set quantity = quantity + excluded.quantity",
    )?;
    for ((project, hour, category, outcome), quantity) in outcomes::ended(batch, fates, projects) {
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
pub(in crate::sqlite) fn count_received(
    tx: &Transaction<'_>,
    batch: &Batch,
    projects: &Projects,
) -> Result<()> {
    let mut statement = tx.prepare_cached(
        "insert into received (project_id, hour, category, quantity)
         values (?1, ?2, ?3, ?4)
         on conflict (project_id, hour, category)
         do update set quantity = quantity + excluded.quantity",
    )?;
    for ((project, hour, category), quantity) in outcomes::received(batch, projects) {
        statement.execute((project.get(), hour, category.as_str(), quantity))?;
    }
    Ok(())
}
