//! Browsers that their makers gave up years ago.

use crate::user_agent::browser;

/// The first version of each browser that is still looked after by somebody.
const FIRST_MODERN: &[(&str, u32)] = &[
    ("Android", u32::MAX),
    ("Chrome", 63),
    ("Chrome Mobile", 63),
    ("Edge", 79),
    ("Firefox", 67),
    ("Firefox Mobile", 67),
    ("IE", u32::MAX),
    ("Mobile Safari", 12),
    ("Opera", 51),
    ("Opera Mini", 35),
    ("Safari", 12),
];

/// Whether a browser is older than that.
pub(super) fn is_legacy(agent: &str) -> bool {
    let Some(browser) = browser(agent) else {
        return false;
    };
    let first = FIRST_MODERN.iter().find(|(name, _)| *name == browser.name);
    let version = browser.version.as_deref().unwrap_or_default();
    let major: Option<u32> = version
        .split('.')
        .next()
        .and_then(|major| major.parse().ok());
    match (first, major) {
        (Some((_, first)), Some(major)) => major < *first,
        _ => false,
    }
}
