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
    known: HashMap<String, KeyAccess>,
    unknown: HashSet<String>,
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
            if let Some(access) = cache.known.get(key) {
                return admit(Some(access.clone()));
            }
            if cache.unknown.contains(key) {
                return Err(Rejection::Refused);
            }
            cache.generation
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
                        ..Cache::default()
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
        if let Some(access) = access {
            if cache.known.len() >= KNOWN_MAX {
                cache.known.clear();
            }
            cache.known.insert(key.to_owned(), access);
        } else {
            if cache.unknown.len() >= UNKNOWN_MAX {
                cache.unknown.clear();
            }
            cache.unknown.insert(key.to_owned());
        }
    }
}

fn admit(access: Option<KeyAccess>) -> Result<KeyAccess, Rejection> {
    access
        .filter(|access| access.is_active)
        .ok_or(Rejection::Refused)
}
