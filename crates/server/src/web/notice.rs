//! What was just done, told once on the next page, with what takes it back.
//!
//! It travels in a cookie, so that it needs no place on the server and is in no URL. Whatever
//! stands there instead is only shown, escaped, to the browser that has it; what it would undo
//! needs the form's token and the right to do it, like everything else.

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use copal_ui::nav::Notice;

use crate::app::App;
use crate::auth::cookie::Cookie;

/// Bytes of a notice's text that are carried to the next page.
const TEXT_BYTES_MAX: usize = 300;
/// Bytes of what takes it back. With the text, in Base64, a cookie of 4,096 bytes holds both
/// (RFC 6265, 6.1).
pub(super) const UNDO_BYTES_MAX: usize = 2_400;
/// How long a notice waits for its page, in seconds.
const NOTICE_SECS: u64 = 60;
/// Stands between the text and what takes it back.
const SEPARATOR: char = '\n';

/// Goes to a path of this site after something was done, and says there what.
pub(super) fn redirect(path: &str, text: &str, app: &App) -> Response {
    go(path, text, "", app)
}

/// The same with what the page for undoing needs, if that is not too long to be carried.
pub(super) fn redirect_with_undo(path: &str, text: &str, undo: &str, app: &App) -> Response {
    let undo = if undo.len() <= UNDO_BYTES_MAX {
        undo
    } else {
        ""
    };
    go(path, text, undo, app)
}

fn go(path: &str, text: &str, undo: &str, app: &App) -> Response {
    let mut end = text.len().min(TEXT_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = text[..end].replace(SEPARATOR, " ");
    let value = URL_SAFE_NO_PAD.encode(format!("{text}{SEPARATOR}{undo}"));
    let cookie: HeaderValue = Cookie::Notice.set(&value, NOTICE_SECS, &app.settings);
    ([(header::SET_COOKIE, cookie)], Redirect::to(path)).into_response()
}

/// The notice that a browser brings along.
pub(super) fn read(headers: &HeaderMap, app: &App) -> Option<Notice> {
    let value = Cookie::Notice.read(headers, &app.settings)?;
    let bytes = URL_SAFE_NO_PAD.decode(value).ok()?;
    parse(&String::from_utf8(bytes).ok()?)
}

fn parse(carried: &str) -> Option<Notice> {
    let (text, undo) = carried.split_once(SEPARATOR).unwrap_or((carried, ""));
    let fits = text.len() <= TEXT_BYTES_MAX && undo.len() <= UNDO_BYTES_MAX;
    (!text.is_empty() && fits).then(|| Notice {
        text: text.to_owned(),
        undo: Some(undo.to_owned()).filter(|undo| !undo.is_empty()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_or_empty_is_not_shown() {
        let text = "x".repeat(TEXT_BYTES_MAX);
        let undo = "u".repeat(UNDO_BYTES_MAX);
        let both = format!("{text}\n{undo}");
        assert_eq!(parse(&both).unwrap().undo, Some(undo));
        assert!(URL_SAFE_NO_PAD.encode(&both).len() < 4_000);
        assert!(parse(&format!("{both}u")).is_none());
        assert!(parse(&format!("x{both}")).is_none());
        assert!(parse("\nundo").is_none());
        assert_eq!(parse("Saved.").unwrap().undo, None);
    }
}
