//! What SDKs are told when all went well.

use axum::body::Body;
use axum::response::Response;
use copal_model::Category;
use copal_pipeline::expand;
use copal_protocol::{EventId, ItemType};
use http::HeaderValue;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_MAX_AGE,
    CONTENT_TYPE,
};

use super::rejection::X_SENTRY_RATE_LIMITS;

/// Headers that SDKs in browsers may send (Relay's list, and the tracing headers).
const ALLOWED_HEADERS: &str = "x-sentry-auth, x-requested-with, x-forwarded-for, origin, referer, \
    accept, content-type, authentication, authorization, content-encoding, transfer-encoding, \
    sentry-trace, baggage";

/// A transparent picture of one pixel, for events sent by `<img>`.
const PIXEL: &[u8] = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\0\0\0!\xf9\x04\x01\0\0\0\0,\0\0\0\0\x01\0\
    \x01\0\0\x02\x02D\x01\0;";

/// Seconds for which SDKs are asked not to send what is dropped (Relay: at most 300).
const DROPPED_RETRY_SECS: u32 = 300;

/// The id under which the event can be found; `{}` for an envelope without one.
///
/// Where something in the envelope was dropped because its kind is not kept, the SDK is asked to
/// save itself the sending for a while. Errors are never among these kinds.
pub(super) fn accepted(id: Option<EventId>, item_types: &[ItemType<'_>]) -> Response {
    let json = id.map_or_else(|| "{}".to_owned(), |id| format!(r#"{{"id":"{id}"}}"#));
    let mut answer = with_type(Body::from(json), "application/json");
    if let Some(limits) = limits_of_dropped(item_types) {
        answer.headers_mut().insert(X_SENTRY_RATE_LIMITS, limits);
    }
    answer
}

fn limits_of_dropped(item_types: &[ItemType<'_>]) -> Option<HeaderValue> {
    let dropped = item_types
        .iter()
        .filter(|item_type| !expand::is_kept(item_type));
    let mut categories: Vec<_> = dropped
        .map(expand::category)
        .filter(|category| !matches!(category, Category::Error | Category::Default))
        .map(Category::as_str)
        .collect();
    if categories.is_empty() {
        return None;
    }
    categories.sort_unstable();
    categories.dedup();
    let categories = categories.join(";");
    let limits = format!("{DROPPED_RETRY_SECS}:{categories}:organization:not_kept");
    HeaderValue::from_str(&limits).ok()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(item_types: &[ItemType<'_>]) -> Option<String> {
        let answer = accepted(None, item_types);
        let limits = answer.headers().get(X_SENTRY_RATE_LIMITS)?;
        Some(limits.to_str().unwrap().to_owned())
    }

    #[test]
    fn what_is_dropped_is_announced_and_errors_never_are() {
        assert_eq!(limits(&[]), None);
        assert_eq!(limits(&[ItemType::Event, ItemType::ClientReport]), None);
        assert_eq!(limits(&[ItemType::Unknown("new".into())]), None);
        let dropped = [
            ItemType::Transaction,
            ItemType::Event,
            ItemType::Session,
            ItemType::Sessions,
        ];
        assert_eq!(
            limits(&dropped).as_deref(),
            Some("300:session;transaction:organization:not_kept")
        );
    }
}
