//! What a page says when it cannot say what was asked for: what happened, and a next step.

use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use copal_ui::pages::failure::{Failure, FailureKind};
use copal_ui::{Nav, NavItem, urls};

use crate::app::App;
use crate::auth::caller::by_session;
use crate::auth::{Refusal, form, next, session};
use crate::problem::{Asked, NextStep, Problem};
use crate::web::frame::Frame;

/// Why a page could not be shown.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Whoever asked was turned away.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store could not do it.
    #[error(transparent)]
    Store(#[from] copal_store::Error),
    /// The page could not be written.
    #[error("page could not be written: {0}")]
    Page(#[from] copal_ui::askama::Error),
}

impl Error {
    /// Nothing is there, or nothing that the caller may know of.
    pub const fn not_found(what: &'static str) -> Self {
        Self::Refused(Refusal::NotFound { what })
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(refusal) => refusal.into(),
            Error::Store(error) => error.into(),
            Error::Page(error) => copal_store::Error::Broken(Box::new(error)).into(),
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}

/// Answers a browser. Who is not logged in is sent to log in and comes back afterwards.
pub async fn answer(app: &App, problem: &Problem, asked: &Asked) -> Response {
    if problem.next_step == NextStep::LogIn {
        return to_login(asked);
    }
    if problem.next_step == NextStep::Confirm {
        return to_confirm(app, asked);
    }
    let mut frame = Frame::of(&asked.headers, &asked.path_and_query, app);
    let page = Failure {
        nav: nav(app, problem, asked, &mut frame).await,
        kind: kind(problem),
        request_id: Some(asked.request_id.clone()).filter(|id| !id.is_empty()),
    };
    frame.show_as(problem.status, &page).unwrap_or_else(|_| {
        let text = format!("{}\n\n{}\n", problem.title, problem.detail);
        (problem.status, text).into_response()
    })
}

/// The way on for who is logged in. When something is broken the store is not asked who that is,
/// and a session's cookie is taken for one.
async fn nav(app: &App, problem: &Problem, asked: &Asked, frame: &mut Frame) -> Nav {
    let is_broken = problem.status.is_server_error();
    if !is_broken
        && let Ok(Some(signed_in)) = by_session(&asked.headers, app).await
        && let Ok(nav) = frame.of_person(&signed_in, NavItem::Nothing, app).await
    {
        return nav;
    }
    let mut nav = frame.for_everybody(app);
    if let Some(secret) = session::secret_of(&asked.headers, app).filter(|_| is_broken) {
        let token = form::token_of_session(&secret);
        token.expose().clone_into(&mut nav.csrf);
    }
    nav
}

fn kind(problem: &Problem) -> FailureKind {
    let detail = || problem.detail.clone();
    match problem.status {
        StatusCode::FORBIDDEN if problem.kind == "forged-form" => FailureKind::StaleForm,
        StatusCode::FORBIDDEN => FailureKind::Forbidden(detail()),
        StatusCode::NOT_FOUND => FailureKind::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => FailureKind::MethodNotAllowed,
        StatusCode::CONFLICT => FailureKind::Conflict(detail()),
        StatusCode::PAYLOAD_TOO_LARGE => FailureKind::TooLarge,
        StatusCode::TOO_MANY_REQUESTS => {
            FailureKind::TooMany(problem.retry_after_secs.unwrap_or(1))
        }
        StatusCode::SERVICE_UNAVAILABLE => FailureKind::Unavailable,
        status if status.is_client_error() => FailureKind::BadRequest(detail()),
        _ => FailureKind::Broken,
    }
}

fn to_login(asked: &Asked) -> Response {
    let reads = asked.method == Method::GET || asked.method == Method::HEAD;
    if reads && asked.path_and_query != urls::route::HOME {
        Redirect::to(&urls::log_in_then(&asked.path_and_query)).into_response()
    } else {
        Redirect::to(urls::route::LOG_IN).into_response()
    }
}

/// Sends a browser to prove again who is asking, and from there back to the page that it comes from:
/// what a form held is gone by then.
fn to_confirm(app: &App, asked: &Asked) -> Response {
    let reads = asked.method == Method::GET || asked.method == Method::HEAD;
    let page = if reads {
        Some(asked.path_and_query.as_str())
    } else {
        let referer = asked.headers.get(header::REFERER);
        let referer = referer.and_then(|value| value.to_str().ok());
        referer.and_then(|referer| own_path(referer, app, &asked.headers))
    };
    let page = page.and_then(next::safe).unwrap_or(urls::route::HOME);
    Redirect::to(&urls::confirm_then(page)).into_response()
}

/// The path of an address of this site, as the browser asked for it or as users see it.
fn own_path<'r>(address: &'r str, app: &App, headers: &HeaderMap) -> Option<&'r str> {
    if let Some(path) = address.strip_prefix(app.settings.origin()) {
        return path.starts_with('/').then_some(path);
    }
    let host = headers.get(header::HOST)?.to_str().ok()?;
    let rest = address
        .strip_prefix("http://")
        .or_else(|| address.strip_prefix("https://"))?;
    let path = rest.strip_prefix(host)?;
    path.starts_with('/').then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_say_the_status_that_the_answer_has() {
        for status in [400, 403, 404, 405, 409, 413, 429, 500, 503] {
            let code = StatusCode::from_u16(status).unwrap();
            let problem = Problem::new(code, "x", "x", "x");
            assert_eq!(kind(&problem).status(), status);
        }
    }

    #[test]
    fn location_is_always_a_header_value() {
        assert!(axum::http::HeaderValue::from_str(&urls::log_in_then("/o/é?x=\n")).is_ok());
    }
}
