//! What an answer says when it is not what was asked for.
//!
//! Whoever refuses makes a [`Problem`] and does not care who asked. [`render`], the innermost
//! middleware, knows the request: it turns the problem into `application/problem+json` (RFC 9457)
//! for the REST API and into an error page with a next step for browsers.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use copal_model::Role;
use copal_model::policy::Denied;

use crate::app::App;
use crate::middleware::audience::Audience;
use crate::middleware::request_id::RequestId;

/// What an answer says when it is not what was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// The kind, stable for programs: `not-found`; becomes the problem's `type`.
    pub kind: &'static str,
    /// What happened, in a few words, the same for every problem of the kind.
    pub title: &'static str,
    /// What happened here and what to do, in a sentence or two.
    pub detail: String,
    /// What browsers are offered to do next.
    pub next_step: NextStep,
    /// When another try makes sense.
    pub retry_after_secs: Option<u64>,
    /// Of a role that is too low: what would help. Boxed, because most problems have none.
    pub denied: Option<Box<Denied>>,
}

/// What browsers are offered to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NextStep {
    /// Go to the start page.
    Home,
    /// Log in first: browsers are sent there at once.
    LogIn,
    /// Prove again who is asking: browsers are sent there at once.
    Confirm,
}

impl Problem {
    /// A problem whose next step is the start page.
    pub fn new(
        status: StatusCode,
        kind: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            status,
            kind,
            title,
            detail: detail.into(),
            next_step: NextStep::Home,
            retry_after_secs: None,
            denied: None,
        }
    }

    /// The same problem with another next step.
    #[must_use]
    pub fn with_next_step(self, next_step: NextStep) -> Self {
        Self { next_step, ..self }
    }

    /// The same problem with the time after which another try makes sense.
    #[must_use]
    pub fn with_retry_after_secs(self, secs: u64) -> Self {
        Self {
            retry_after_secs: Some(secs.max(1)),
            ..self
        }
    }

    /// The caller's role is too low; says which would do and who can give it.
    pub fn denied(denied: Denied) -> Self {
        let text = denied.to_string();
        Self {
            denied: Some(Box::new(denied)),
            ..Self::new(StatusCode::FORBIDDEN, "forbidden", "Not allowed", text)
        }
    }

    /// Nothing is there, or nothing that the caller may know of. Both read the same.
    pub fn not_found(what: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not-found",
            "Not found",
            format!("There is no such {what} here, or you are not a member of where it belongs."),
        )
    }

    /// The RFC 9457 body.
    pub fn to_json(&self, request_id: &str) -> String {
        let mut body = serde_json::json!({
            "type": format!("urn:copal:problem:{}", self.kind),
            "title": self.title,
            "status": self.status.as_u16(),
            "detail": self.detail,
            "requestId": request_id,
        });
        if let Some(denied) = &self.denied {
            body["neededRole"] = denied.needed().map(Role::as_str).into();
            body["grantedBy"] = denied.granters.clone().into();
        }
        body.to_string()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        if let Some(secs) = self.retry_after_secs {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(secs));
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// A store that fails is told as such; its message stays in the log.
impl From<copal_store::Error> for Problem {
    fn from(error: copal_store::Error) -> Self {
        use copal_store::Error;
        match error {
            Error::NotFound { what } => Self::not_found(what),
            Error::Conflict { what } => Self::new(
                StatusCode::CONFLICT,
                "conflict",
                "In the way of something else",
                format!("This {what} is taken or in the way. Choose another."),
            ),
            Error::LimitReached { what, limit } => Self::new(
                StatusCode::CONFLICT,
                "limit-reached",
                "Limit reached",
                format!("There can be at most {limit} {what}. Delete one you no longer need."),
            ),
            Error::PlanLimit { what, plan, limit } => Self::new(
                StatusCode::PAYMENT_REQUIRED,
                "plan-limit",
                "The plan allows no more",
                format!(
                    "The plan {plan} allows {limit} {what}. An owner can ask for another plan, or \
                     make room."
                ),
            ),
            Error::BadCursor => Self::new(
                StatusCode::BAD_REQUEST,
                "invalid",
                "Cannot be used",
                "`cursor` cannot be used: take it from the header `Link` of the page before.",
            ),
            Error::Unavailable(_) => {
                tracing::warn!(%error, "the store is not available");
                Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "unavailable",
                    "Not available now",
                    "Copal cannot reach its data at the moment. Try again shortly.",
                )
                .with_retry_after_secs(5)
            }
            Error::Disk(_) | Error::Broken(_) | Error::NewerSchema { .. } => {
                tracing::error!(%error, "the store failed");
                Self::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "internal",
                    "Something went wrong",
                    "This is our fault, not yours. The server's log says more under the request id.",
                )
            }
        }
    }
}

/// Turns the [`Problem`] that a response carries into what the caller can read.
pub async fn render(State(app): State<App>, request: Request, next: Next) -> Response {
    let asked = Asked::of(&request);
    let mut response = next.run(request).await;
    let Some(problem) = response.extensions_mut().remove::<Problem>() else {
        return response;
    };
    let (head, _) = response.into_parts();
    let mut told = match asked.audience {
        Audience::Api | Audience::Sdk => json_answer(&problem, &asked),
        Audience::Page => crate::web::error::answer(&app, &problem, &asked).await,
    };
    for (name, value) in &head.headers {
        if name != header::CONTENT_LENGTH && name != header::CONTENT_TYPE {
            told.headers_mut().append(name, value.clone());
        }
    }
    told
}

/// What must be known of a request when its answer turns out to be a problem.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Who asks.
    pub audience: Audience,
    /// The method.
    pub method: Method,
    /// Path and query; empty unless a page was asked for.
    pub path_and_query: String,
    /// Cookies, for theme and layout; empty unless a page was asked for.
    pub headers: HeaderMap,
    /// Names the request in the log.
    pub request_id: String,
}

impl Asked {
    fn of(request: &Request) -> Self {
        let audience = Audience::of(request.uri().path());
        let id = request.extensions().get::<RequestId>();
        let mut asked = Self {
            audience,
            method: request.method().clone(),
            path_and_query: String::new(),
            headers: HeaderMap::new(),
            request_id: id.map_or_else(String::new, |id| id.as_str().to_owned()),
        };
        // Copied for pages only, which need them: SDKs come by the thousand.
        if audience == Audience::Page {
            let target = request.uri().path_and_query();
            let target = target.map_or("/", |target| target.as_str());
            target.clone_into(&mut asked.path_and_query);
            asked.headers.clone_from(request.headers());
        }
        asked
    }
}

fn json_answer(problem: &Problem, asked: &Asked) -> Response {
    let mut response = (
        problem.status,
        [(header::CONTENT_TYPE, "application/problem+json")],
        problem.to_json(&asked.request_id),
    )
        .into_response();
    if problem.status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static("Bearer realm=\"copal\""),
        );
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_the_members_of_rfc_9457_and_the_request_id() {
        let body = Problem::not_found("issue").to_json("r-1");
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["type"], "urn:copal:problem:not-found");
        assert_eq!(body["status"], 404);
        assert_eq!(body["title"], "Not found");
        assert_eq!(body["requestId"], "r-1");
    }

    #[test]
    fn what_broke_in_the_store_is_not_told() {
        let problem = Problem::from(copal_store::Error::Broken("table secrets".into()));
        assert!(!problem.detail.contains("secrets"));
        assert_eq!(problem.status, StatusCode::INTERNAL_SERVER_ERROR);
    }
}
