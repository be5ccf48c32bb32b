//! The real server in this process: router, middleware, store, journal and pipeline.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, Response, StatusCode, header};
use copal_journal::fs::RealFs;
use copal_journal::{Folder, Journal};
use copal_model::{Clock, Entropy, Plan, Timestamp};
use copal_pipeline::driver::{self, Pipeline, ToStore};
use copal_pipeline::prepare::Steps;
use copal_server::app::{App, Parts, Settings, SignupMode};
use copal_server::auth::throttle::{LoginLimits, Rate};
use copal_server::middleware::{Config, Stack};
use copal_server::routes;
use copal_store::Store;
use metrics_exporter_prometheus::PrometheusBuilder;
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;
use tower::Service as _;

/// The address that users see.
pub(crate) const BASE_URL: &str = "http://copal.test";
/// Bytes of an answer that is read: more than any page has.
const ANSWER_BYTES_MAX: usize = 8 << 20;

/// The time: it stands still, so that two answers never differ by it.
#[derive(Debug)]
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        now()
    }
}

/// When everything happens: 2027-01-15 08:00 UTC.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

/// Randomness that is the same in every run and never repeats in one.
#[derive(Debug)]
struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let number = self.0.fetch_add(1, Ordering::Relaxed);
            let digest = Sha256::digest(number.to_le_bytes());
            chunk.copy_from_slice(&digest[..chunk.len()]);
        }
    }
}

/// A running server.
pub(crate) struct Site {
    pub(crate) app: App,
    journal: Journal,
    stack: Stack,
}

/// What came back, with the body whole.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap_or("?"))
    }

    /// Whether the browser is sent to log in.
    pub(crate) fn leads_to_login(&self) -> bool {
        self.status == StatusCode::SEE_OTHER && self.header("location").starts_with("/login")
    }
}

/// Tries that no run of the suite uses up.
const PLENTY: Rate = Rate {
    burst: 1_000_000,
    refill_secs: 1,
};

impl Site {
    /// Starts a server on a store; `folder` holds its journal. Two sites with different `seed`s
    /// never make the same random thing.
    pub(crate) async fn start(store: Arc<dyn Store>, folder: &Path, seed: u64) -> Self {
        let journal = open_journal(&*store, folder).await;
        let clock = Arc::new(Stopped);
        let entropy = Arc::new(Counting(AtomicU64::new(seed << 32)));
        let app = App::new(Parts {
            store,
            journal: journal.clone(),
            metrics: PrometheusBuilder::new().build_recorder().handle(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            settings: Settings {
                base_url: BASE_URL.to_owned(),
                signup: SignupMode::Open,
                default_plan: Plan::Free,
                plans: copal_model::Plans::default(),
                billing_url: None,
                login_limits: LoginLimits {
                    per_address: PLENTY,
                    per_network: PLENTY,
                    sign_ups: PLENTY,
                },
                operator_token: None,
            },
        });
        let config = Config {
            base_url: BASE_URL.to_owned(),
            trusted_proxies: Vec::new(),
            clock,
            entropy,
        };
        let router = routes::router(routes::table(), app.clone());
        Self {
            app,
            journal,
            stack: Stack::new(router, config),
        }
    }

    /// Records that have been taken in since the start.
    pub(crate) fn taken_in(&self) -> u64 {
        self.journal.stats().appended_records
    }

    /// Records everything that has been taken in, as the pipeline does.
    pub(crate) async fn record_all(&self) {
        let (stop, stopping) = watch::channel(false);
        let pipeline = Pipeline {
            journal: self.journal.clone(),
            store: Arc::new(ToStore(Arc::clone(&self.app.store))),
            clock: Arc::clone(&self.app.clock),
            steps: Arc::<Steps>::default(),
        };
        let running = tokio::spawn(driver::run(pipeline, stopping, |_| {}));
        while self.journal.stats().backlog_records > 0 {
            assert!(!running.is_finished(), "the pipeline ended by itself");
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        stop.send_replace(true);
        running.await.unwrap().unwrap();
    }

    /// Answers as it comes: for streams, which do not end.
    pub(crate) async fn answer(&self, request: Request<Body>) -> Response<Body> {
        self.stack.clone().call(request).await.unwrap()
    }

    /// Answers whole. Of a stream only the head is read.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let (head, body) = self.answer(request).await.into_parts();
        let kind = head.headers.get(header::CONTENT_TYPE);
        let body = if kind.is_some_and(|kind| kind == "text/event-stream") {
            Vec::new()
        } else {
            to_bytes(body, ANSWER_BYTES_MAX).await.unwrap().to_vec()
        };
        Answer {
            status: head.status,
            headers: head.headers,
            body,
        }
    }

    /// Stops the journal, so that its folder can be copied.
    pub(crate) async fn stop(self) {
        self.journal.close().await;
    }
}

async fn open_journal(store: &dyn Store, folder: &Path) -> Journal {
    let mut number = 0_u8;
    let mut random = |bytes: &mut [u8]| {
        number += 1;
        bytes.fill(number);
    };
    let claimed = Folder::claim(&folder.join("journal"), Arc::new(RealFs), &mut random).unwrap();
    let id = uuid::Uuid::from_bytes(claimed.id());
    let position = store.journal_position(id).await.unwrap().unwrap_or(0);
    let (journal, _) = claimed
        .open(copal_journal::Config::default(), position)
        .unwrap();
    journal
}
