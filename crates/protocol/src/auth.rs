//! Credentials: the client key that lets a request in, in all the places SDKs put it.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose;

use crate::dsn::{Dsn, strip_key_flags};
use crate::envelope::EnvelopeHeader;
use crate::limits::{PROTOCOL_VERSION_MAX, PUBLIC_KEY_CHARS};

/// What a request says about who sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The client key: 32 ASCII letters and digits.
    pub public_key: String,
    /// `sentry_client`, `name/version`; empty when not given.
    pub client: String,
}

/// Where a request may carry credentials, in the order they are looked at.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sources<'a> {
    /// The header `X-Sentry-Auth`.
    pub sentry_auth: Option<&'a str>,
    /// The header `Authorization`; schemes other than `Sentry` and `Basic` are none of ours.
    pub authorization: Option<&'a str>,
    /// The query string, without the question mark.
    pub query: Option<&'a str>,
}

/// Why a request has no usable credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// None of the places holds any.
    #[error("missing authorization information")]
    Missing,
    /// The place holds something that cannot be read.
    #[error("bad authorization information in {place}: {problem}")]
    Unreadable {
        /// Which place.
        place: &'static str,
        /// What is wrong there.
        problem: &'static str,
    },
    /// The key does not look like one.
    #[error("bad sentry DSN public key: it has 32 letters and digits")]
    BadKey,
    /// The version is not a number, or is higher than any that exists.
    #[error("unsupported protocol version: 7 is the latest")]
    UnknownVersion,
}

impl AuthError {
    /// The HTTP status to answer with.
    pub const fn status(self) -> u16 {
        match self {
            Self::Missing | Self::Unreadable { .. } => 401,
            Self::BadKey | Self::UnknownVersion => 400,
        }
    }
}

impl Credentials {
    /// Takes the first credentials that a request carries; `None` where it carries none.
    ///
    /// Relay refuses a request that carries several kinds. Proxies add headers of their own, so we
    /// take the first.
    pub fn find(sources: Sources<'_>) -> Result<Option<Self>, AuthError> {
        if let Some(value) = sources.sentry_auth {
            let fields = strip_scheme(value, "sentry").unwrap_or(value);
            return Self::from_header("X-Sentry-Auth", fields).map(Some);
        }
        if let Some(value) = sources.authorization {
            if let Some(fields) = strip_scheme(value, "sentry") {
                return Self::from_header("Authorization", fields).map(Some);
            }
            if let Some(user_pass) = strip_scheme(value, "basic") {
                return Self::from_basic(user_pass).map(Some);
            }
        }
        match sources.query {
            Some(query) if query.contains("sentry_") => Self::from_query(query).map(Some),
            _ => Ok(None),
        }
    }

    /// Takes the credentials of an envelope that is sent without any other (tunnels).
    pub fn from_envelope(header: &EnvelopeHeader<'_>) -> Result<(Self, Dsn), AuthError> {
        let place = "the envelope header";
        let dsn = header.dsn.as_deref().ok_or(AuthError::Missing)?;
        let dsn: Dsn = dsn.parse().map_err(|_| AuthError::Unreadable {
            place,
            problem: "its dsn is no DSN",
        })?;
        let client = header.sdk.as_ref().map_or_else(String::new, |sdk| {
            let version = sdk.version.as_deref().unwrap_or_default();
            format!("{}/{version}", sdk.name.as_deref().unwrap_or_default())
        });
        let public_key = check_key(&dsn.public_key)?;
        Ok((Self { public_key, client }, dsn))
    }

    fn from_header(place: &'static str, fields: &str) -> Result<Self, AuthError> {
        let pairs = fields
            .split(',')
            .filter_map(|field| field.trim().split_once('='))
            .map(|(key, value)| (key.trim().into(), value.trim().into()));
        Self::from_pairs(place, pairs)
    }

    fn from_query(query: &str) -> Result<Self, AuthError> {
        let pairs = form_urlencoded::parse(query.as_bytes());
        Self::from_pairs("the query string", pairs)
    }

    fn from_basic(user_pass: &str) -> Result<Self, AuthError> {
        let place = "Authorization";
        let unreadable = |problem| AuthError::Unreadable { place, problem };
        let decoded = general_purpose::STANDARD
            .decode(user_pass)
            .or_else(|_| general_purpose::STANDARD_NO_PAD.decode(user_pass))
            .map_err(|_| unreadable("it is not base64"))?;
        let text = String::from_utf8(decoded).map_err(|_| unreadable("it is not UTF-8"))?;
        let key = text.split(':').next().unwrap_or_default();
        Ok(Self {
            public_key: check_key(key)?,
            client: String::new(),
        })
    }

    fn from_pairs<'a>(
        place: &'static str,
        pairs: impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)>,
    ) -> Result<Self, AuthError> {
        let (mut key, mut client) = (None, String::new());
        for (name, value) in pairs {
            match &*name {
                "sentry_key" => key = Some(value),
                "sentry_version" => check_version(&value)?,
                "sentry_client" => client = value.into_owned(),
                _ => {}
            }
        }
        let key = key.ok_or(AuthError::Unreadable {
            place,
            problem: "it has no sentry_key",
        })?;
        let public_key = check_key(&key)?;
        Ok(Self { public_key, client })
    }
}

/// The rest of a header value after its scheme and a space, whatever the case of the scheme.
fn strip_scheme<'a>(value: &'a str, scheme: &str) -> Option<&'a str> {
    let (first, rest) = value.trim_start().split_once(' ')?;
    first.eq_ignore_ascii_case(scheme).then(|| rest.trim())
}

fn check_key(key: &str) -> Result<String, AuthError> {
    let key = strip_key_flags(key);
    let is_key = key.len() == PUBLIC_KEY_CHARS && key.bytes().all(|b| b.is_ascii_alphanumeric());
    is_key.then(|| key.to_owned()).ok_or(AuthError::BadKey)
}

fn check_version(version: &str) -> Result<(), AuthError> {
    let major = version.split('.').next().unwrap_or_default();
    match major.parse::<u32>() {
        Ok(number) if number <= PROTOCOL_VERSION_MAX => Ok(()),
        _ => Err(AuthError::UnknownVersion),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "0123456789abcdef0123456789abcdef";

    fn header(value: &str) -> Result<Option<Credentials>, AuthError> {
        Credentials::find(Sources {
            sentry_auth: Some(value),
            ..Sources::default()
        })
    }

    fn authorization(value: &str) -> Result<Option<Credentials>, AuthError> {
        Credentials::find(Sources {
            authorization: Some(value),
            ..Sources::default()
        })
    }

    fn query(value: &str) -> Result<Option<Credentials>, AuthError> {
        Credentials::find(Sources {
            query: Some(value),
            ..Sources::default()
        })
    }

    fn of(client: &str) -> Credentials {
        Credentials {
            public_key: KEY.to_owned(),
            client: client.to_owned(),
        }
    }

    #[test]
    fn every_place_is_read() {
        let python = format!(
            "Sentry sentry_key={KEY}, sentry_version=7, sentry_client=sentry.python/2.0, \
             sentry_secret=x, sentry_timestamp=1"
        );
        assert_eq!(header(&python), Ok(Some(of("sentry.python/2.0"))));
        assert_eq!(authorization(&python), Ok(Some(of("sentry.python/2.0"))));
        assert_eq!(
            header(&format!("sENTRY  sentry_key={KEY}")),
            Ok(Some(of("")))
        );
        assert_eq!(header(&format!("sentry_key={KEY}")), Ok(Some(of(""))));
        assert_eq!(
            header(&format!("Sentry a,b=c,,sentry_key={KEY}.flag")),
            Ok(Some(of("")))
        );
        let browser = format!("sentry_version=7&sentry_key={KEY}&sentry_client=a%2F1");
        assert_eq!(query(&browser), Ok(Some(of("a/1"))));
        for user_pass in [format!("{KEY}:"), format!("{KEY}:x:y"), KEY.to_owned()] {
            let encoded = general_purpose::STANDARD.encode(user_pass);
            assert_eq!(authorization(&format!("Basic {encoded}")), Ok(Some(of(""))));
        }
    }

    #[test]
    fn the_first_place_wins() {
        let fields = format!("Sentry sentry_key={KEY}, sentry_client=first");
        let all = Sources {
            sentry_auth: Some(&fields),
            authorization: Some("Sentry sentry_key=second"),
            query: Some("sentry_key=third"),
        };
        assert_eq!(Credentials::find(all), Ok(Some(of("first"))));
    }

    #[test]
    fn nothing_of_ours_is_nothing() {
        assert_eq!(authorization("Bearer sentry_key=1"), Ok(None));
        assert_eq!(query("utm_source=x"), Ok(None));
        assert_eq!(Credentials::find(Sources::default()), Ok(None));
    }

    #[test]
    fn failures_have_their_status() {
        let status = |result: Result<_, AuthError>| result.unwrap_err().status();
        assert_eq!(status(header("")), 401);
        assert_eq!(status(header("Sentry sentry_version=7")), 401);
        assert_eq!(status(authorization("Basic !")), 401);
        assert_eq!(status(query("sentry_version=7")), 401);
        assert_eq!(status(header("Sentry sentry_key=short")), 400);
        assert_eq!(
            status(header(&format!("Sentry sentry_key={}", &KEY[1..]))),
            400
        );
        assert_eq!(status(header(&format!("Sentry sentry_key=0{KEY}"))), 400);
    }

    #[test]
    fn versions_up_to_seven_are_known() {
        let with = |version| {
            header(&format!(
                "Sentry sentry_key={KEY}, sentry_version={version}"
            ))
        };
        for version in ["2", "6", "7", "7.0"] {
            assert_eq!(with(version), Ok(Some(of(""))), "{version}");
        }
        for version in ["8", "", "x", "-1"] {
            assert_eq!(with(version), Err(AuthError::UnknownVersion), "{version}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "(Sentry |Basic |)(sentry_key=|sentry_version=|\\PC){0,9}") {
            let _ = (header(&text), authorization(&text), query(&text));
        }
    }
}
