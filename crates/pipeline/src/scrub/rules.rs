//! What is a secret: by the name of its key, or by what it looks like.
//!
//! Each expression runs in linear time. One that finds anything suspicious at all runs first, so that
//! clean text costs one scan.

use std::borrow::Cow;
use std::sync::LazyLock;

use copal_protocol::event::Text;
use regex::{Captures, Regex};

use super::iban::account_at_start;
use super::reason::Reason;

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
/// Keys and tokens that their makers gave a beginning by which they can be told.
static ACCESS_KEY: LazyLock<Regex> = LazyLock::new(|| {
    compile(concat!(
        r"(?-u)\b(?:(?:AKIA|ASIA)[0-9A-Z]{16}",
        r"|gh[opsru]_[0-9A-Za-z]{36}|github_pat_\w{22,}|glpat-[\w-]{20,}|npm_[0-9A-Za-z]{36}",
        r"|xox[abeoprs]-[0-9A-Za-z-]{10,}|(?:sk|rk)_(?:live|test)_[0-9A-Za-z]{16,}",
        r"|sk-(?:ant|proj)-[\w-]{20,}|AIza[\w-]{35}|SG\.[\w-]{22}\.[\w-]{43}",
        r"|eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]*)",
    ))
});
static URL_USER: LazyLock<Regex> = LazyLock::new(|| compile(r"://[^\s/@:?#]*:[^\s/@]+@"));
static CARD: LazyLock<Regex> =
    LazyLock::new(|| compile(r"(?-u:\b)[3-6][0-9](?:[ -]?[0-9]){11,17}(?-u:\b)"));
/// What may be an account; [`account_at_start`] decides.
static ACCOUNT: LazyLock<Regex> =
    LazyLock::new(|| compile(r"(?-u:\b)[A-Z]{2}[0-9]{2}(?: ?[0-9A-Z]){11,30}"));
static SOCIAL_SECURITY: LazyLock<Regex> =
    LazyLock::new(|| compile(r"(?-u:\b)[0-9]{3}-[0-9]{2}-[0-9]{4}(?-u:\b)"));
static USER_PATH: LazyLock<Regex> =
    LazyLock::new(|| compile(r#"([/\\](?:home|Users)[/\\]+)[^\s/\\:;,'"<>]+"#));

/// Anything that one of the rules could match.
static SUSPICIOUS: LazyLock<Regex> = LazyLock::new(|| {
    compile(concat!(
        r"(?i-u:bearer |basic )|-----BEGIN|:[^\s/@]+@|(?-u:[3-6][0-9](?:[ -]?[0-9]){11}",
        r"|[0-9]-[0-9]{2}-[0-9]|[A-Z]{2}[0-9]{2} ?[0-9A-Z]{4} ?[0-9A-Z]{4}",
        r"|AKIA|ASIA|gh[opsru]_|github_pat_|glpat-|npm_|xox[abeoprs]-|[sr]k_(?:live|test)_",
        r"|sk-(?:ant|proj)-|AIza|SG\.|eyJ)",
    ))
});

/// How many bytes at the start of a match are a secret.
type Check = fn(&str) -> Option<usize>;

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
pub(super) fn scrub_text(text: &mut Text<'_>) -> Option<Reason> {
    if NAMED.is_match(text) {
        *text = Cow::Borrowed(FILTERED);
        return Some(Reason::NamedInText);
    }
    let reason = scrub_matches(text);
    let is_path = text.contains("home") || text.contains("Users");
    let path = is_path
        && USER_PATH
            .captures_iter(text)
            .any(|found| !found[0].ends_with(FILTERED));
    if path {
        replace(text, &USER_PATH, "$1[Filtered]");
    }
    reason.or(path.then_some(Reason::UserPath))
}

/// Takes out what surely is a secret, and leaves the rest; tells the first reason.
pub(super) fn scrub_matches(text: &mut Text<'_>) -> Option<Reason> {
    if !SUSPICIOUS.is_match(text) {
        return None;
    }
    let by_form = [
        (&BEARER, "$1 [Filtered]", Reason::Credentials),
        (&PRIVATE_KEY, FILTERED, Reason::PrivateKey),
        (&URL_USER, "://[Filtered]@", Reason::UrlPassword),
        (&ACCESS_KEY, FILTERED, Reason::AccessKey),
        (&SOCIAL_SECURITY, FILTERED, Reason::SocialSecurity),
    ];
    let mut reason = None;
    for (rule, replacement, why) in by_form {
        if replace(text, rule, replacement) {
            reason = reason.or(Some(why));
        }
    }
    let checked: [(_, Check, _); 2] = [
        (&ACCOUNT, account_at_start, Reason::Account),
        (&CARD, card, Reason::Card),
    ];
    for (rule, check, why) in checked {
        if replace_checked(text, rule, check) {
            reason = reason.or(Some(why));
        }
    }
    reason
}

fn replace(text: &mut Text<'_>, rule: &Regex, replacement: &str) -> bool {
    let Cow::Owned(scrubbed) = rule.replace_all(text, replacement) else {
        return false;
    };
    let is_changed = *text != scrubbed;
    *text = Cow::Owned(scrubbed);
    is_changed
}

/// Replaces as many bytes of each match as `check` says are a secret.
fn replace_checked(text: &mut Text<'_>, rule: &Regex, check: Check) -> bool {
    let mut is_changed = false;
    let scrubbed = rule.replace_all(text, |found: &Captures<'_>| match check(&found[0]) {
        Some(end) => {
            is_changed = true;
            format!("{FILTERED}{}", &found[0][end..])
        }
        None => found[0].to_owned(),
    });
    if is_changed {
        *text = Cow::Owned(scrubbed.into_owned());
    }
    is_changed
}

/// The check digit of payment cards (ISO/IEC 7812-1, annex B).
fn card(text: &str) -> Option<usize> {
    let digits = text.chars().rev().filter_map(|c| c.to_digit(10));
    let sum: u32 = digits
        .enumerate()
        .map(|(place, digit)| match (place % 2, digit * 2) {
            (0, _) => digit,
            (_, double) if double > 9 => double - 9,
            (_, double) => double,
        })
        .sum();
    sum.is_multiple_of(10).then_some(text.len())
}
