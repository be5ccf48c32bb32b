//! What a page says when it cannot say what was asked for: what happened, and a next step.

use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::problem::{Asked, NextStep, Problem};

/// Answers a browser. Who is not logged in is sent to log in and comes back afterwards.
pub fn answer(_app: &App, problem: &Problem, asked: &Asked) -> Response {
    if problem.next_step == NextStep::LogIn {
        return to_login(asked);
    }
    (
        problem.status,
        format!("{}\n\n{}\n", problem.title, problem.detail),
    )
        .into_response()
}

fn to_login(asked: &Asked) -> Response {
    let reads = asked.method == Method::GET || asked.method == Method::HEAD;
    let path = if reads && asked.path_and_query != "/" {
        let next: String =
            form_urlencoded::byte_serialize(asked.path_and_query.as_bytes()).collect();
        format!("/login?next={next}")
    } else {
        "/login".to_owned()
    };
    let location = HeaderValue::from_str(&path).expect("form encoding is ASCII");
    (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
}
