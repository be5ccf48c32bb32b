//! The program `copal`: one line per role.
//!
//! # Layout
//! - `cli`: the commands beside the server
//! - `config`: settings
//! - `data`: the data folder
//! - `serve`: the server
//! - `demo`: the server with recorded events
//! - `failure`: how the program ends when it fails
//! - `memory`: how the allocator shares memory among threads
//! - `ambient`: the real clock and the real randomness

mod ambient;
mod cli;
mod config;
mod data;
mod demo;
mod failure;
mod memory;
mod serve;

use std::process::ExitCode;

fn main() -> ExitCode {
    memory::share_heaps();
    cli::run()
}
