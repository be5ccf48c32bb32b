//! What SDKs are told when all went well.

use axum::body::Body;
use axum::response::Response;
use copal_protocol::EventId;
use http::HeaderValue;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_MAX_AGE,
    CONTENT_TYPE,
};

/// Headers that SDKs in browsers may send (Relay's list, and the tracing headers).
const ALLOWED_HEADERS: &str = "x-sentry-auth, x-requested-with, x-forwarded-for, origin, referer, \
    accept, content-type, authentication, authorization, content-encoding, transfer-encoding, \
    sentry-trace, baggage";

/// A transparent picture of one pixel, for events sent by `<img>`.
const PIXEL: &[u8] = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\0\0\0!\xf9\x04\x01\0\0\0\0,\0\0\0\0\x01\0\
    \x01\0\0\x02\x02D\x01\0;";

/// The id under which the event can be found; `{}` for an envelope without one.
pub(super) fn accepted(id: Option<EventId>) -> Response {
    let json = id.map_or_else(|| "{}".to_owned(), |id| format!(r#"{{"id":"{id}"}}"#));
    with_type(Body::from(json), "application/json")
}

/// The answer to an event sent by `<img>`.
pub(super) fn pixel() -> Response {
    with_type(Body::from(PIXEL), "image/gif")
}

/// The answer to a browser that asks whether it may send.
pub(super) fn preflight() -> Response {
    let mut answer = Response::new(Body::empty());
    let headers = answer.headers_mut();
    let mut put = |name, value| headers.insert(name, HeaderValue::from_static(value));
    put(ACCESS_CONTROL_ALLOW_METHODS, "POST");
    put(ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS);
    put(ACCESS_CONTROL_MAX_AGE, "3600");
    answer
}

fn with_type(body: Body, content_type: &'static str) -> Response {
    let mut answer = Response::new(body);
    answer
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}
