//! Drafts to requests, and answers without what differs from request to request.

use axum::body::Body as HttpBody;
use axum::http::{HeaderValue, Method, Request, header};
use copal_server::auth::form::{self, TOKEN_FIELD, TOKEN_HEADER};
use copal_server::auth::secret::Secret;
use copal_server::middleware::audience::Audience;

use crate::actors::{Actor, Shows};
use crate::cases::{Body, Draft};
use crate::site::Answer;

/// What binds forms of people who are not logged in to their browser: the same in all of them.
pub(crate) const OPEN_FORM: &str = "an-open-form-of-the-isolation-suite";

/// Characters of an id that is looked for in answers.
const LONG_CHARS: usize = 7;

/// How a request shows that it was not forged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Forgery {
    /// It carries the token of its session.
    None,
    /// It carries none.
    NoToken,
    /// It carries the token and says that it comes from another site.
    Elsewhere,
}

impl Draft {
    /// Whom the answer is for, by the path as the server mends it.
    pub(crate) fn audience(&self) -> Audience {
        let path = self.target.split('?').next().unwrap_or_default();
        let mut mended = path.to_owned();
        while mended.contains("//") {
            mended = mended.replace("//", "/");
        }
        Audience::of(&mended)
    }
}

/// The request of an actor.
pub(crate) fn request(draft: &Draft, actor: &Actor, forgery: Forgery) -> Request<HttpBody> {
    let audience = draft.audience();
    let mut request = Request::builder()
        .method(draft.method.clone())
        .uri(&draft.target)
        .header(header::HOST, "copal.test");
    let mut cookies = format!("copal-form={OPEN_FORM}");
    match &actor.shows {
        Shows::Nothing => {}
        Shows::Session(secret) => cookies = format!("{cookies}; copal={secret}"),
        Shows::Bearer(secret) => {
            request = request.header(header::AUTHORIZATION, format!("Bearer {secret}"));
        }
    }
    let token = if forgery == Forgery::NoToken {
        String::new()
    } else {
        token(actor)
    };
    if audience == Audience::Api && !matches!(draft.method, Method::GET | Method::HEAD) {
        request = request.header(TOKEN_HEADER, &token);
    }
    if forgery == Forgery::Elsewhere {
        request = request.header(header::ORIGIN, "https://evil.example");
    }
    let (kind, body) = match &draft.body {
        Body::Nothing => (None, String::new()),
        Body::Json(json) => (Some("application/json"), json.clone()),
        Body::Raw(text) => (Some("application/x-sentry-envelope"), text.clone()),
        Body::Form(fields) => {
            let form = form_urlencoded::Serializer::new(String::new())
                .extend_pairs(fields)
                .append_pair(TOKEN_FIELD, &token)
                .finish();
            (Some("application/x-www-form-urlencoded"), form)
        }
    };
    if let Some(kind) = kind {
        request = request.header(header::CONTENT_TYPE, kind);
    }
    let mut request = request
        .header(header::COOKIE, cookies)
        .body(HttpBody::from(body))
        .unwrap();
    for (name, value) in &draft.headers {
        let value = HeaderValue::from_str(value).unwrap();
        // A second cookie line is as good as one.
        request.headers_mut().append(*name, value);
    }
    request
}

/// The token that forms of this actor carry.
fn token(actor: &Actor) -> String {
    match &actor.shows {
        Shows::Session(secret) if actor.person.is_some() => {
            let token = form::token_of_session(&Secret::shown(secret));
            token.expose().to_owned()
        }
        // Who is not logged in has the forms of everybody.
        _ => {
            let token = Secret::shown(OPEN_FORM).derive("form before logging in");
            token.expose().to_owned()
        }
    }
}

/// An answer without what differs from request to request, and without the ids that were asked with,
/// wherever they are said back.
pub(crate) fn neutral(answer: &Answer, draft: &Draft) -> Answer {
    let mut said_back = Vec::new();
    let id = answer.header("x-request-id");
    said_back.push((id.to_owned(), "ID"));
    said_back.push((draft.target.clone(), "TARGET"));
    // Longer ones first: one may be the beginning of another.
    let mut texts = draft.texts.clone();
    texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
    // Short ones stand everywhere, and are the same for foreign and missing things or a number.
    let long = texts.into_iter().filter(|text| text.len() >= LONG_CHARS);
    said_back.extend(long.map(|text| (text, "TEXT")));
    let replace = |text: &str| {
        let mut text = text.to_owned();
        for (found, put) in &said_back {
            if found.is_empty() {
                continue;
            }
            for written in ways_to_write(found) {
                text = text.replace(&written, put);
            }
        }
        text
    };
    let mut headers = answer.headers.clone();
    headers.remove("x-request-id");
    for value in headers.values_mut() {
        let replaced = replace(value.to_str().unwrap_or_default());
        *value = HeaderValue::from_str(&replaced).unwrap();
    }
    headers.remove(header::CONTENT_LENGTH);
    Answer {
        status: answer.status,
        headers,
        body: replace(&String::from_utf8_lossy(&answer.body)).into_bytes(),
    }
}

/// A text as pages, links and headers have it.
fn ways_to_write(text: &str) -> Vec<String> {
    let encoded: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
    let mut ways = vec![
        text.to_owned(),
        text.replace('&', "&#38;"),
        encoded.clone(),
        encoded.replace('&', "&#38;"),
        text.to_lowercase(),
        text.to_uppercase(),
    ];
    ways.dedup();
    ways
}
