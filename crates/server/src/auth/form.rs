//! Forms that only our own pages can send (ASVS 3.5.1), and their fields.
//!
//! Three walls: the cookie is `SameSite=Lax`; the browser must not say that the form comes from
//! elsewhere (`Sec-Fetch-Site`, else `Origin`); and the form carries a token derived from the
//! session's secret, or before logging in from the secret of a cookie of its own.

use axum::body::to_bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderValue, header};

use crate::app::{App, Settings};
use crate::auth::cookie::Cookie;
use crate::auth::secret::Secret;
use crate::auth::{Refusal, session};

/// The field in which forms carry their token.
pub const TOKEN_FIELD: &str = copal_ui::nav::CSRF_FIELD;
/// The header in which scripts of our pages carry it.
pub const TOKEN_HEADER: &str = "x-csrf-token";
/// Bytes in a form, at most.
pub const FORM_BYTES_MAX: usize = 64 * 1024;
/// Fields in a form, at most.
pub const FORM_FIELDS_MAX: usize = 500;
/// How long the cookie of an open form lives, in seconds.
const OPEN_FORM_SECS: u64 = 24 * 60 * 60;

/// The form of somebody who is logged in.
#[derive(Debug)]
pub struct Form(Fields);

/// The form of somebody who need not be logged in: to log in or to sign up.
#[derive(Debug)]
pub struct OpenForm(Fields);

/// The fields of a form.
#[derive(Debug, Default)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// The value of a field that the form has once; `""` when it is not there.
    ///
    /// # Errors
    /// When the field is there several times: no page of ours sends that (S-50).
    pub fn text(&self, name: &str) -> Result<&str, Refusal> {
        let mut values = self.all(name);
        let first = values.next();
        match values.next() {
            Some(_) => Err(Refusal::BadForm(format!(
                "The field {name} is there twice."
            ))),
            None => Ok(first.unwrap_or_default()),
        }
    }

    /// All values of a field.
    pub fn all<'form>(&'form self, name: &str) -> impl Iterator<Item = &'form str> {
        self.0
            .iter()
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    fn parse(body: &[u8]) -> Result<Self, Refusal> {
        let pairs: Vec<_> = form_urlencoded::parse(body)
            .take(FORM_FIELDS_MAX + 1)
            .map(|(key, value)| (key.into_owned(), value.into_owned()))
            .collect();
        if pairs.len() > FORM_FIELDS_MAX {
            return Err(Refusal::BadForm("The form has too many fields.".to_owned()));
        }
        Ok(Self(pairs))
    }
}

impl Form {
    /// The fields themselves.
    pub fn into_fields(self) -> Fields {
        self.0
    }
}

impl std::ops::Deref for Form {
    type Target = Fields;

    fn deref(&self) -> &Fields {
        &self.0
    }
}

impl OpenForm {
    /// The fields themselves.
    pub fn into_fields(self) -> Fields {
        self.0
    }
}

impl std::ops::Deref for OpenForm {
    type Target = Fields;

    fn deref(&self) -> &Fields {
        &self.0
    }
}

impl FromRequest<App> for Form {
    type Rejection = Refusal;

    async fn from_request(request: Request, app: &App) -> Result<Self, Refusal> {
        let expected = session::secret_of(request.headers(), app)
            .map(|secret| token_of_session(&secret))
            .ok_or(Refusal::SignInFirst)?;
        read(request, app, &expected).await.map(Self)
    }
}

impl FromRequest<App> for OpenForm {
    type Rejection = Refusal;

    async fn from_request(request: Request, app: &App) -> Result<Self, Refusal> {
        let expected = Cookie::OpenForm
            .read(request.headers(), &app.settings)
            .map(|text| token_of_open_form(&Secret::shown(text)))
            .ok_or(Refusal::ForgedForm("no form cookie"))?;
        read(request, app, &expected).await.map(Self)
    }
}

/// What forms of a session must carry.
pub fn token_of_session(secret: &Secret) -> Secret {
    secret.derive("form of a session")
}

/// The token for a form of somebody who need not be logged in, and the cookie to set with it when
/// the browser has none yet.
pub fn open_token(headers: &HeaderMap, app: &App) -> (Secret, Option<HeaderValue>) {
    let known = Cookie::OpenForm
        .read(headers, &app.settings)
        .filter(|text| !text.is_empty());
    if let Some(text) = known {
        return (token_of_open_form(&Secret::shown(text)), None);
    }
    let secret = Secret::new(&*app.entropy);
    let cookie = Cookie::OpenForm.set(secret.expose(), OPEN_FORM_SECS, &app.settings);
    (token_of_open_form(&secret), Some(cookie))
}

/// Checks a change that a script asks for by the REST API in a session.
///
/// # Errors
/// [`Refusal::ForgedForm`] unless it comes from our pages and carries the token.
pub fn check_api_call(headers: &HeaderMap, expected: &Secret, app: &App) -> Result<(), Refusal> {
    check_origin(headers, &app.settings)?;
    let shown = headers
        .get(TOKEN_HEADER)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    check_token(shown, expected)
}

fn token_of_open_form(secret: &Secret) -> Secret {
    secret.derive("form before logging in")
}

async fn read(request: Request, app: &App, expected: &Secret) -> Result<Fields, Refusal> {
    check_origin(request.headers(), &app.settings)?;
    let is_form = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|kind| {
            let kind = kind.split(';').next().unwrap_or_default().trim();
            kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
        });
    if !is_form {
        return Err(Refusal::ForgedForm("not a form"));
    }
    let body = to_bytes(request.into_body(), FORM_BYTES_MAX)
        .await
        .map_err(|_| Refusal::BadForm("The form is too large or broke off.".to_owned()))?;
    let fields = Fields::parse(&body)?;
    check_token(fields.text(TOKEN_FIELD)?, expected)?;
    Ok(fields)
}

fn check_token(shown: &str, expected: &Secret) -> Result<(), Refusal> {
    if expected.is(shown) {
        Ok(())
    } else {
        Err(Refusal::ForgedForm("wrong token"))
    }
}

/// Refuses what the browser says comes from another site. A client that says nothing is no
/// browser of this decade; the token decides alone.
fn check_origin(headers: &HeaderMap, settings: &Settings) -> Result<(), Refusal> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    match (text("sec-fetch-site"), text("origin")) {
        (Some("same-origin" | "none"), _) | (None, None) => Ok(()),
        (Some(_), _) => Err(Refusal::ForgedForm("another site")),
        (None, Some(origin)) if is_ours(origin, headers, settings) => Ok(()),
        (None, Some(_)) => Err(Refusal::ForgedForm("another origin")),
    }
}

/// Whether an origin is the address users see, or the very one the browser asked (`localhost` and
/// `127.0.0.1` are two names of one laptop). Compared whole, never by its end (S-54).
fn is_ours(origin: &str, headers: &HeaderMap, settings: &Settings) -> bool {
    if origin == settings.origin() {
        return true;
    }
    let host = headers
        .get(header::HOST)
        .and_then(|value| value.to_str().ok());
    let asked = origin
        .strip_prefix("http://")
        .or_else(|| origin.strip_prefix("https://"));
    asked.is_some() && asked == host
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::tests_support::settings;

    fn origin_passes(pairs: &[(&'static str, &'static str)]) -> bool {
        let headers = pairs
            .iter()
            .map(|(name, value)| {
                (
                    axum::http::HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect();
        check_origin(&headers, &settings("https://base.example")).is_ok()
    }

    #[test]
    fn only_our_own_origin_passes() {
        assert!(origin_passes(&[("origin", "https://base.example")]));
        assert!(origin_passes(&[
            ("origin", "http://localhost:8000"),
            ("host", "localhost:8000")
        ]));
        assert!(origin_passes(&[]));
        for origin in [
            "https://evil-base.example",
            "https://base.example.evil",
            "null",
            "base.example",
            "https://base.example:444",
            "",
        ] {
            assert!(!origin_passes(&[("origin", origin)]), "{origin}");
        }
    }

    #[test]
    fn what_the_browser_says_of_the_site_decides_first() {
        let ours = ("origin", "https://base.example");
        assert!(origin_passes(&[("sec-fetch-site", "same-origin")]));
        assert!(!origin_passes(&[("sec-fetch-site", "cross-site"), ours]));
        assert!(!origin_passes(&[("sec-fetch-site", "same-site"), ours]));
    }

    #[test]
    fn a_field_twice_is_no_form_of_ours() {
        let fields =
            Fields::parse(b"email=a%40x.io&email=b%40x.io&name=Ana+B&issue=1&issue=2").unwrap();
        assert!(fields.text("email").is_err());
        assert_eq!(fields.text("name").unwrap(), "Ana B");
        assert_eq!(fields.text("none").unwrap(), "");
        assert_eq!(fields.all("issue").collect::<Vec<_>>(), ["1", "2"]);
    }

    #[test]
    fn the_number_of_fields_has_an_edge() {
        let body = |count: usize| vec!["a=1"; count].join("&").into_bytes();
        assert!(Fields::parse(&body(FORM_FIELDS_MAX)).is_ok());
        assert!(Fields::parse(&body(FORM_FIELDS_MAX + 1)).is_err());
    }
}
