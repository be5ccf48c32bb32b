//! Breaks Copal on purpose, one protection at a time: each is a mutant, and the isolation suite must
//! notice every one of them. `script/sabotage` counts how many it does.
//!
//! # Layout
//! - [`mutants`]: what can be broken, what is broken now, and what has been passed by
//! - [`statements`]: the conditions of a SQL statement, and the statement without one of them
//! - `connection`: SQLite connections whose statements can be broken. With the feature `armed` this
//!   crate stands in for `rusqlite` in `copal-store`, under that name, so that no statement that is
//!   written there can be forgotten here.
//!
//! It is never part of a program that people run: the feature is off by default everywhere, a build
//! with optimizations and the feature does not compile, and `copal` itself does not know the feature.

#[cfg(all(feature = "armed", not(debug_assertions)))]
compile_error!("sabotage is for tests: a build that people run must not have the feature");

#[cfg(feature = "armed")]
mod connection;
pub mod mutants;
pub mod statements;

#[cfg(feature = "armed")]
pub use connection::{Connection, Transaction};
#[cfg(feature = "armed")]
pub use rusqlite::*;
