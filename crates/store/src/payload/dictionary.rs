//! Compression dictionaries: when to train one, and from how much.
//!
//! Events of the same programs share most of their bytes. A dictionary trained from stored events
//! knows these bytes, so that even a single event compresses well.

/// Bytes of a dictionary.
const DICTIONARY_BYTES: usize = 110 << 10;
/// Bytes of events that a dictionary is trained from. With half of it, single events of 200 faults
/// took a third more; with three times as much, no less.
pub(crate) const SAMPLE_BYTES_MAX: usize = 8 << 20;
/// Events that a dictionary is trained from.
pub(crate) const SAMPLES_MAX: usize = 1_000;
/// Stored events at which a dictionary is trained, again and again while the mix settles.
const TRAIN_AT_EVENTS: [u64; 4] = [200, 2_000, 20_000, 200_000];

/// Whether it is time to train: a mark lies between the last training and now.
pub(crate) fn is_due(trained_at_events: u64, stored_events: u64) -> bool {
    TRAIN_AT_EVENTS
        .into_iter()
        .any(|mark| trained_at_events < mark && mark <= stored_events)
}

/// Trains a dictionary; `None` when the samples are too few or too much alike.
pub(crate) fn train(samples: &[Vec<u8>]) -> Option<Vec<u8>> {
    zstd::dict::from_samples(samples, DICTIONARY_BYTES).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn training_is_due_once_per_mark() {
        assert!(!is_due(0, 199));
        assert!(is_due(0, 200));
        assert!(!is_due(200, 1_999));
        assert!(is_due(250, 2_000));
        assert!(!is_due(200_000, u64::MAX));
    }
}
