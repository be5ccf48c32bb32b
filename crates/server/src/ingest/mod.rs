//! What SDKs call: envelopes and single events in, durable, answered.
//!
//! Nothing is built here but a journal record: the key is looked up in memory, the body counted and
//! inflated while it streams in, its framing checked, and the record appended. A 2xx is answered
//! only after the journal has synced it. What is inside an item, the pipeline decides: an event
//! that is too large or no JSON is an outcome there, not a refusal here.
//!
//! # Layout
//! - `handlers`: the endpoints
//! - `intake`: a body on its way in, within its limits
//! - `gate`: from where events may come, and how many of a key
//! - `keys`: client keys in memory
//! - `quota`: organizations whose plan has no room left
//! - `payload`: a look at an event for its id
//! - `answer`, [`rejection`]: what SDKs are told

mod answer;
mod gate;
mod handlers;
mod intake;
mod keys;
mod payload;
mod quota;
pub mod rejection;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use copal_journal::{AppendError, Journal};
use copal_model::{Clock, Entropy, Outcome, Timestamp};
use copal_pipeline::received::Received;
use copal_protocol::EventId;
use copal_protocol::limits::EVENT_BYTES_MAX;
use copal_store::access::KeyAccess;
use copal_store::{ProjectScope, Store};
use http::Method;

use crate::fresh;
use crate::routes::{Route, RouteAccess};
use gate::Windows;
use intake::Budget;
use keys::Keys;
pub use quota::QUOTA_REFRESH_EVERY;
use quota::Quotas;
use rejection::Rejection;

/// How often other processes' changes to keys are looked for; a revoked key answers 403 within a
/// second.
pub const KEYS_REFRESH_EVERY: Duration = Duration::from_millis(250);

/// The limits of ingest. The defaults are those of `ARCHITECTURE.md`.
#[derive(Debug, Clone)]
pub struct Config {
    /// Bytes of a body as sent.
    pub wire_bytes_max: usize,
    /// Bytes of an envelope once decoded.
    pub envelope_bytes_max: usize,
    /// Bytes of an event sent to the store endpoint, once decoded.
    pub event_bytes_max: usize,
    /// Bytes of all bodies in memory at once; beyond, SDKs are told to come back.
    pub in_flight_bytes_max: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            wire_bytes_max: 20 << 20,
            envelope_bytes_max: 100 << 20,
            event_bytes_max: EVENT_BYTES_MAX,
            in_flight_bytes_max: 256 << 20,
        }
    }
}

/// What the ingest endpoints share.
pub struct Ingest {
    journal: Journal,
    keys: Keys,
    quotas: Quotas,
    windows: Windows,
    budget: Arc<Budget>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    config: Config,
}

/// What is known of a request before its body is read.
struct Arrival {
    received_at: Timestamp,
    client_ip: Option<IpAddr>,
    user_agent: String,
}

impl Ingest {
    /// Puts together what the endpoints share.
    pub fn new(
        store: Arc<dyn Store>,
        journal: Journal,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        config: Config,
    ) -> Self {
        Self {
            journal,
            keys: Keys::new(Arc::clone(&store)),
            quotas: Quotas::new(store),
            windows: Windows::default(),
            budget: Arc::new(Budget::new(config.in_flight_bytes_max)),
            clock,
            entropy,
            config,
        }
    }

    /// Asks for keys again that may have changed; to be called every [`KEYS_REFRESH_EVERY`].
    pub async fn refresh_keys(&self) {
        self.keys.refresh().await;
    }

    /// Asks which organizations have no room left, and counts what was refused; to be called every
    /// [`QUOTA_REFRESH_EVERY`].
    pub async fn refresh_quotas(&self) {
        self.quotas.refresh(self.clock.now()).await;
    }

    /// Refuses an event of a project whose organization has no room left.
    fn require_room(&self, scope: &ProjectScope) -> Result<(), Rejection> {
        match self.quotas.retry_secs(scope.org(), self.clock.now()) {
            Some(retry_secs) => Err(Rejection::OverQuota { retry_secs }),
            None => Ok(()),
        }
    }

    /// Lets one event more through a key, unless it has reached its limit: then that is counted.
    fn take_turn(&self, key: &str, access: &KeyAccess) -> Result<(), Rejection> {
        let now = self.clock.now();
        let Some(limit) = access.limit else {
            return Ok(());
        };
        self.windows.take(key, limit, now).map_err(|retry_secs| {
            self.note_refused(&access.scope, Outcome::KEY_LIMIT);
            Rejection::OverKeyLimit { retry_secs }
        })
    }

    /// Notes that an event was refused, and why.
    fn note_refused(&self, scope: &ProjectScope, why: Outcome) {
        self.quotas.note(scope.project(), self.clock.now(), why);
    }

    fn fresh_event_id(&self) -> EventId {
        EventId::new(fresh::uuid_v4(&*self.entropy))
    }

    /// Makes the record durable.
    async fn append(&self, received: &Received<'_>) -> Result<(), Rejection> {
        match self.journal.append(received.encode()).await {
            Ok(_) => Ok(()),
            Err(AppendError::Full) => Err(Rejection::Full),
            Err(AppendError::TooLarge) => Err(Rejection::TooLarge {
                limit_bytes: copal_journal::RECORD_BYTES_MAX,
            }),
            Err(AppendError::Failed | AppendError::Closed) => Err(Rejection::Unavailable),
        }
    }
}

/// The routes of the ingest endpoints, each with and without a slash at its end.
pub fn routes() -> Vec<Route> {
    let mut routes = Vec::new();
    let envelopes = [
        "/api/{project}/envelope/",
        "/api/{project}/envelope",
        "/tunnel",
        "/tunnel/",
    ];
    for path in envelopes {
        let (access, summary) = (RouteAccess::ClientKey, "Takes an envelope");
        routes.push(Route::post(path, access, summary, handlers::envelope));
        routes.push(preflight(path));
    }
    let stores = [
        "/api/{project}/store/",
        "/api/{project}/store",
        "/api/store/",
        "/api/store",
    ];
    for path in stores {
        let access = RouteAccess::ClientKey;
        routes.push(Route::post(
            path,
            access,
            "Takes one event",
            handlers::store,
        ));
        let summary = "Takes one event in the query";
        routes.push(Route::get(path, access, summary, handlers::store_in_query));
        routes.push(preflight(path));
    }
    routes
}

fn preflight(path: &'static str) -> Route {
    Route::new(
        Method::OPTIONS,
        path,
        RouteAccess::Public,
        "Lets browsers send",
        || async { answer::preflight() },
    )
}
