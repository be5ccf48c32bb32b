//! Programs with unmodified SDKs, which send to the server.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A folder or file of the repository.
fn at(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A file that `script/setup` installs.
fn installed(path: &str) -> PathBuf {
    let installed = at(path);
    assert!(
        installed.exists(),
        "{path} is missing: run script/setup, which installs what the tests need"
    );
    installed
}

/// The shop of `tests/sdk/python`, with `sentry-sdk` of `PyPI`.
pub(crate) fn python(dsn: &str, arguments: &[&str]) {
    python_program(dsn, "shop.py", arguments);
}

/// Another program of `tests/sdk/python`.
pub(crate) fn python_program(dsn: &str, program: &str, arguments: &[&str]) {
    let mut command = Command::new(installed(".venv/bin/python"));
    command.arg(program).current_dir(at("tests/sdk/python"));
    run(command.args(arguments).env("SENTRY_DSN", dsn));
}

/// The storefront of `tests/sdk/node`, with `@sentry/node` of npm.
pub(crate) fn node(dsn: &str, arguments: &[&str]) {
    installed("tests/node_modules/@sentry/node");
    let mut command = Command::new("node");
    command.arg(at("tests/sdk/node/storefront.mjs"));
    run(command.args(arguments).env("SENTRY_DSN", dsn));
}

/// The page of `tests/sdk/browser` in headless Chromium, with `@sentry/browser` of npm.
pub(crate) fn browser(dsn: &str, arguments: &[&str]) {
    installed("tests/node_modules/@sentry/browser");
    let mut command = Command::new("node");
    command.arg(at("tests/sdk/browser/click.mjs")).arg(dsn);
    run(command.args(arguments));
}

/// The worker of `tests/sdk/rust`, with the `sentry` crate.
pub(crate) fn rust(dsn: &str, arguments: &[&str]) {
    let program = Path::new(env!("CARGO_BIN_EXE_copal")).with_file_name("examples/sdk-worker");
    assert!(
        program.exists(),
        "the worker is not built: run `cargo build --example sdk-worker`"
    );
    run(Command::new(program).args(arguments).env("SENTRY_DSN", dsn));
}

fn run(command: &mut Command) {
    let output = command
        .env("NO_PROXY", "127.0.0.1")
        .output()
        .unwrap_or_else(|error| {
            panic!("cannot run {command:?}: {error}; script/setup installs it")
        });
    assert!(
        output.status.success(),
        "{command:?} failed; has script/setup run?\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
