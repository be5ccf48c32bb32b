//! A worker that fails in a few ways, watched by the unmodified `sentry` crate.
//!
//! Used twice: the end-to-end tests send from it, and `script/capture` records what it sends as
//! the events of `copal demo`. Usage: `SENTRY_DSN=… sdk-worker [ROUNDS]`

use std::fmt;
use std::num::ParseIntError;

use sentry::protocol::User;

#[derive(Debug)]
struct ImportError {
    line: usize,
    source: ParseIntError,
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} could not be imported", self.line)
    }
}

impl std::error::Error for ImportError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

fn import(line: usize, text: &str) -> Result<u32, ImportError> {
    text.parse().map_err(|source| ImportError { line, source })
}

fn settle(accounts: &[u32], index: usize) -> u32 {
    accounts[index]
}

#[expect(
    clippy::field_reassign_with_default,
    reason = "the SDK's options are non-exhaustive"
)]
fn main() {
    let rounds = std::env::args()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or(1);
    let mut options = sentry::ClientOptions::default();
    options.release = Some("worker@0.3.1".into());
    options.environment = Some("production".into());
    options.attach_stacktrace = true;
    let guard = sentry::init(options);
    assert!(guard.is_enabled(), "SENTRY_DSN must be set");
    for round in 0..rounds {
        sentry::configure_scope(|scope| {
            let mut user = User::default();
            user.id = Some(format!("job-{round}"));
            scope.set_user(Some(user));
            scope.set_tag("queue", "imports");
        });
        if let Err(error) = import(17 + round, "12x") {
            sentry::capture_error(&error);
        }
        let panicked = std::thread::spawn(move || settle(&[1, 2, 3], 3 + round)).join();
        assert!(panicked.is_err(), "the worker panics on purpose");
        sentry::capture_message("the queue is empty", sentry::Level::Info);
    }
}
