//! What SDKs say: DSN, credentials, envelopes, items and events. Bytes to types and back.
//!
//! No I/O, no clock, no randomness. Everything here reads hostile input: nothing panics, and what is
//! of a wrong type is dropped and noted, never an error, as the SDK event spec asks.

#![warn(missing_docs)]

pub mod event_id;

pub use event_id::EventId;
