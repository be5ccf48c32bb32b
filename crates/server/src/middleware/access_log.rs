//! One line a request: id, method, route, status, duration, and which credential asked, by its id.
//! Never a query, a header or a path, for they can hold keys, tokens and names.
//!
//! What SDKs send is logged at `debug`: at thousands of requests a second the metrics tell more.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::middleware::{self, Next};
use http::{Method, Response};
use metrics::{Counter, Histogram};

use super::audience::Audience;
use super::request_id::RequestId;

/// The route of requests that no route matches.
const NO_ROUTE: &str = "(none)";

/// Where whoever lets the caller in notes which credential it was; an extension of every request.
#[derive(Debug, Clone, Default)]
pub struct Shown(Arc<OnceLock<String>>);

impl Shown {
    /// Notes the credential by a name that gives nothing away.
    pub fn note(&self, name: String) {
        // Two extractors may find the same caller.
        let _ = self.0.set(name);
    }
}

/// A request under way.
pub(super) struct Entry {
    shown: Shown,
    began: Instant,
    method: Method,
    audience: Audience,
}

/// Lets every answer carry the route that it came from.
pub(super) fn note_routes(router: Router) -> Router {
    router.layer(middleware::from_fn(note_route))
}

async fn note_route(request: Request, next: Next) -> Response<Body> {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut answer = next.run(request).await;
    if let Some(route) = route {
        answer.extensions_mut().insert(route);
    }
    answer
}

/// Starts the clock.
pub(super) fn begin(request: &mut Request, audience: Audience) -> Entry {
    let shown = Shown::default();
    if audience != Audience::Sdk {
        request.extensions_mut().insert(shown.clone());
    }
    Entry {
        shown,
        began: Instant::now(),
        method: request.method().clone(),
        audience,
    }
}

impl Entry {
    /// Writes the line and counts the request.
    pub(super) fn end(self, answer: &Response<Body>, id: &RequestId, counts: &Counts) {
        let route = answer.extensions().get::<MatchedPath>();
        let route = route.map_or(NO_ROUTE, MatchedPath::as_str);
        let status = answer.status();
        let took = self.began.elapsed();
        counts.count(self.audience, status.as_u16(), took);
        let (id, status) = (id.as_str(), status.as_u16());
        let (method, micros) = (self.method.as_str(), took.as_micros());
        let credential = self.shown.0.get().map(String::as_str);
        macro_rules! answered {
            ($log:ident) => {
                tracing::$log!(
                    request.id = id,
                    method,
                    route,
                    status,
                    micros,
                    credential,
                    "answered"
                )
            };
        }
        if status >= 500 {
            answered!(warn);
        } else if self.audience == Audience::Sdk {
            answered!(debug);
        } else {
            answered!(info);
        }
    }
}

/// What requests are counted in, made once: looking a series up by its labels costs as much as the
/// rest of this file.
#[derive(Clone)]
pub(super) struct Counts {
    sdk: OfAudience,
    api: OfAudience,
    page: OfAudience,
}

#[derive(Clone)]
struct OfAudience {
    /// By the hundred of the status.
    answered: [Counter; 5],
    seconds: Histogram,
}

impl Counts {
    /// The counts of the recorder that is installed now.
    pub(super) fn new() -> Self {
        Self {
            sdk: OfAudience::new("sdk"),
            api: OfAudience::new("api"),
            page: OfAudience::new("page"),
        }
    }

    fn count(&self, audience: Audience, status: u16, took: Duration) {
        let counts = match audience {
            Audience::Sdk => &self.sdk,
            Audience::Api => &self.api,
            Audience::Page => &self.page,
        };
        let class = usize::from(status / 100).clamp(1, 5) - 1;
        counts.answered[class].increment(1);
        counts.seconds.record(took.as_secs_f64());
    }
}

impl OfAudience {
    fn new(audience: &'static str) -> Self {
        let answered = ["1xx", "2xx", "3xx", "4xx", "5xx"].map(|class| {
            metrics::counter!("copal_requests_total", "audience" => audience, "status" => class)
        });
        let seconds = metrics::histogram!("copal_request_seconds", "audience" => audience);
        Self { answered, seconds }
    }
}
