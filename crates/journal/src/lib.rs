//! The durable log between ingest and pipeline.
//!
//! Append-only segment files in one private folder. A record is acknowledged only after
//! `fdatasync`; many are synced together (group commit). The reader follows behind, and segments
//! are deleted once the store has committed past them. The journal knows nothing of events: a
//! record is bytes.
