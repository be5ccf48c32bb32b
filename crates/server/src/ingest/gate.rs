//! From where events may come, and how many a key lets in.
//!
//! The limit of a key is counted by this process: several servers let in as many each.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use copal_model::gate::origin_of;
use copal_model::{KeyLimit, Origins, Timestamp};
use http::HeaderMap;
use http::header::{ORIGIN, REFERER};

use super::rejection::Rejection;

/// Keys with a limit that are counted at once; beyond, those of windows that are over are forgotten.
const KEYS_MAX: usize = 10_000;
/// The longest time that SDKs are asked to wait, in seconds (Relay: at most 300).
const RETRY_SECS_MAX: u32 = 300;
/// Characters of an origin that its sender is told.
const ORIGIN_CHARS_MAX: usize = 200;

/// Refuses a page that may not send. Programs that name no origin may.
pub(super) fn require_origin(origins: &Origins, headers: &HeaderMap) -> Result<(), Rejection> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let origin = match headers.get(ORIGIN) {
        // One that cannot be read is one all the same.
        Some(origin) => Some(origin.to_str().unwrap_or("unreadable")),
        None => text(REFERER).and_then(origin_of),
    };
    match origin {
        Some(origin) if !origins.allow(origin) => Err(Rejection::Origin {
            origin: origin.chars().take(ORIGIN_CHARS_MAX).collect(),
        }),
        _ => Ok(()),
    }
}

/// How many events keys have let in, in the window of the clock that is now.
#[derive(Debug, Default)]
pub(super) struct Windows(Mutex<HashMap<String, Window>>);

#[derive(Debug, Clone, Copy)]
struct Window {
    /// When it began, in seconds, and how long it is.
    began: i64,
    secs: u32,
    events: u32,
}

impl Windows {
    /// Counts one event more; where there is no room for it, the seconds until there is.
    pub(super) fn take(&self, key: &str, limit: KeyLimit, now: Timestamp) -> Result<(), u32> {
        let secs = limit.window.secs();
        let second = now.as_second();
        let began = second - second.rem_euclid(secs.into());
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= KEYS_MAX {
            windows.retain(|_, window| second < window.began + i64::from(window.secs));
        }
        let fresh = Window {
            began,
            secs,
            events: 0,
        };
        let window = windows.entry(key.to_owned()).or_insert(fresh);
        // Another window, also where the clock went back: none is ever longer than it is.
        if (window.began, window.secs) != (began, secs) {
            *window = fresh;
        }
        if window.events >= limit.events {
            let left = began + i64::from(secs) - second;
            return Err(u32::try_from(left).unwrap_or(secs).clamp(1, RETRY_SECS_MAX));
        }
        window.events += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_key_lets_in_as_many_as_it_may_in_each_window() {
        let windows = Windows::default();
        let limit = KeyLimit::new(2, 60).unwrap();
        let hourly = KeyLimit::new(1, 3_600).unwrap();
        assert_eq!(windows.take("a", limit, at(120)), Ok(()));
        assert_eq!(windows.take("a", limit, at(179)), Ok(()));
        assert_eq!(windows.take("a", limit, at(179)), Err(1));
        assert_eq!(windows.take("a", limit, at(121)), Err(59));
        // Another key, the next window, a clock that went back, another limit.
        assert_eq!(windows.take("b", limit, at(121)), Ok(()));
        assert_eq!(windows.take("a", limit, at(180)), Ok(()));
        assert_eq!(windows.take("a", limit, at(100)), Ok(()));
        assert_eq!(windows.take("a", hourly, at(100)), Ok(()));
        assert_eq!(windows.take("a", hourly, at(101)), Err(RETRY_SECS_MAX));
    }

    #[test]
    fn keys_whose_windows_are_over_are_forgotten() {
        let windows = Windows::default();
        let limit = KeyLimit::new(1, 60).unwrap();
        for number in 0..KEYS_MAX {
            assert_eq!(windows.take(&number.to_string(), limit, at(0)), Ok(()));
        }
        assert_eq!(windows.take("next", limit, at(60)), Ok(()));
        assert_eq!(windows.0.lock().unwrap().len(), 1);
    }

    #[test]
    fn the_origin_is_that_of_the_page_or_of_its_referer() {
        let origins = Origins::parse("shop.example").unwrap();
        let asked = |name: &str, value: &str| {
            let mut headers = HeaderMap::new();
            let name: http::HeaderName = name.parse().unwrap();
            headers.insert(name, value.parse().unwrap());
            require_origin(&origins, &headers).is_ok()
        };
        assert!(asked("origin", "https://shop.example"));
        assert!(asked("referer", "https://shop.example/cart?x"));
        assert!(asked("referer", "about:blank"));
        assert!(asked("user-agent", "a program"));
        assert!(!asked("origin", "https://evil-shop.example"));
        assert!(!asked("origin", "null"));
        assert!(!asked("origin", "\u{fc}"));
        assert!(!asked("referer", "https://shop.example.evil/"));
    }
}
