//! `copal migrate`: opening the store brings its schema up to date, so all that is left is to say so.

use super::{Context, out};
use crate::data;

/// Runs the command.
#[expect(clippy::unnecessary_wraps, reason = "all commands have the same shape")]
pub(super) fn run(context: &Context) -> anyhow::Result<()> {
    out::line(&format!(
        "The schema in {} is up to date.",
        data::place(&context.config)
    ));
    Ok(())
}
