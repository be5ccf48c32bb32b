//! Browser sessions: a random secret in a cookie, its hash in the store.

use axum::http::{HeaderMap, HeaderValue, header};
use copal_model::{Timestamp, UserId};
use copal_store::access::SecretHash;
use copal_store::sessions::NewSession;
use jiff::SignedDuration;

use crate::app::App;
use crate::auth::Refusal;
use crate::auth::cookie::Cookie;
use crate::auth::secret::Secret;

/// How long a session lives, whatever is done with it, in seconds: 30 days (ASVS 7.3.2).
pub const SESSION_SECS: u32 = 30 * 24 * 60 * 60;
/// How long ago a person may have logged in to do what cannot be undone, in seconds (rule D-9).
pub const FRESH_SECS: u32 = 15 * 60;
/// Characters of the browser's name that are kept.
const USER_AGENT_CHARS_MAX: usize = 256;

/// The secret of the session that the request's cookie names, dead or alive.
pub fn secret_of(headers: &HeaderMap, app: &App) -> Option<Secret> {
    Cookie::Session
        .read(headers, &app.settings)
        .filter(|text| !text.is_empty())
        .map(Secret::shown)
}

/// Begins a session with a new secret and ends the one that the request still names, so that a
/// secret planted before logging in is worth nothing after (ASVS 7.2.4). Answers the cookie.
pub async fn begin(app: &App, user: UserId, headers: &HeaderMap) -> Result<HeaderValue, Refusal> {
    let secret = Secret::new(&*app.entropy);
    let now = app.clock.now();
    let session = NewSession {
        secret: secret.hash(),
        user,
        user_agent: user_agent(headers),
        now,
        expires_at: now + SignedDuration::from_secs(SESSION_SECS.into()),
    };
    let replaces = secret_of(headers, app).map(|old| old.hash());
    app.store.create_session(session, replaces).await?;
    Ok(Cookie::Session.set(secret.expose(), SESSION_SECS.into(), &app.settings))
}

/// Ends a session. Answers the cookie that makes the browser forget it.
pub async fn end(app: &App, session: &SecretHash) -> Result<HeaderValue, Refusal> {
    app.store.delete_session(session).await?;
    Ok(Cookie::Session.clear(&app.settings))
}

/// Whether the person proved recently enough who they are.
pub fn is_fresh(authenticated_at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(authenticated_at) <= SignedDuration::from_secs(FRESH_SECS.into())
}

fn user_agent(headers: &HeaderMap) -> String {
    headers
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .chars()
        .take(USER_AGENT_CHARS_MAX)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn freshness_has_an_edge() {
        let then = Timestamp::from_second(1_800_000_000).unwrap();
        let after = |secs: i64| then + SignedDuration::from_secs(secs);
        assert!(is_fresh(then, after(FRESH_SECS.into())));
        assert!(!is_fresh(then, after(i64::from(FRESH_SECS) + 1)));
    }
}
