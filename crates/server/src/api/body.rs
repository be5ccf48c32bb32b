//! Bodies that callers send: JSON, bounded, and nothing in them that the call does not know.

use axum::body::to_bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use copal_model::Slug;
use copal_model::name;
use serde::de::DeserializeOwned;

use crate::app::App;
use crate::problem::Problem;

/// Bytes in the body of a call, at most. No call needs a hundredth of it.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// A JSON body.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRequest<App> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &App) -> Result<Self, Problem> {
        if !is_json(&request) {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-media-type",
                "Unsupported media type",
                "Send the body as JSON, with the header `Content-Type: application/json`.",
            ));
        }
        let body = to_bytes(request.into_body(), BODY_BYTES_MAX)
            .await
            .map_err(|_| too_large())?;
        // A list would be taken for an object whose fields come in order.
        if body.trim_ascii_start().starts_with(b"[") {
            return Err(invalid(
                "The body cannot be used: it is a list, not an object.",
            ));
        }
        serde_json::from_slice(&body)
            .map(Self)
            .map_err(|error| invalid(format!("The body cannot be used: {error}.")))
    }
}

fn is_json(request: &Request) -> bool {
    let Some(kind) = request.headers().get(header::CONTENT_TYPE) else {
        return true;
    };
    let kind = kind.to_str().unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/json") || kind.ends_with("+json")
}

fn too_large() -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "too-large",
        "Too large",
        format!("A body has at most {BODY_BYTES_MAX} bytes, and this one broke off or has more."),
    )
}

/// What is sent cannot be used; `detail` says where and why.
pub fn invalid(detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "invalid", "Cannot be used", detail)
}

/// Takes the field `field` as a name.
///
/// # Errors
/// When it cannot be one.
pub fn name_in(field: &str, text: &str, chars_max: usize) -> Result<String, Problem> {
    name::parse(text, chars_max).map_err(|why| invalid(format!("`{field}` cannot be used: {why}.")))
}

/// Takes the field `slug` as a slug.
///
/// # Errors
/// When it cannot be one.
pub fn slug_in(text: &str) -> Result<Slug, Problem> {
    Slug::parse(text).map_err(|why| invalid(format!("`slug` cannot be used: {why}.")))
}
