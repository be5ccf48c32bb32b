//! Which events of a batch share a payload frame.

use std::collections::{HashMap, HashSet};

use copal_model::ProjectId;

use super::plan::day_of;
use super::{GroupHash, NewEvent};
use crate::payload::{FRAME_BYTES_MAX, bytes_of};

/// What events of one frame have in common: a partition, and the hash that decides, hence the
/// issue. A frame dies with its issue.
pub(crate) type Key = (ProjectId, i64, u16, Option<GroupHash>);

/// What an event has in common with those of its frame.
pub(crate) fn key_of(event: &NewEvent) -> Key {
    (
        event.scope.project(),
        day_of(event.received_at),
        event.retention_days,
        event.grouping.hashes.first().copied(),
    )
}

/// Indexes of the events of each frame, in the order of the batch. An event whose id the batch has
/// had before is in none.
pub(crate) fn bundles(events: &[NewEvent]) -> Vec<Vec<usize>> {
    let mut bundles: Vec<Vec<usize>> = Vec::new();
    let mut open: HashMap<Key, (usize, usize)> = HashMap::new();
    let mut seen = HashSet::with_capacity(events.len());
    for (index, event) in events.iter().enumerate() {
        if !seen.insert((event.scope.project(), event.event_id)) {
            continue;
        }
        let key = key_of(event);
        let bytes = bytes_of(event);
        match open.get_mut(&key) {
            Some((bundle, filled)) if *filled + bytes <= FRAME_BYTES_MAX => {
                bundles[*bundle].push(index);
                *filled += bytes;
            }
            _ => {
                open.insert(key, (bundles.len(), bytes));
                bundles.push(vec![index]);
            }
        }
    }
    bundles
}
