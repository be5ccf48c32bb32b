//! Client keys in memory. A lookup asks the store only for what it has not asked before; all is
//! forgotten as soon as the store's change token moves.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use copal_store::Store;
use copal_store::access::KeyAccess;

use super::rejection::Rejection;

/// Known keys in memory; about 100 bytes each.
const KNOWN_MAX: usize = 100_000;
/// Unknown keys in memory. Garbage must not fill it: beyond, all of them are forgotten.
const UNKNOWN_MAX: usize = 10_000;

/// Client keys in memory.
pub(super) struct Keys {
    store: Arc<dyn Store>,
    cache: RwLock<Cache>,
}

#[derive(Default)]
struct Cache {
    token: Option<u64>,
    /// Counts how often all was forgotten: an answer asked for before that is not kept.
    generation: u64,
    table: Table<KeyAccess>,
}

/// What the store has answered about keys.
struct Table<A> {
    known: HashMap<String, A>,
    unknown: HashSet<String>,
}

/// What is remembered of a key.
#[derive(Debug, PartialEq, Eq)]
enum Found<A> {
    Known(A),
    /// The store has no such key.
    Unknown,
    /// It has not been asked.
    Nothing,
}

impl<A> Default for Table<A> {
    fn default() -> Self {
        Self {
            known: HashMap::new(),
            unknown: HashSet::new(),
        }
    }
}

impl<A: Clone> Table<A> {
    fn get(&self, key: &str) -> Found<A> {
        match self.known.get(key) {
            Some(access) => Found::Known(access.clone()),
            None if self.unknown.contains(key) => Found::Unknown,
            None => Found::Nothing,
        }
    }

    fn put(&mut self, key: &str, access: Option<A>) {
        if let Some(access) = access {
            if self.known.len() >= KNOWN_MAX {
                self.known.clear();
            }
            self.known.insert(key.to_owned(), access);
        } else {
            if self.unknown.len() >= UNKNOWN_MAX {
                self.unknown.clear();
            }
            self.unknown.insert(key.to_owned());
        }
    }
}

impl Keys {
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            cache: RwLock::default(),
        }
    }

    /// Lets an active key in.
    pub(super) async fn open(&self, key: &str) -> Result<KeyAccess, Rejection> {
        let generation = {
            let cache = self.cache.read().unwrap_or_else(PoisonError::into_inner);
            match cache.table.get(key) {
                Found::Known(access) => return admit(Some(access)),
                Found::Unknown => return Err(Rejection::Refused),
                Found::Nothing => cache.generation,
            }
        };
        let access = self.store.open_key(key).await.map_err(|error| {
            tracing::error!(%error, "cannot look up a client key");
            Rejection::Unavailable
        })?;
        self.keep(key, access.clone(), generation);
        admit(access)
    }

    /// Forgets everything when another process, or this one, has changed something.
    pub(super) async fn refresh(&self) {
        match self.store.change_token().await {
            Ok(token) => {
                let mut cache = self.cache.write().unwrap_or_else(PoisonError::into_inner);
                if cache.token != Some(token) {
                    *cache = Cache {
                        token: Some(token),
                        generation: cache.generation + 1,
                        table: Table::default(),
                    };
                }
            }
            // Known keys stay: an SDK must not lose events because the store is away.
            Err(error) => tracing::warn!(%error, "cannot ask for changes of keys"),
        }
    }

    fn keep(&self, key: &str, access: Option<KeyAccess>, generation: u64) {
        let mut cache = self.cache.write().unwrap_or_else(PoisonError::into_inner);
        if cache.generation != generation {
            return;
        }
        cache.table.put(key, access);
    }
}

fn admit(access: Option<KeyAccess>) -> Result<KeyAccess, Rejection> {
    access
        .filter(|access| access.is_active)
        .ok_or(Rejection::Refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: usize) -> String {
        format!("{number:032x}")
    }

    #[test]
    fn garbage_does_not_push_out_keys_that_are_known() {
        let mut table = Table::default();
        table.put("right", Some(7));
        for number in 0..UNKNOWN_MAX {
            table.put(&key(number), None);
        }
        assert_eq!(table.unknown.len(), UNKNOWN_MAX);
        assert_eq!(table.get(&key(0)), Found::Unknown);
        table.put(&key(UNKNOWN_MAX), None);
        assert_eq!(table.unknown.len(), 1);
        assert_eq!(table.get(&key(0)), Found::Nothing);
        assert_eq!(table.get(&key(UNKNOWN_MAX)), Found::Unknown);
        assert_eq!(table.get("right"), Found::Known(7));
    }

    #[test]
    fn known_keys_have_a_limit_too() {
        let mut table = Table::default();
        for number in 0..KNOWN_MAX {
            table.put(&key(number), Some(number));
        }
        assert_eq!(table.get(&key(0)), Found::Known(0));
        table.put(&key(KNOWN_MAX), Some(KNOWN_MAX));
        assert_eq!(table.known.len(), 1);
        assert_eq!(table.get(&key(0)), Found::Nothing);
        assert_eq!(table.get(&key(KNOWN_MAX)), Found::Known(KNOWN_MAX));
    }
}
