//! `copal fsck`: the invariants, verified without a write.

use anyhow::bail;
use copal_store::upkeep::Upkeep as _;

use super::{Context, out};

/// Runs the command.
pub(super) async fn run(context: &Context) -> anyhow::Result<()> {
    let report = context.store.fsck().await?;
    for violation in &report.violations {
        out::line(&format!("{}: {}", violation.invariant, violation.detail));
    }
    let (checked, violations) = (report.checked.len(), report.violations.len());
    out::line(&format!(
        "fsck: {checked} invariants, {violations} violations"
    ));
    match violations {
        0 => Ok(()),
        _ => bail!("{violations} invariants do not hold"),
    }
}
