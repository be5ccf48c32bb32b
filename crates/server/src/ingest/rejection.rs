//! Why a request was not taken in, as SDKs are told.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use copal_protocol::{AuthError, DecodeError, EnvelopeError};
use http::header::{CONNECTION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

/// Seconds after which an SDK may try again when the journal is full (Relay: at most 300).
const FULL_RETRY_SECS: u32 = 60;
/// The same when there is too much in memory at once. SDKs drop what happens meanwhile.
const BUSY_RETRY_SECS: u32 = 5;
/// The same when the journal or the store cannot be used.
const UNAVAILABLE_RETRY_SECS: u32 = 60;

/// What is limited when there is too much of all: every category.
const OVERLOADED: &str = ":organization:overloaded";
/// What is limited when a plan has no room left: events, and nothing else.
const QUOTA_EXCEEDED: &str = "error:organization:quota_exceeded";
/// What is limited when a key has reached its own limit.
const KEY_LIMIT: &str = "error:key:key_limit";

const X_SENTRY_ERROR: HeaderName = HeaderName::from_static("x-sentry-error");
pub(super) const X_SENTRY_RATE_LIMITS: HeaderName = HeaderName::from_static("x-sentry-rate-limits");

/// Why a request was not taken in.
#[derive(Debug, thiserror::Error)]
pub enum Rejection {
    /// No credentials, or none that can be read.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// The key is unknown, inactive, or of another project: the same answer for each, so that
    /// nobody can find out which.
    #[error("event submission rejected with_reason: unknown key or project")]
    Refused,
    /// The path names a project that is no number.
    #[error("invalid project id in the path: it is a positive number")]
    BadProject,
    /// The envelope is addressed to another project or key than the request.
    #[error("project id or key header mismatch: the envelope's dsn is not that of the request")]
    DsnMismatch,
    /// The body is encoded in a way that is not read.
    #[error("{0}")]
    Encoding(#[from] copal_protocol::encoding::UnsupportedEncoding),
    /// The body does not decode.
    #[error("{0}")]
    Corrupt(DecodeError),
    /// The body is too large, as sent or once decoded.
    #[error("request body too large: at most {limit_bytes} bytes")]
    TooLarge {
        /// The limit that was passed.
        limit_bytes: usize,
    },
    /// The framing of the envelope is broken.
    #[error("invalid envelope: {0}")]
    Envelope(#[from] EnvelopeError),
    /// A single event that is none.
    #[error("invalid event: {0}")]
    Event(String),
    /// The body came in too slowly.
    #[error("the body came in too slowly")]
    TooSlow,
    /// The body broke off.
    #[error("the body broke off")]
    BrokenOff,
    /// Too much in memory at once.
    #[error("too much at once: try again later")]
    Busy,
    /// The journal is full: the store does not keep up, or the disk has no room.
    #[error("too much waits to be recorded: try again later")]
    Full,
    /// The page that sends is not among those that may.
    #[error("event submission rejected: the origin {origin} is not among the allowed ones")]
    Origin {
        /// Its origin.
        origin: String,
    },
    /// The key has let in as many events as it may for now.
    #[error("the client key has reached its limit of events")]
    OverKeyLimit {
        /// When another try makes sense.
        retry_secs: u32,
    },
    /// The plan of the organization has no room for events left in this month.
    #[error("the plan of the organization has no room for events left in this month")]
    OverQuota {
        /// When another try makes sense.
        retry_secs: u32,
    },
    /// The journal or the store cannot be used.
    #[error("cannot take anything in now")]
    Unavailable,
}

impl Rejection {
    /// The status of the answer (protocol reference, failure codes).
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Auth(error) => {
                StatusCode::from_u16(error.status()).unwrap_or(StatusCode::UNAUTHORIZED)
            }
            Self::Refused | Self::Origin { .. } => StatusCode::FORBIDDEN,
            Self::Encoding(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Busy | Self::Full | Self::OverQuota { .. } | Self::OverKeyLimit { .. } => {
                StatusCode::TOO_MANY_REQUESTS
            }
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::BadProject
            | Self::DsnMismatch
            | Self::Corrupt(_)
            | Self::Envelope(_)
            | Self::Event(_)
            | Self::BrokenOff => StatusCode::BAD_REQUEST,
        }
    }
}

impl From<DecodeError> for Rejection {
    fn from(error: DecodeError) -> Self {
        match error {
            DecodeError::TooLarge { limit_bytes } => Self::TooLarge { limit_bytes },
            corrupt @ DecodeError::Corrupt(_) => Self::Corrupt(corrupt),
        }
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        let detail = self.to_string();
        let json = serde_json::json!({ "detail": detail, "causes": [] });
        let mut answer = Response::new(Body::from(json.to_string()));
        *answer.status_mut() = self.status();
        let headers = answer.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Ok(value) = HeaderValue::from_str(&detail) {
            headers.insert(X_SENTRY_ERROR, value);
        }
        match self {
            Self::Busy => limit(headers, BUSY_RETRY_SECS, OVERLOADED),
            Self::Full => limit(headers, FULL_RETRY_SECS, OVERLOADED),
            Self::OverKeyLimit { retry_secs } => limit(headers, retry_secs, KEY_LIMIT),
            Self::OverQuota { retry_secs } => limit(headers, retry_secs, QUOTA_EXCEEDED),
            Self::Unavailable => {
                headers.insert(RETRY_AFTER, HeaderValue::from(UNAVAILABLE_RETRY_SECS));
            }
            // The rest of the body is not read.
            Self::TooLarge { .. } | Self::TooSlow | Self::BrokenOff => {
                headers.insert(CONNECTION, HeaderValue::from_static("close"));
            }
            _ => {}
        }
        answer
    }
}

/// Asks SDKs to send nothing of `what` for a while, in both ways that they understand.
fn limit(headers: &mut HeaderMap, secs: u32, what: &str) {
    let limits = format!("{secs}:{what}");
    headers.insert(RETRY_AFTER, HeaderValue::from(secs));
    if let Ok(value) = HeaderValue::from_str(&limits) {
        headers.insert(X_SENTRY_RATE_LIMITS, value);
    }
}
