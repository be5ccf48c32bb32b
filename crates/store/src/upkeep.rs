//! Keeping the store in order: migrations, retention, invariants, and news of other processes.
//!
//! What decides something is here, for all engines.
//!
//! # Layout
//! - `compaction`: which segments are rewritten, and how
//! - `invariants`: what is checked, and how a broken invariant is told
//! - `reading`: reads the payloads of many events

pub(crate) mod compaction;
pub(crate) mod invariants;
pub(crate) mod reading;

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use async_trait::async_trait;
use copal_model::Timestamp;

use crate::Result;

/// Issues whose counts one transaction of retention changes: some ten milliseconds.
pub(crate) const EVICTED_AT_ONCE: usize = 1_000;

/// A broken invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which, such as `I-01`.
    pub invariant: &'static str,
    /// Where and how.
    pub detail: String,
}

/// What `fsck` found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FsckReport {
    /// The invariants that were checked.
    pub checked: Vec<&'static str>,
    /// Those that do not hold.
    pub violations: Vec<Violation>,
    /// Events whose payloads lie on other nodes: these were not read.
    pub elsewhere: u64,
}

/// A guarantee that the engine gives or does not give here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guarantee {
    /// What is promised, in words.
    pub promise: &'static str,
    /// What rests on it.
    pub stake: Stake,
    /// Why it does not hold, with what to do; `None` when it does.
    pub broken: Option<String>,
}

/// What rests on a guarantee.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stake {
    /// What was acknowledged stays: a server must not start without.
    Acknowledged,
    /// Something that people should mend, while a server may run.
    Care,
}

/// What compaction did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Compacted {
    /// Payload segments that were rewritten.
    pub segments: usize,
    /// By how many bytes they are smaller now.
    pub bytes: u64,
}

/// Keeping the store in order.
#[async_trait]
pub trait Upkeep: Send + Sync {
    /// Changes whenever another process has committed something, or this one has changed anything
    /// but telemetry: time to drop caches.
    async fn change_token(&self) -> Result<u64>;

    /// Drops the partitions whose retention is over at `now`, and folds their stored counts into
    /// the evicted term of I-01. Answers how many were dropped.
    async fn drop_expired(&self, now: Timestamp) -> Result<usize>;

    /// Removes payloads of deleted events from disk: where they take much of a segment at once,
    /// else within a week after its day is over. Reading and recording go on meanwhile.
    ///
    /// The dictionary that frames are compressed with may know pieces of deleted events. A week
    /// after a deletion a new one is trained, and the old one goes with the last partition that
    /// needs it, which is when its retention is over.
    async fn compact(&self, now: Timestamp) -> Result<Compacted>;

    /// Ends sessions and tokens that are over, and forgets what only they needed.
    async fn forget_expired(&self, now: Timestamp) -> Result<()>;

    /// Checks the invariants, reading only.
    async fn fsck(&self) -> Result<FsckReport>;

    /// Checks the guarantees that durability rests on.
    async fn guarantees(&self) -> Result<Vec<Guarantee>>;

    /// The address that a running server last set.
    async fn server_address(&self) -> Result<Option<String>>;

    /// The server's address, so that commands beside it can print links; `None` clears it.
    async fn set_server_address(&self, base_url: Option<&str>) -> Result<()>;
}

/// The mode of a file or folder, where others than its owner may do anything with it.
pub(crate) fn others_may_read(path: &Path) -> io::Result<Option<u32>> {
    let mode = std::fs::metadata(path)?.permissions().mode() & 0o777;
    Ok((mode & 0o077 != 0).then_some(mode))
}
