//! Compression dictionaries: when to train one, and from how much.
//!
//! Events of the same programs share most of their bytes. A dictionary trained from stored events
//! knows these bytes, so that even a single event compresses well.

/// Bytes of a dictionary.
const DICTIONARY_BYTES: usize = 110 << 10;
/// Bytes of events that a dictionary is trained from. More makes training slower; later events of
/// the issues that are missing do without a dictionary anyway.
const SAMPLE_BYTES_MAX: usize = 4 << 20;
/// Events that a dictionary is trained from.
const SAMPLES_MAX: usize = 1_000;
/// Stored events at which a dictionary is trained, again and again while the mix settles.
const TRAIN_AT_EVENTS: [u64; 4] = [200, 2_000, 20_000, 200_000];

/// The newest dictionary of a store: frames are compressed with it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Newest {
    /// Its id; 0 = there is none.
    pub(crate) id: u32,
    /// How many events were stored when it was trained.
    pub(crate) trained_at_events: u64,
}

/// Why a dictionary is to be trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// So many events are stored now.
    Stored(u64),
    /// This dictionary, then the newest, knows pieces of events that have been deleted.
    Replace(u32),
}

impl Occasion {
    /// Whether it still is one: another process may have been quicker.
    pub(crate) fn holds(self, newest: Newest) -> bool {
        match self {
            Self::Stored(events) => is_due(newest.trained_at_events, events),
            Self::Replace(id) => newest.id == id,
        }
    }
}

/// Whether it is time to train: a mark lies between the last training and now.
pub(crate) fn is_due(trained_at_events: u64, stored_events: u64) -> bool {
    TRAIN_AT_EVENTS
        .into_iter()
        .any(|mark| trained_at_events < mark && mark <= stored_events)
}

/// Events that a dictionary is trained from.
#[derive(Default)]
pub(crate) struct Samples {
    bytes: Vec<u8>,
    sizes: Vec<usize>,
}

impl Samples {
    /// Adds an event, given in parts.
    pub(crate) fn add(&mut self, parts: &[&[u8]]) {
        let before = self.bytes.len();
        for part in parts {
            self.bytes.extend_from_slice(part);
        }
        self.sizes.push(self.bytes.len() - before);
    }

    /// How many more are wanted.
    pub(crate) const fn wanted(&self) -> usize {
        if self.bytes.len() < SAMPLE_BYTES_MAX {
            SAMPLES_MAX - self.sizes.len()
        } else {
            0
        }
    }

    /// Trains a dictionary; `None` when the samples are too few or too much alike.
    pub(crate) fn train(&self) -> Option<Vec<u8>> {
        zstd::dict::from_continuous(&self.bytes, &self.sizes, DICTIONARY_BYTES).ok()
    }
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

    #[test]
    fn the_second_process_does_not_train_again() {
        let newest = Newest {
            id: 3,
            trained_at_events: 2_100,
        };
        assert!(Occasion::Stored(200).holds(Newest::default()));
        assert!(!Occasion::Stored(2_300).holds(newest));
        assert!(Occasion::Stored(20_000).holds(newest));
        assert!(Occasion::Replace(3).holds(newest));
        assert!(!Occasion::Replace(2).holds(newest));
    }

    #[test]
    fn samples_are_wanted_up_to_a_size_and_a_number() {
        let mut samples = Samples::default();
        samples.add(&[&vec![0; SAMPLE_BYTES_MAX - 1], b""]);
        assert_eq!(samples.wanted(), SAMPLES_MAX - 1);
        samples.add(&[b"x"]);
        assert_eq!(samples.wanted(), 0);
        let mut samples = Samples::default();
        for _ in 0..SAMPLES_MAX {
            assert!(samples.wanted() > 0);
            samples.add(&[b"x"]);
        }
        assert_eq!(samples.wanted(), 0);
        assert_eq!(Samples::default().train(), None);
    }
}
