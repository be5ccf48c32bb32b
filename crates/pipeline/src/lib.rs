//! An event's way in: expand, normalize, scrub, group, record. Decides every outcome.
//!
//! # Layout
//! - [`received`]: what a journal record holds; written by ingest, read by the pipeline

#![warn(missing_docs)]

pub mod received;
