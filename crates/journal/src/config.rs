//! Limits of the journal.

use std::time::Duration;

/// The largest record, in bytes: the largest request (100 MiB decoded) and what ingest notes
/// about it.
pub const RECORD_BYTES_MAX: usize = 101 * 1024 * 1024;

/// Where a segment ends and the next begins, in bytes. Only a single larger record goes beyond.
pub const SEGMENT_BYTES_DEFAULT: u64 = 64 * 1024 * 1024;

/// How much may wait for the store before appends are refused, in bytes of segment files.
pub const BACKLOG_BYTES_DEFAULT: u64 = 4 * 1024 * 1024 * 1024;

/// How large a wholly consumed last segment may get before it is deleted too, in bytes. It keeps
/// what SDKs sent from lying about unscrubbed, at the cost of a new file each time.
pub const CONSUMED_BYTES_DEFAULT: u64 = 4 * 1024 * 1024;

/// What is written with one call and synced at once, at most, in bytes; a larger record goes alone.
pub(crate) const BATCH_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// Records written with one call, at most: two buffers each, and Linux takes 1,024 (`IOV_MAX`).
pub(crate) const BATCH_RECORDS_MAX: usize = 512;

/// All that `quarantine/` may hold, in bytes. Beyond, damage is still counted but not copied.
pub(crate) const QUARANTINE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// How long the journal is told to be full after it has refused a record for want of room. Nobody
/// need send one to find out that there is room again.
pub(crate) const FULL_FOR: Duration = Duration::from_secs(10);

/// Limits that an operator, or a test, may set.
#[derive(Debug, Clone)]
pub struct Config {
    /// See [`SEGMENT_BYTES_DEFAULT`].
    pub segment_bytes: u64,
    /// See [`BACKLOG_BYTES_DEFAULT`].
    pub backlog_bytes_max: u64,
    /// See [`CONSUMED_BYTES_DEFAULT`].
    pub consumed_bytes_max: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            segment_bytes: SEGMENT_BYTES_DEFAULT,
            backlog_bytes_max: BACKLOG_BYTES_DEFAULT,
            consumed_bytes_max: CONSUMED_BYTES_DEFAULT,
        }
    }
}

impl Config {
    /// The segment size to use: a backlog of few bytes must still consist of several segments,
    /// because only whole ones are ever freed.
    pub(crate) fn segment_bytes(&self) -> u64 {
        self.segment_bytes.min(self.backlog_bytes_max / 4)
    }
}
