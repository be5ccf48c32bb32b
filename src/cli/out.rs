//! What commands print: text or JSON on stdout, one sentence on stderr when they fail.

use std::process::ExitCode;

use serde::Serialize;

/// It failed.
const FAILED: u8 = 1;
/// Storage failed: a write or fsync error.
const STORAGE_FAILED: u8 = 3;

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

/// Says in one sentence why the command failed; answers its exit code.
#[expect(clippy::print_stderr, reason = "a command's complaint goes to stderr")]
pub(super) fn failure(error: &anyhow::Error) -> ExitCode {
    eprintln!("copal: {}", sentence(error));
    let is_disk = error.chain().any(|cause| {
        matches!(
            cause.downcast_ref::<copal_store::Error>(),
            Some(copal_store::Error::Disk(_))
        )
    });
    ExitCode::from(if is_disk { STORAGE_FAILED } else { FAILED })
}

fn sentence(error: &anyhow::Error) -> String {
    let mut sentence = String::new();
    for cause in error.chain() {
        let text = cause.to_string().replace('\n', " ");
        // Some errors repeat their cause in their own text.
        if sentence.ends_with(&text) {
            continue;
        }
        if !sentence.is_empty() {
            sentence.push_str(": ");
        }
        sentence.push_str(&text);
    }
    sentence
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    #[test]
    fn a_cause_is_told_once_and_on_one_line() {
        let disk = copal_store::Error::Disk(std::io::Error::other("no\nspace"));
        let error = Err::<(), _>(disk).context("cannot open").unwrap_err();
        assert_eq!(
            sentence(&error),
            "cannot open: the store's disk failed: no space"
        );
        assert_eq!(failure(&error), ExitCode::from(STORAGE_FAILED));
        assert_eq!(failure(&anyhow::anyhow!("x")), ExitCode::from(FAILED));
    }
}
