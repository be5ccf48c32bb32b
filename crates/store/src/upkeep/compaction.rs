//! Which payload segments are rewritten, and how.
//!
//! Live frames are copied to a new file, which is synced; then one transaction moves their rows
//! and forgets the old segment. Until it has committed nothing refers to the new file, and
//! afterwards nothing new to the old one, which stays until the next run for those who still read
//! an earlier snapshot. A crash at any point leaves at most a file too many.

use copal_model::Timestamp;
use jiff::SignedDuration;

use crate::payload::{SegmentName, Segments};
use crate::record::plan::{DEDUPE_DAYS, SEGMENT_BYTES_MAX, day_of};
use crate::{Error, Result};

/// Dead bytes of a segment, in percent, beyond which it is rewritten at once.
const DEAD_PERCENT_MAX: i64 = 30;
/// How long any dead byte stays, at most, once no more is appended to its segment; and a dictionary
/// that knows deleted events.
const DEAD_AGE_MAX: SignedDuration = SignedDuration::from_hours(7 * 24);

/// When a segment is due.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Due {
    /// Dead bytes, in percent, beyond which it is rewritten.
    pub(crate) dead_percent: i64,
    /// Microseconds since 1970: what has been dead since is rewritten, however little it is.
    pub(crate) dead_since: i64,
    /// Bytes from which on nobody appends to it.
    pub(crate) full_at: i64,
    /// Days of partitions before this one are over: nobody appends to them.
    pub(crate) open_since_day: i64,
}

/// When segments are due at `now`.
pub(crate) fn due_at(now: Timestamp) -> Due {
    Due {
        dead_percent: DEAD_PERCENT_MAX,
        dead_since: (now - DEAD_AGE_MAX).as_microsecond(),
        full_at: SEGMENT_BYTES_MAX.cast_signed(),
        open_since_day: day_of(now) - DEDUPE_DAYS,
    }
}

/// A segment as it was when its frames were read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source {
    /// The file.
    pub(crate) segment: SegmentName,
    /// Its committed length.
    pub(crate) length: u64,
}

/// A live frame and where its copy stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moved {
    /// Where it starts in the source.
    pub(crate) from: u64,
    /// Where it starts in the copy.
    pub(crate) to: u64,
    /// How many bytes it has.
    pub(crate) length: usize,
}

/// Copies frames, given by start and length in the order of their starts, one behind the other, and
/// syncs the copy.
pub(crate) fn copy(
    segments: &Segments,
    source: SegmentName,
    target: SegmentName,
    frames: &[(u64, usize)],
) -> Result<Vec<Moved>> {
    let mut to = 0;
    let moved = frames.iter().map(|(from, length)| {
        let start = to;
        to += *length as u64;
        Moved {
            from: *from,
            to: start,
            length: *length,
        }
    });
    let moved = moved.collect();
    segments
        .copy(source, target, frames.iter().copied())
        .map_err(Error::Disk)?;
    Ok(moved)
}

/// Bytes of a copy.
pub(crate) fn length_of(moved: &[Moved]) -> u64 {
    moved.last().map_or(0, |last| last.to + last.length as u64)
}
