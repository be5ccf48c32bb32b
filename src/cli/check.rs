//! `copal check`: what durability rests on, one line each.

use anyhow::bail;

use super::{Context, out};
use crate::data;

/// Runs the command. Settings and schema hold already, or it would not have come so far.
pub(super) async fn run(context: &Context) -> anyhow::Result<()> {
    out::line("ok      settings can be used");
    out::line(&format!(
        "ok      {} opens, its schema is up to date",
        data::place(&context.config)
    ));
    let guarantees = context.store.guarantees().await?;
    let mut broken = 0;
    for guarantee in guarantees {
        match guarantee.broken {
            None => out::line(&format!("ok      {}", guarantee.promise)),
            Some(why) => {
                broken += 1;
                out::line(&format!("failed  {}: {why}", guarantee.promise));
            }
        }
    }
    match broken {
        0 => Ok(()),
        1 => bail!("1 check failed"),
        _ => bail!("{broken} checks failed"),
    }
}
