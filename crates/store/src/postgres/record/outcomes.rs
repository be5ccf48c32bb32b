//! Counts what a batch received, and how it ended.

use crate::Result;
use crate::postgres::{Tx, execute};
use crate::record::assign::{Fate, Projects};
use crate::record::{Batch, outcomes};

/// Counts outcomes of projects that are still there.
pub(in crate::postgres) async fn count(
    tx: &Tx<'_>,
    batch: &Batch,
    fates: &[Fate],
    projects: &Projects,
) -> Result<()> {
    let totals = outcomes::ended(batch, fates, projects);
    let (mut projects, mut hours, mut categories) = (Vec::new(), Vec::new(), Vec::new());
    let (mut outcomes, mut reasons, mut quantities) = (Vec::new(), Vec::new(), Vec::new());
    for ((project, hour, category, outcome), quantity) in &totals {
        projects.push(i64::from(project.get()));
        hours.push(hour);
        categories.push(category.as_str());
        outcomes.push(outcome.as_str());
        reasons.push(outcome.reason());
        quantities.push(quantity.cast_signed());
    }
    execute(
        tx,
        "insert into outcomes as o (project_id, hour, category, outcome, reason, quantity)
         select *
         from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::bigint[])
         on conflict (project_id, hour, category, outcome, reason)
         do update set quantity = o.quantity + excluded.quantity",
        &[
            &projects,
            &hours,
            &categories,
            &outcomes,
            &reasons,
            &quantities,
        ],
    )
    .await?;
    Ok(())
}

/// Counts what was received by projects that are still there.
pub(in crate::postgres) async fn count_received(
    tx: &Tx<'_>,
    batch: &Batch,
    projects: &Projects,
) -> Result<()> {
    let totals = outcomes::received(batch, projects);
    let (mut projects, mut hours) = (Vec::new(), Vec::new());
    let (mut categories, mut quantities) = (Vec::new(), Vec::new());
    for ((project, hour, category), quantity) in &totals {
        projects.push(i64::from(project.get()));
        hours.push(hour);
        categories.push(category.as_str());
        quantities.push(quantity.cast_signed());
    }
    execute(
        tx,
        "insert into received as r (project_id, hour, category, quantity)
         select *
         from unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[])
         on conflict (project_id, hour, category)
         do update set quantity = r.quantity + excluded.quantity",
        &[&projects, &hours, &categories, &quantities],
    )
    .await?;
    Ok(())
}
