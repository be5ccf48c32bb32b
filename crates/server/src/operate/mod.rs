//! What operators and load balancers ask: does it live, does it accept, how is it doing.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use copal_journal::Journal;
use copal_store::Store;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use metrics_exporter_prometheus::PrometheusHandle;

use crate::listen::Peer;
use crate::middleware::client_ip::ClientIp;
use crate::routes::{Route, RouteAccess};

/// The media type of Prometheus' text format.
const PROMETHEUS_TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What the endpoints look at.
pub struct Operate {
    /// Everything Copal remembers.
    pub store: Arc<dyn Store>,
    /// What has been received and not yet recorded.
    pub journal: Journal,
    /// What has been counted.
    pub metrics: PrometheusHandle,
}

/// The routes of this module.
pub fn routes(operate: &Arc<Operate>) -> Vec<Route> {
    let (for_ready, for_metrics) = (Arc::clone(operate), Arc::clone(operate));
    vec![
        Route::get(
            "/healthz",
            RouteAccess::Public,
            "Whether the process lives",
            || async { "alive\n" },
        ),
        Route::get(
            "/readyz",
            RouteAccess::Public,
            "Whether it accepts events",
            move || {
                let operate = Arc::clone(&for_ready);
                async move { ready(&operate).await }
            },
        ),
        Route::get(
            "/metrics",
            RouteAccess::Operator,
            "Metrics in Prometheus' text format",
            move |request: Request| {
                let operate = Arc::clone(&for_metrics);
                async move { show_metrics(&operate, &request) }
            },
        ),
    ]
}

async fn ready(operate: &Operate) -> Response {
    match operate.store.change_token().await {
        Ok(_) => "ready\n".into_response(),
        Err(error) => {
            tracing::warn!(%error, "not ready: the store does not answer");
            (
                StatusCode::SERVICE_UNAVAILABLE,
                "the store does not answer\n",
            )
                .into_response()
        }
    }
}

fn show_metrics(operate: &Operate, request: &Request) -> Response {
    if !is_local(request) {
        return StatusCode::NOT_FOUND.into_response();
    }
    gauge_journal(&operate.journal);
    gauge_process();
    let text = operate.metrics.render();
    ([(CONTENT_TYPE, PROMETHEUS_TEXT)], text).into_response()
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

fn gauge_journal(journal: &Journal) {
    let stats = journal.stats();
    metrics::gauge!("copal_journal_backlog_records").set(stats.backlog_records as f64);
    metrics::gauge!("copal_journal_backlog_bytes").set(stats.backlog_bytes as f64);
    metrics::gauge!("copal_journal_corrupt_records").set(stats.corrupt_records as f64);
    metrics::counter!("copal_journal_appended_records_total").absolute(stats.appended_records);
    metrics::counter!("copal_journal_syncs_total").absolute(stats.syncs);
}

/// Memory and file descriptors, as Linux tells them; elsewhere they are left out.
fn gauge_process() {
    if let Some(bytes) = resident_bytes() {
        metrics::gauge!("process_resident_memory_bytes").set(bytes as f64);
    }
    if let Ok(entries) = std::fs::read_dir("/proc/self/fd") {
        metrics::gauge!("process_open_fds").set(entries.count() as f64);
    }
}

fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1_024)
}
