//! An event's way in: expand, normalize, scrub, group, record. Decides every outcome.
//!
//! # Layout
//! - [`driver`]: follows the journal: prepares batches, records them, quarantines poison
//! - [`expand`]: a record to its items
//! - [`explain`]: how an event was grouped, as JSON
//! - [`normalize`]: one shape, in bounds, times right
//! - [`received`]: what a journal record holds; written by ingest, read by the pipeline
//! - [`scrub`]: no secrets

#![warn(missing_docs)]

pub mod driver;
pub mod expand;
pub mod explain;
pub mod normalize;
pub mod received;
pub mod scrub;
