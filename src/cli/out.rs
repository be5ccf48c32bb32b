//! What commands print on stdout: text or JSON.

use serde::Serialize;

/// How a command prints what it made.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct Format {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Format {
    /// Prints `value` as JSON, or the text for people.
    #[expect(clippy::print_stdout, reason = "this is what commands are for")]
    pub(super) fn print<T: Serialize>(self, value: &T, text: &str) -> anyhow::Result<()> {
        if self.json {
            println!("{}", serde_json::to_string(value)?);
        } else {
            println!("{text}");
        }
        Ok(())
    }
}

/// Prints a line.
#[expect(clippy::print_stdout, reason = "this is what commands are for")]
pub(super) fn line(text: &str) {
    println!("{text}");
}
