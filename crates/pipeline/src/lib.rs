//! An event's way in: expand, normalize, scrub, group, record. Decides every outcome.
//!
//! # Layout
//! - [`driver`]: follows the journal: prepares batches, records them, quarantines poison
//! - [`expand`]: a record to its items
//! - [`explain`]: how an event was grouped, as JSON
//! - [`filter`]: what projects do not want
//! - [`group`]: hashes, explanation, and the summary that is recorded
//! - [`inbound`]: what a project says of filters and secrets, ready for use
//! - [`normalize`]: one shape, in bounds, times right
//! - [`prepare`]: the steps in order, from a record to an event to store
//! - [`received`]: what a journal record holds; written by ingest, read by the pipeline
//! - `reduce`: a large envelope without what nobody looks at
//! - [`scrub`]: no secrets
//! - [`summary`]: title, culprit, who, where, when
//! - `user_agent`: browser, system and device by their name

#![warn(missing_docs)]

pub mod driver;
pub mod expand;
pub mod explain;
pub mod filter;
pub mod group;
pub mod inbound;
pub mod normalize;
pub mod prepare;
pub mod received;
mod reduce;
pub mod scrub;
pub mod summary;
mod user_agent;
