//! One connection: hyper on top of a socket that watches the time.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use axum::body::Body;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1::{Builder, Connection};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower::Service;

use super::body::{AnswerBody, RequestBody};
use super::socket::{InRequest, Socket};
use super::{Config, Peer};

/// Bytes that hyper buffers for a connection, reading and writing.
const BUFFER_BYTES_MAX: usize = 64 * 1024;

/// Serves one connection; the caller drives it.
pub(super) fn serve<S>(
    stream: TcpStream,
    peer: SocketAddr,
    service: S,
    config: &Arc<Config>,
) -> Connection<TokioIo<Socket>, Requests<S>>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone,
    S::Future: Send + 'static,
{
    // Answers are small; waiting to fill a packet only delays them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%peer, %error, "cannot set TCP_NODELAY");
    }
    let in_request = InRequest::default();
    let socket = Socket::new(stream, in_request.clone(), config);
    let requests = Requests {
        service,
        peer: Peer(peer),
        in_request,
        config: Arc::clone(config),
    };
    Builder::new()
        // The socket keeps the time of headers: hyper's timeout cannot tell an idle connection
        // from a slow header.
        .header_read_timeout(None)
        .max_buf_size(BUFFER_BYTES_MAX)
        .max_header_size(config.header_bytes_max)
        // A client that closes its side after the last byte still wants the request handled.
        .half_close(true)
        .serve_connection(TokioIo::new(socket), requests)
}

/// hyper's service: dresses requests and answers, and says when one is under way.
pub(super) struct Requests<S> {
    service: S,
    peer: Peer,
    in_request: InRequest,
    config: Arc<Config>,
}

impl<S> hyper::service::Service<Request<Incoming>> for Requests<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone,
    S::Future: Send + 'static,
{
    type Response = Response<AnswerBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let under_way = self.in_request.begin();
        let (mut parts, body) = request.into_parts();
        parts.extensions.insert(self.peer);
        let body = if hyper::body::Body::is_end_stream(&body) {
            Body::empty()
        } else {
            let under_way = under_way.clone();
            Body::new(RequestBody::new(
                body,
                &self.config,
                &parts.headers,
                under_way,
            ))
        };
        let answer = self.service.clone().call(Request::from_parts(parts, body));
        Box::pin(async move {
            let Ok(answer) = answer.await;
            Ok(answer.map(|body| AnswerBody::new(body, under_way)))
        })
    }
}
