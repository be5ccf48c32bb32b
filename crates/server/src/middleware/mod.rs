//! What happens to every request before and after its handler: one ordered list.
//!
//! The order is [`Stack`]'s `handle`, top to bottom. It stands outside the router, so that it also
//! holds for paths that no route matches.
//!
//! # Layout
//! - [`request_id`]: a name for each request, shown to the client and in the log
//! - [`client_ip`]: who asks, through trusted proxies only
//! - [`paths`]: prefixes and duplicate slashes off
//! - [`audience`]: SDK, REST API or page; decides about headers and the shape of errors
//! - [`headers`]: security headers and CORS
//! - [`panics`]: a panic is a 500, not a closed connection
//! - [`access_log`]: one line a request, without secrets

pub mod access_log;
pub mod audience;
pub mod client_ip;
pub mod headers;
pub mod panics;
pub mod paths;
pub mod request_id;

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use copal_model::{Clock, Entropy};
use http::{Request, Response};
use tower::Service;

use audience::Audience;
use client_ip::Network;

/// What the list needs to know.
pub struct Config {
    /// The address users see, without a slash at the end.
    pub base_url: String,
    /// Whose `X-Forwarded-For` is believed. Nobody's by default: anybody can send one.
    pub trusted_proxies: Vec<Network>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes request ids.
    pub entropy: Arc<dyn Entropy>,
}

/// The router with everything that stands around it.
#[derive(Clone)]
pub struct Stack {
    router: Router,
    config: Arc<Config>,
    base_path: Arc<str>,
    headers: Arc<headers::Headers>,
    counts: Arc<access_log::Counts>,
}

impl Stack {
    /// Puts the list around a router whose state has been given.
    pub fn new(router: Router, config: Config) -> Self {
        Self {
            router: access_log::note_routes(router),
            base_path: paths::base_path(&config.base_url).into(),
            headers: Arc::new(headers::Headers::new(&config.base_url)),
            counts: Arc::new(access_log::Counts::new()),
            config: Arc::new(config),
        }
    }

    async fn handle(mut self, mut request: Request<Body>) -> Response<Body> {
        let id = request_id::assign(&mut request, &self.config);
        client_ip::note(&mut request, &self.config.trusted_proxies);
        paths::mend(&mut request, &self.base_path);
        let audience = Audience::of(request.uri().path());
        let entry = access_log::begin(&mut request, audience);
        let answer = self.router.call(request);
        let mut answer = panics::catch(answer, &id, audience).await;
        self.headers.put(&mut answer, audience);
        request_id::tell(&mut answer, &id);
        entry.end(&answer, &id, &self.counts);
        answer
    }
}

impl Service<Request<Body>> for Stack {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // An axum router is always ready.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let answering = self.clone().handle(request);
        Box::pin(async move { Ok(answering.await) })
    }
}
