//! Client keys in memory. A lookup asks the store only for what it has not asked since the store's
//! change token moved.
//!
//! While the store is away what was known stays good: an SDK must not lose events because of it.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use copal_store::access::KeyAccess;
use copal_store::{Error, Store};
use tokio::sync::Semaphore;

use super::rejection::Rejection;

/// Known keys in memory; about 100 bytes each.
const KNOWN_MAX: usize = 100_000;
/// Unknown keys in memory. Garbage must not fill it: beyond, all of them are forgotten.
const UNKNOWN_MAX: usize = 10_000;
/// Lookups in the store at the same time: a crowd that comes with one key waits for its answer, and
/// who tries out keys does not keep pages from the store.
const LOOKUPS_MAX: usize = 3;

/// Client keys in memory.
pub(super) struct Keys {
    store: Arc<dyn Store>,
    lookups: Semaphore,
    cache: RwLock<Cache>,
}

/// What is remembered of a key, and what else decides whether the store is asked.
struct Remembered {
    found: Found<KeyAccess>,
    generation: u64,
    is_away: bool,
}

#[derive(Default)]
struct Cache {
    token: Option<u64>,
    table: Table<KeyAccess>,
    /// Since when the store has not answered.
    away_since: Option<Instant>,
}

/// What the store has answered about keys.
struct Table<A> {
    /// Counts changes of the store: what it answered before the last one is stale.
    generation: u64,
    known: HashMap<String, Known<A>>,
    unknown: HashSet<String>,
}

struct Known<A> {
    access: A,
    generation: u64,
}

/// What is remembered of a key.
#[derive(Debug, PartialEq, Eq)]
enum Found<A> {
    Known(A),
    /// It was known before the store last changed.
    Stale(A),
    /// The store has no such key.
    Unknown,
    /// It has not been asked.
    Nothing,
}

impl<A> Default for Table<A> {
    fn default() -> Self {
        Self {
            generation: 0,
            known: HashMap::new(),
            unknown: HashSet::new(),
        }
    }
}

impl<A: Clone> Table<A> {
    fn get(&self, key: &str) -> Found<A> {
        match self.known.get(key) {
            Some(known) if known.generation == self.generation => {
                Found::Known(known.access.clone())
            }
            Some(known) => Found::Stale(known.access.clone()),
            None if self.unknown.contains(key) => Found::Unknown,
            None => Found::Nothing,
        }
    }

    /// Keeps an answer that was asked for in a generation, unless the store has changed since.
    fn put(&mut self, key: &str, access: Option<A>, generation: u64) {
        if generation != self.generation {
            return;
        }
        let Some(access) = access else {
            self.known.remove(key);
            if self.unknown.len() >= UNKNOWN_MAX {
                self.unknown.clear();
            }
            self.unknown.insert(key.to_owned());
            return;
        };
        if self.known.len() >= KNOWN_MAX && !self.known.contains_key(key) {
            self.known.clear();
        }
        let known = Known { access, generation };
        self.known.insert(key.to_owned(), known);
    }

    /// From now on everything has to be asked for again.
    fn outdate(&mut self) {
        self.generation += 1;
        self.unknown.clear();
    }
}

impl Remembered {
    /// The answer that needs no store; `None` when it has to be asked.
    fn answer(&self) -> Option<Result<KeyAccess, Rejection>> {
        match &self.found {
            Found::Known(access) => Some(admit(Some(access.clone()))),
            Found::Unknown => Some(Err(Rejection::Refused)),
            // Everybody would wait for the same answer that nobody gets.
            Found::Stale(access) if self.is_away => Some(admit(Some(access.clone()))),
            Found::Nothing if self.is_away => Some(Err(Rejection::Unavailable)),
            Found::Stale(_) | Found::Nothing => None,
        }
    }
}

impl Keys {
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            lookups: Semaphore::new(LOOKUPS_MAX),
            cache: RwLock::default(),
        }
    }

    /// Lets an active key in.
    pub(super) async fn open(&self, key: &str) -> Result<KeyAccess, Rejection> {
        if let Some(access) = self.remembered(key).answer() {
            return access;
        }
        let permit = self.lookups.acquire().await;
        // Somebody may have got the answer meanwhile.
        let remembered = self.remembered(key);
        if let Some(access) = remembered.answer() {
            return access;
        }
        let answer = self.store.open_key(key).await;
        drop(permit);
        match (answer, remembered.found) {
            (Ok(access), _) => {
                let mut cache = self.cache.write().unwrap_or_else(PoisonError::into_inner);
                let generation = remembered.generation;
                cache.table.put(key, access.clone(), generation);
                admit(access)
            }
            (Err(Error::Unavailable(_)), Found::Stale(access)) => admit(Some(access)),
            // Said once, by whoever asks for changes.
            (Err(Error::Unavailable(_)), _) => Err(Rejection::Unavailable),
            (Err(error), _) => {
                tracing::error!(%error, "cannot look up a client key");
                Err(Rejection::Unavailable)
            }
        }
    }

    fn remembered(&self, key: &str) -> Remembered {
        let cache = self.cache.read().unwrap_or_else(PoisonError::into_inner);
        Remembered {
            found: cache.table.get(key),
            generation: cache.table.generation,
            is_away: cache.away_since.is_some(),
        }
    }

    /// Asks again from now on when another process, or this one, has changed something. Says when
    /// the store goes away, and when it is back.
    pub(super) async fn refresh(&self) {
        let answer = self.store.change_token().await;
        let mut cache = self.cache.write().unwrap_or_else(PoisonError::into_inner);
        match answer {
            Ok(token) => {
                if let Some(since) = cache.away_since.take() {
                    let secs = since.elapsed().as_secs();
                    tracing::info!(secs, "the store answers again");
                }
                if cache.token.replace(token) != Some(token) {
                    cache.table.outdate();
                }
            }
            Err(Error::Unavailable(why)) => {
                if cache.away_since.is_none() {
                    cache.away_since = Some(Instant::now());
                    tracing::warn!(
                        why,
                        "the store does not answer: events are taken in all the same"
                    );
                }
            }
            Err(error) => tracing::error!(%error, "cannot ask for changes of keys"),
        }
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
        table.put("right", Some(7), 0);
        for number in 0..UNKNOWN_MAX {
            table.put(&key(number), None, 0);
        }
        assert_eq!(table.unknown.len(), UNKNOWN_MAX);
        assert_eq!(table.get(&key(0)), Found::Unknown);
        table.put(&key(UNKNOWN_MAX), None, 0);
        assert_eq!(table.unknown.len(), 1);
        assert_eq!(table.get(&key(0)), Found::Nothing);
        assert_eq!(table.get(&key(UNKNOWN_MAX)), Found::Unknown);
        assert_eq!(table.get("right"), Found::Known(7));
    }

    #[test]
    fn known_keys_have_a_limit_too() {
        let mut table = Table::default();
        for number in 0..KNOWN_MAX {
            table.put(&key(number), Some(number), 0);
        }
        assert_eq!(table.get(&key(0)), Found::Known(0));
        table.put(&key(0), Some(1), 0);
        assert_eq!(table.get(&key(0)), Found::Known(1));
        assert_eq!(table.known.len(), KNOWN_MAX);
        table.put(&key(KNOWN_MAX), Some(KNOWN_MAX), 0);
        assert_eq!(table.known.len(), 1);
        assert_eq!(table.get(&key(0)), Found::Nothing);
        assert_eq!(table.get(&key(KNOWN_MAX)), Found::Known(KNOWN_MAX));
    }

    #[test]
    fn a_change_of_the_store_outdates_what_is_known() {
        let mut table = Table::default();
        table.put("a", Some(1), 0);
        table.put("b", Some(2), 0);
        table.put("c", None, 0);
        table.outdate();
        assert_eq!(table.get("a"), Found::Stale(1));
        assert_eq!(table.get("c"), Found::Nothing);
        // Asked for before the change: too old to be kept.
        table.put("a", Some(1), 0);
        assert_eq!(table.get("a"), Found::Stale(1));
        table.put("a", Some(3), 1);
        table.put("b", None, 1);
        assert_eq!(table.get("a"), Found::Known(3));
        assert_eq!(table.get("b"), Found::Unknown);
    }
}
