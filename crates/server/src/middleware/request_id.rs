//! A name for each request. The client sees it in `X-Request-Id` and in errors; the log has it too.

use std::sync::Arc;

use axum::body::Body;
use http::{HeaderName, HeaderValue, Request, Response};

use super::Config;
use crate::fresh;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The name of a request; an extension of every request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Makes an id. One that the client sends is not taken: the log must not hold what strangers write.
pub(super) fn assign(request: &mut Request<Body>, config: &Config) -> RequestId {
    let uuid = fresh::uuid_v7(&*config.clock, &*config.entropy);
    let id = RequestId(Arc::from(&*uuid.simple().encode_lower(&mut [0; 32])));
    request.extensions_mut().insert(id.clone());
    id
}

/// Tells the client.
pub(super) fn tell(answer: &mut Response<Body>, id: &RequestId) {
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        answer.headers_mut().insert(X_REQUEST_ID, value);
    }
}
