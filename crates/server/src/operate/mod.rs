//! What operators and load balancers ask: does it live, does it accept, how is it doing.
//!
//! # Layout
//! - [`metrics`]: what is counted and measured

pub mod metrics;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use copal_journal::{Condition, Journal};
use copal_model::Timestamp;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use metrics_exporter_prometheus::PrometheusHandle;

use crate::auth::secret::Secret;
use crate::listen::Peer;
use crate::middleware::client_ip::ClientIp;
use crate::routes::{Route, RouteAccess};

/// The media type of Prometheus' text format.
const PROMETHEUS_TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// How often what has been measured is sorted.
pub const METRICS_SORTED_EVERY: Duration = Duration::from_secs(5);

/// What the endpoints look at.
pub struct Operate {
    /// What has been received and not yet recorded.
    pub journal: Journal,
    /// What has been counted.
    pub metrics: PrometheusHandle,
    /// Lets an operator in from elsewhere; without it only from this machine.
    pub token: Option<Secret>,
    /// When the process started.
    pub started_at: Timestamp,
}

impl Operate {
    /// Sorts what has been measured since the last time; to be called every
    /// [`METRICS_SORTED_EVERY`], or memory would grow until somebody asks for the metrics.
    pub fn sort_metrics(&self) {
        self.metrics.run_upkeep();
    }
}

/// The routes of this module.
pub fn routes() -> Vec<Route> {
    let (public, operator) = (RouteAccess::Public, RouteAccess::Operator);
    let alive = || async { "alive\n" };
    let summary = "Metrics in Prometheus' text format";
    vec![
        Route::get("/healthz", public, "Whether the process lives", alive),
        Route::get("/readyz", public, "Whether it accepts events", ready),
        Route::get("/metrics", operator, summary, show_metrics),
    ]
}

async fn ready(State(operate): State<Arc<Operate>>) -> Response {
    match why_not_ready(&operate) {
        None => "ready\n".into_response(),
        Some(why) => {
            tracing::warn!(why, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response()
        }
    }
}

/// Why no event would be accepted now. A store that is away is no reason: what comes in waits in
/// the journal, and a balancer that took all servers out would lose it.
fn why_not_ready(operate: &Operate) -> Option<&'static str> {
    match operate.journal.condition() {
        Condition::Ready => None,
        Condition::Full => Some("the journal is full"),
        Condition::Failed => Some("the journal cannot be written"),
        Condition::Closed => Some("stopping"),
    }
}

async fn show_metrics(State(operate): State<Arc<Operate>>, request: Request) -> Response {
    if !is_local(&request) && !shows_token(&operate, request.headers()) {
        // The same as where nothing is: strangers need not know.
        return StatusCode::NOT_FOUND.into_response();
    }
    metrics::measure(&operate.journal, operate.started_at);
    let text = operate.metrics.render();
    ([(CONTENT_TYPE, PROMETHEUS_TEXT)], text).into_response()
}

/// Whether the request has the operator's token, as `Authorization: Bearer`.
fn shows_token(operate: &Operate, headers: &HeaderMap) -> bool {
    let Some(token) = &operate.token else {
        return false;
    };
    let shown = headers.get(AUTHORIZATION);
    let shown = shown.and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    shown.is_some_and(|shown| token.is(shown.trim()))
}

/// Both ends of a trusted proxy must be local: else a proxy beside us would open the door.
fn is_local(request: &Request) -> bool {
    let extensions = request.extensions();
    let peer = extensions.get::<Peer>().map(|peer| peer.0.ip());
    let client = extensions.get::<ClientIp>().map(|client| client.0);
    let is_loopback = |address: IpAddr| address.to_canonical().is_loopback();
    peer.is_some_and(is_loopback)
        && client.is_some_and(is_loopback)
        && !request.headers().contains_key("x-forwarded-for")
        && !request.headers().contains_key("forwarded")
}
