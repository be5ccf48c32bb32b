//! The program `copal`: one line per role.
//!
//! # Layout
//! - [`cli`]: the commands beside the server
//! - [`config`]: settings
//! - [`serve`]: the server
//! - [`ambient`]: the real clock and the real randomness

mod ambient;
mod cli;
mod config;
mod serve;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
