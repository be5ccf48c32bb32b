//! End to end, against the real program.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod api;
mod backup;
mod cli;
mod corpus;
mod demo;
mod durability;
mod guarantees;
mod ingest;
mod operate;
mod outage;
mod sdk;
mod several;
mod support;
mod tls;
