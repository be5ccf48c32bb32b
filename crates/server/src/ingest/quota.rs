//! Organizations whose plan has no room left in the month, in memory, and what was refused of it.
//!
//! The store decides, event by event, when it records them. Here SDKs are only told early: what is
//! remembered is at most [`QUOTA_REFRESH_EVERY`] old, and an event that was let in meanwhile ends in
//! the store as limited.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use copal_model::{Category, Month, OrgId, Outcome, ProjectId, Timestamp};
use copal_store::record::OutcomeCount;
use copal_store::{Error, Store};

/// How often the store is asked which organizations are full: SDKs hear of it within a second.
pub const QUOTA_REFRESH_EVERY: Duration = Duration::from_millis(500);
/// The longest time that SDKs are asked to wait, in seconds: a plan may change (Relay: at most 300).
const RETRY_SECS_MAX: i64 = 300;
/// Microseconds in an hour, by which refused items are counted.
const HOUR: i64 = 3_600_000_000;

/// Which organizations are full, and what was refused since it was last counted.
pub(super) struct Quotas {
    store: Arc<dyn Store>,
    full: RwLock<Full>,
    refused: Mutex<Refused>,
}

/// Events by project, hour and why they were refused.
type Refused = BTreeMap<(ProjectId, i64, Outcome), u64>;

/// Organizations without room, in the month that they were asked for.
#[derive(Default)]
struct Full {
    month: Option<Month>,
    orgs: HashSet<OrgId>,
}

impl Quotas {
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            full: RwLock::default(),
            refused: Mutex::default(),
        }
    }

    /// Seconds after which there may be room again; `None` while there is some.
    pub(super) fn retry_secs(&self, org: OrgId, now: Timestamp) -> Option<u32> {
        let month = Month::of(now);
        let full = self.full.read().unwrap_or_else(PoisonError::into_inner);
        // A new month has begun since the store was asked: there is room.
        if full.month != Some(month) || !full.orgs.contains(&org) {
            return None;
        }
        let secs = month.renews_at().duration_since(now).as_secs();
        u32::try_from(secs.clamp(1, RETRY_SECS_MAX)).ok()
    }

    /// Notes an event that was refused, to be counted.
    pub(super) fn note(&self, project: ProjectId, now: Timestamp, why: Outcome) {
        let micros = now.as_microsecond();
        let key = (project, micros - micros.rem_euclid(HOUR), why);
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        *refused.entry(key).or_default() += 1;
    }

    /// Asks which organizations are full, and has counted what was refused.
    pub(super) async fn refresh(&self, now: Timestamp) {
        match self.store.list_full(now).await {
            Ok(orgs) => {
                let mut full = self.full.write().unwrap_or_else(PoisonError::into_inner);
                full.month = Some(Month::of(now));
                full.orgs = orgs.into_iter().collect();
            }
            // What was known stays good; whoever asks for changes of keys says that it is away.
            Err(Error::Unavailable(_)) => return,
            Err(error) => tracing::error!(%error, "cannot ask which organizations are full"),
        }
        self.count_refused().await;
    }

    async fn count_refused(&self) {
        let taken = {
            let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *refused)
        };
        if taken.is_empty() {
            return;
        }
        let counts = taken
            .iter()
            .map(|((project, hour, why), quantity)| OutcomeCount {
                project: *project,
                received_at: Timestamp::from_microsecond(*hour).unwrap_or(Timestamp::UNIX_EPOCH),
                category: Category::Error,
                outcome: why.clone(),
                quantity: *quantity,
            });
        match self.store.count_refused(counts.collect()).await {
            Ok(()) => {}
            Err(Error::Unavailable(_)) => self.put_back(taken),
            Err(error) => tracing::error!(%error, "cannot count what was refused"),
        }
    }

    /// Keeps counts for the next time.
    fn put_back(&self, taken: Refused) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, quantity) in taken {
            *refused.entry(key).or_default() += quantity;
        }
    }
}
