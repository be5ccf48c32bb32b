//! A panic in a handler is a bug of ours: it costs its request a 500 and nobody else anything.

use std::any::Any;
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;

use axum::body::Body;
use futures_util::FutureExt;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};

use super::audience::Audience;
use super::request_id::RequestId;

/// Waits for an answer, whatever happens on the way.
pub(super) async fn catch(
    answer: impl Future<Output = Result<Response<Body>, Infallible>>,
    id: &RequestId,
    audience: Audience,
) -> Response<Body> {
    match AssertUnwindSafe(answer).catch_unwind().await {
        Ok(Ok(answer)) => answer,
        Err(panic) => {
            tracing::error!(
                request.id = id.as_str(),
                panic = message(&*panic),
                "handler panicked"
            );
            broken(id, audience)
        }
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("(no message)")
}

/// The client sees a sentence and the request id, never a cause.
fn broken(id: &RequestId, audience: Audience) -> Response<Body> {
    let id = id.as_str();
    let (kind, text) = match audience {
        Audience::Sdk => (
            "application/json",
            format!(r#"{{"detail":"internal error, request {id}","causes":[]}}"#),
        ),
        Audience::Api => (
            "application/problem+json",
            format!(
                r#"{{"type":"about:blank","title":"Internal Server Error","status":500,"detail":"Copal failed to answer; the log says more.","requestId":"{id}"}}"#
            ),
        ),
        Audience::Page => (
            "text/plain; charset=utf-8",
            format!("Copal failed to answer. The log says more under request id {id}.\n"),
        ),
    };
    let mut answer = Response::new(Body::from(text));
    *answer.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    answer
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}
