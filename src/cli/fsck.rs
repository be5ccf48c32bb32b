//! `copal fsck`: the invariants, verified without a write.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use copal_journal::fs::RealFs;
use copal_journal::{Inspector, Problem};
use copal_store::upkeep::Violation;
use uuid::Uuid;

use super::{Context, out};

/// How often the journal is looked at, at most. What a server writes and deletes meanwhile may seem
/// to be missing: a problem is what two looks find at the same position.
const LOOKS_MAX: u32 = 6;

/// Runs the command.
pub(super) async fn run(context: &Context) -> anyhow::Result<()> {
    let mut report = context.store.fsck().await?;
    let problems = journal_problems(context).await?;
    report
        .violations
        .extend(problems.iter().map(|problem| Violation {
            invariant: "I-08",
            detail: problem.to_string(),
        }));
    for violation in &report.violations {
        out::line(&format!("{}: {}", violation.invariant, violation.detail));
    }
    if report.elsewhere > 0 {
        out::line(&format!(
            "{} events lie on other nodes and were not read",
            report.elsewhere
        ));
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

/// The journal's side of I-08: everything that the store does not have yet is there.
async fn journal_problems(context: &Context) -> anyhow::Result<Vec<Problem>> {
    let path = context.config.data.join("journal");
    let looking = || format!("cannot look through the journal in {}", path.display());
    let Some(inspector) = Inspector::open(&path, Arc::new(RealFs)).with_context(looking)? else {
        return Ok(Vec::new());
    };
    let id = Uuid::from_bytes(inspector.id());
    let mut before = None;
    let mut problems = Vec::new();
    for _ in 0..LOOKS_MAX {
        let position = context.store.journal_position(id).await?;
        problems = inspector
            .inspect(position.unwrap_or(0))
            .with_context(looking)?
            .problems;
        let found = Some((position, problems.clone()));
        if problems.is_empty() || found == before {
            break;
        }
        before = found;
    }
    Ok(problems)
}
