//! Events that others of their issues are compressed against.
//!
//! A cache of what is on disk anyway: whoever is not found here is compressed without, and may
//! become the next base itself. The key has the partition and the hash that decides in it, so that
//! a base and those that need it are dropped, deleted, merged and split together.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use copal_protocol::EventId;

use crate::record::bundle::Key;

/// Bytes of bases in memory, at most: some 600 issues of 27 KB an event, of which half are certain
/// to stay.
const BASES_BYTES_MAX: usize = 16 << 20;
/// Bytes of an event that can be a base: each use has to read them.
pub(crate) const BASE_BYTES_MAX: usize = 128 << 10;

/// An event that others are compressed against.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Base {
    /// The event, which is stored.
    pub(crate) event: EventId,
    /// Its bytes.
    pub(crate) bytes: Vec<u8>,
}

/// Bases by key. What has not been used since half of the room was filled is dropped.
#[derive(Default)]
pub(crate) struct Bases {
    known: Mutex<Generations>,
}

#[derive(Default)]
struct Generations {
    young: HashMap<Key, Arc<Base>>,
    young_bytes: usize,
    old: HashMap<Key, Arc<Base>>,
}

impl Bases {
    /// The base to compress an event with this key against.
    pub(crate) fn find(&self, key: &Key) -> Option<Arc<Base>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(base) = known.young.get(key) {
            return Some(Arc::clone(base));
        }
        let base = known.old.remove(key)?;
        known.add(*key, Arc::clone(&base));
        Some(base)
    }

    /// Makes an event a base. It must be stored, and its transaction committed.
    pub(crate) fn add(&self, key: Key, base: Base) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.add(key, Arc::new(base));
    }

    /// Forgets all, since some may have been deleted.
    pub(crate) fn forget(&self) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Generations::default();
    }
}

impl Generations {
    fn add(&mut self, key: Key, base: Arc<Base>) {
        self.young_bytes += base.bytes.len();
        self.young.insert(key, base);
        if self.young_bytes > BASES_BYTES_MAX / 2 {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use copal_model::ProjectId;
    use uuid::Uuid;

    use super::*;

    fn key(hash: u8) -> Key {
        (ProjectId::new(1).unwrap(), 0, 30, Some([hash; 16]))
    }

    fn base(number: u128) -> Base {
        Base {
            event: EventId::new(Uuid::from_u128(number)),
            bytes: vec![0; BASES_BYTES_MAX / 8],
        }
    }

    #[test]
    fn what_is_used_stays_and_the_rest_makes_room() {
        let bases = Bases::default();
        for hash in 0..40 {
            bases.add(key(hash), base(hash.into()));
            assert_eq!(bases.find(&key(0)).unwrap().event, base(0).event, "{hash}");
        }
        assert_eq!(bases.find(&key(1)), None);
        let known = bases.known.lock().unwrap();
        let kept = known.young.len() + known.old.len();
        assert!(
            kept * (BASES_BYTES_MAX / 8) <= BASES_BYTES_MAX + BASES_BYTES_MAX / 8,
            "{kept}"
        );
    }

    #[test]
    fn nothing_is_known_after_forgetting() {
        let bases = Bases::default();
        bases.add(key(1), base(1));
        bases.forget();
        assert_eq!(bases.find(&key(1)), None);
    }
}
