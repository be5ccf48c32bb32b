//! Which frames of a batch are appended, and what is remembered of them.

use std::collections::BTreeMap;

use copal_model::IssueId;
use copal_protocol::EventId;

use super::assign::{Assigned, Fate};
use super::bundle::{bundles, key_of};
use super::{Batch, NewEvent, Recorded, texts};
use crate::Result;
use crate::payload::{Codec, Encoded, Frame, Place};

/// Makes the texts of a batch storable and takes its payloads into frames.
pub(crate) fn encode(codec: &Codec, mut batch: Batch) -> Result<(Batch, Encoded)> {
    texts::clean_all(&mut batch);
    let encoded = codec.encode(&batch.events, bundles(&batch.events))?;
    for event in &mut batch.events {
        event.payload = Vec::new();
    }
    Ok((batch, encoded))
}

/// Frames that hold events to keep, by partition: their indexes, in the order of the batch.
pub(crate) fn kept(encoded: &Encoded, fates: &[Fate]) -> BTreeMap<i64, Vec<usize>> {
    let mut kept: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
    for (at, frame) in encoded.frames.iter().enumerate() {
        if let Some(assigned) = frame.events.iter().find_map(|at| fates[*at].kept()) {
            kept.entry(assigned.partition).or_default().push(at);
        }
    }
    kept
}

/// Events that kept frames are compressed against, by partition: each must still be stored, of the
/// issue that is named.
pub(crate) fn bases(encoded: &Encoded, fates: &[Fate]) -> BTreeMap<i64, Vec<(IssueId, EventId)>> {
    let mut bases: BTreeMap<i64, Vec<_>> = BTreeMap::new();
    for frame in &encoded.frames {
        if let Some(assigned) = frame.events.iter().find_map(|at| fates[*at].kept())
            && let Some(base) = frame.base
        {
            let of_partition = bases.entry(assigned.partition).or_default();
            of_partition.push((assigned.issue, base));
        }
    }
    bases
}

/// Gives the events of a frame their places.
pub(crate) fn place(frame: &Frame, place: Place, places: &mut [Option<Place>]) {
    for (ordinal, index) in frame.events.iter().enumerate() {
        places[*index] = Some(Place { ordinal, ..place });
    }
}

/// The events that are kept, with where they go.
pub(crate) fn stored<'a>(
    events: &'a [NewEvent],
    fates: &'a [Fate],
    places: &'a [Option<Place>],
) -> impl Iterator<Item = (&'a NewEvent, &'a Assigned, &'a Place)> {
    std::iter::zip(events, std::iter::zip(fates, places))
        .filter_map(|(event, (fate, place))| Some((event, fate.kept()?, place.as_ref()?)))
}

/// Lets later events be compressed against those that have just been stored.
pub(crate) fn add_bases(codec: &Codec, batch: &Batch, encoded: Encoded, recorded: &Recorded) {
    for frame in encoded.frames {
        let Some(first) = frame.events.first().copied() else {
            continue;
        };
        if let Some(base) = frame.new_base
            && recorded.events[first].issue.is_some()
        {
            codec.bases.add(key_of(&batch.events[first]), base);
        }
    }
}
