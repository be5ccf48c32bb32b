//! An event's way in: expand, normalize, scrub, group, record. Decides every outcome.
//!
//! # Layout
//! - [`expand`]: a record to its items
//! - [`explain`]: how an event was grouped, as JSON
//! - [`received`]: what a journal record holds; written by ingest, read by the pipeline

#![warn(missing_docs)]

pub mod expand;
pub mod explain;
pub mod received;
