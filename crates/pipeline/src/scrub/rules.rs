//! What is a secret: by the name of its key, or by what it looks like.
//!
//! Each expression runs in linear time. One that finds anything suspicious at all runs first, so that
//! clean text costs one scan.

use std::borrow::Cow;
use std::sync::LazyLock;

use copal_protocol::event::Text;
use regex::{Captures, Regex};

/// What stands in the place of a secret.
pub(super) const FILTERED: &str = "[Filtered]";

/// Cookies that carry sessions or protect them, in lower case.
const SECRET_COOKIES: &[&str] = &[
    "__session",
    "_csrf",
    "_iris_csrf",
    "_vercel_jwt",
    "_xsrf",
    "csrf",
    "csrf-token",
    "csrf_token",
    "csrftoken",
    "fastcsrf",
    "fasthttpsessionid",
    "irissessionid",
    "mysession",
    "phpsessid",
    "sentrysid",
    "session",
    "sessionid",
    "su",
    "sudo",
    "symfony",
    "user_session",
    "xsrf",
    "xsrf-token",
    "xsrf_token",
];

static KEY: LazyLock<Regex> = LazyLock::new(|| {
    compile(
        r"(?i-u)password|passwd|secret|api[-_]?key|auth|credentials|mysql_pwd|private[-_]?key|token|^(?:otp|two[-_]factor)$",
    )
});

/// A name of a secret followed by a value: the text is dropped as a whole.
static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    compile(
        r#"(?i-u:(?:password|passwd|secret|api[-_]?key|credentials|mysql_pwd|private[-_]?key|token)["']? ?[:=])"#,
    )
});

static BEARER: LazyLock<Regex> =
    LazyLock::new(|| compile(r"(?i-u)\b(bearer|basic) [a-z0-9+/=_.~-]{8,}"));
static PRIVATE_KEY: LazyLock<Regex> = LazyLock::new(|| {
    compile(
        r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----(?:[^-]|-[^-])*(?:-----END [A-Z ]{0,30}-----)?",
    )
});
static URL_USER: LazyLock<Regex> = LazyLock::new(|| compile(r"://[^\s/@:?#]*:[^\s/@]+@"));
static CARD: LazyLock<Regex> =
    LazyLock::new(|| compile(r"(?-u:\b)[3-6][0-9](?:[ -]?[0-9]){11,17}(?-u:\b)"));
static SOCIAL_SECURITY: LazyLock<Regex> =
    LazyLock::new(|| compile(r"(?-u:\b)[0-9]{3}-[0-9]{2}-[0-9]{4}(?-u:\b)"));

/// Anything that one of the rules could match.
static SUSPICIOUS: LazyLock<Regex> = LazyLock::new(|| {
    compile(
        r"(?i-u:bearer |basic )|-----BEGIN|:[^\s/@]+@|(?-u:[3-6][0-9](?:[ -]?[0-9]){11}|[0-9]-[0-9]{2}-[0-9])",
    )
});

fn compile(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a pattern of ours that the tests compile")
}

/// Whether a key names a secret.
pub(super) fn is_secret_key(key: &str) -> bool {
    KEY.is_match(key)
}

/// Whether a cookie carries a session or protects one.
pub(super) fn is_secret_cookie(name: &str) -> bool {
    SECRET_COOKIES
        .iter()
        .any(|cookie| cookie.eq_ignore_ascii_case(name))
}

/// Drops a text that names a secret and its value; else takes out what looks like a secret.
pub(super) fn scrub_value(text: &mut Text<'_>) {
    if NAMED.is_match(text) {
        *text = Cow::Borrowed(FILTERED);
    } else {
        scrub_matches(text);
    }
}

/// Takes out what surely is a secret, and leaves the rest.
pub(super) fn scrub_matches(text: &mut Text<'_>) {
    if !SUSPICIOUS.is_match(text) {
        return;
    }
    replace(text, &BEARER, "$1 [Filtered]");
    replace(text, &PRIVATE_KEY, FILTERED);
    replace(text, &URL_USER, "://[Filtered]@");
    replace(text, &SOCIAL_SECURITY, FILTERED);
    let without_cards = CARD.replace_all(text, |found: &Captures<'_>| {
        let digits = &found[0];
        let is_card = passes_luhn(digits);
        if is_card {
            FILTERED.to_owned()
        } else {
            digits.to_owned()
        }
    });
    if let Cow::Owned(scrubbed) = without_cards {
        *text = Cow::Owned(scrubbed);
    }
}

fn replace(text: &mut Text<'_>, rule: &Regex, replacement: &str) {
    if let Cow::Owned(scrubbed) = rule.replace_all(text, replacement) {
        *text = Cow::Owned(scrubbed);
    }
}

/// The check digit of payment cards (ISO/IEC 7812-1, annex B).
fn passes_luhn(text: &str) -> bool {
    let digits = text.chars().rev().filter_map(|c| c.to_digit(10));
    let sum: u32 = digits
        .enumerate()
        .map(|(place, digit)| match (place % 2, digit * 2) {
            (0, _) => digit,
            (_, double) if double > 9 => double - 9,
            (_, double) => double,
        })
        .sum();
    sum.is_multiple_of(10)
}
