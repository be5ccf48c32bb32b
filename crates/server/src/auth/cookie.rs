//! Cookies: which ones there are, how they are read and set (ASVS 3.3.1-3.3.4).

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};

use crate::app::Settings;

/// A cookie that Copal sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cookie {
    /// Holds the secret of the session.
    Session,
    /// Binds the forms of people who are not logged in to their browser.
    OpenForm,
    /// Light or dark.
    Theme,
    /// What was just done, to be said once on the next page.
    Notice,
}

impl Cookie {
    /// The name. Under TLS the prefix `__Host-` makes browsers bind the cookie to this host, so
    /// that no sibling domain can set it.
    pub const fn name(self, is_https: IsHttps) -> &'static str {
        match (self, is_https) {
            (Self::Session, IsHttps::Yes) => "__Host-copal",
            (Self::Session, IsHttps::No) => "copal",
            (Self::OpenForm, IsHttps::Yes) => "__Host-copal-form",
            (Self::OpenForm, IsHttps::No) => "copal-form",
            (Self::Theme, _) => copal_ui::nav::THEME_COOKIE,
            (Self::Notice, IsHttps::Yes) => "__Host-copal-notice",
            (Self::Notice, IsHttps::No) => "copal-notice",
        }
    }

    /// Reads the cookie; `None` when it is not there or there twice, which only an attacker does.
    pub fn read<'a>(self, headers: &'a HeaderMap, settings: &Settings) -> Option<&'a str> {
        let name = self.name(IsHttps::of(settings));
        let mut values = headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(key, _)| *key == name)
            .map(|(_, value)| value);
        let value = values.next()?;
        values.next().is_none().then_some(value)
    }

    /// The `Set-Cookie` value that keeps `value` (of URL-safe characters) for `max_age_secs`.
    pub fn set(self, value: &str, max_age_secs: u64, settings: &Settings) -> HeaderValue {
        let is_https = IsHttps::of(settings);
        let secure = match is_https {
            IsHttps::Yes => "; Secure",
            IsHttps::No => "",
        };
        let text = format!(
            "{}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={max_age_secs}{secure}",
            self.name(is_https)
        );
        HeaderValue::from_str(&text).expect("cookie values are URL-safe text")
    }

    /// The `Set-Cookie` value that forgets the cookie.
    pub fn clear(self, settings: &Settings) -> HeaderValue {
        self.set("", 0, settings)
    }
}

/// Whether browsers reach Copal by TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IsHttps {
    /// They do.
    Yes,
    /// They do not: on a laptop, say.
    No,
}

impl IsHttps {
    fn of(settings: &Settings) -> Self {
        if settings.is_https() {
            Self::Yes
        } else {
            Self::No
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::tests_support::settings;

    fn headers(lines: &[&str]) -> HeaderMap {
        lines
            .iter()
            .map(|line| (COOKIE, HeaderValue::from_str(line).unwrap()))
            .collect()
    }

    #[test]
    fn under_tls_the_session_is_bound_to_host_and_tls() {
        let cookie = Cookie::Session.set("abc", 60, &settings("https://copal.example"));
        assert_eq!(
            cookie,
            "__Host-copal=abc; Path=/; HttpOnly; SameSite=Lax; Max-Age=60; Secure"
        );
        let cookie = Cookie::Session.set("abc", 60, &settings("http://127.0.0.1:8000"));
        assert_eq!(
            cookie,
            "copal=abc; Path=/; HttpOnly; SameSite=Lax; Max-Age=60"
        );
    }

    #[test]
    fn reads_the_one_cookie_of_the_name() {
        let settings = settings("http://127.0.0.1:8000");
        let read = |lines: &[&str]| {
            Cookie::Session
                .read(&headers(lines), &settings)
                .map(str::to_owned)
        };
        assert_eq!(read(&["a=1; copal=x; b=2"]).as_deref(), Some("x"));
        assert_eq!(read(&["copal-form=y"]), None);
        assert_eq!(read(&["copal=x", "copal=y"]), None);
        assert_eq!(read(&["__Host-copal=x"]), None);
    }
}
