//! Slugs: the readable names in URLs.

use std::fmt;

use crate::limits::SLUG_BYTES_MAX;

/// A readable name in a URL: `a-z`, `0-9` and `-`, with at least one letter.
///
/// The letter, and the rule that a slug is never a UUID, keep slugs and ids apart: `{org}` and
/// `{project}` in a URL may be either. `new` stands in the same place of a URL as a slug does
/// (`/o/new`), so it is none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slug(String);

/// The word that pages for making things have where a slug would stand.
const RESERVED: &str = "new";

/// A text that cannot be a slug.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a slug has 1 to {SLUG_BYTES_MAX} characters of a-z, 0-9 and -, at least one of them a letter, \
     no - at either end, and is not `{RESERVED}`"
)]
pub struct InvalidSlug;

impl Slug {
    /// Takes `text` as a slug if it is one.
    ///
    /// # Errors
    /// When it is not.
    pub fn parse(text: &str) -> Result<Self, InvalidSlug> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let fits = !text.is_empty()
            && text.len() <= SLUG_BYTES_MAX
            && text.bytes().all(allowed)
            && text.bytes().any(|byte| byte.is_ascii_lowercase())
            && !text.starts_with('-')
            && !text.ends_with('-')
            && text != RESERVED
            && uuid::Uuid::parse_str(text).is_err();
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidSlug)
        }
    }

    /// Makes a slug out of a name; `fallback` where the name has no letter to make one of.
    pub fn from_name(name: &str, fallback: &str) -> Self {
        let mut text = String::new();
        for c in name.chars().flat_map(char::to_lowercase) {
            match c {
                'a'..='z' | '0'..='9' => text.push(c),
                '\'' | '\u{2019}' => {}
                _ if text.ends_with('-') || text.is_empty() => {}
                _ => text.push('-'),
            }
        }
        text.truncate(SLUG_BYTES_MAX);
        Self::parse(text.trim_end_matches('-')).unwrap_or_else(|_| Self(fallback.to_owned()))
    }

    /// The slug itself, then `shop-2`, `shop-3`, … in the order in which they are tried.
    pub fn candidates(&self) -> impl Iterator<Item = Self> {
        let numbered = (2..=u32::MAX).map(|number| self.with_suffix(number));
        std::iter::once(self.clone()).chain(numbered)
    }

    /// The same slug told apart by a number: `shop` → `shop-2`, within the length limit.
    #[must_use]
    pub fn with_suffix(&self, number: u32) -> Self {
        let suffix = format!("-{number}");
        let keep = self.0.len().min(SLUG_BYTES_MAX - suffix.len());
        Self(format!("{}{suffix}", self.0[..keep].trim_end_matches('-')))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comes_from_names() {
        let slug = |name| Slug::from_name(name, "org").to_string();
        assert_eq!(slug("Ana's Workspace"), "anas-workspace");
        assert_eq!(slug("  Müller & Co. 2 "), "m-ller-co-2");
        assert_eq!(slug("2024"), "org");
        assert_eq!(slug("日本"), "org");
    }

    #[test]
    fn is_never_an_id() {
        assert!(Slug::parse("123").is_err());
        assert!(Slug::parse("0198f3a2-0000-7000-8000-000000000000").is_err());
        assert!(Slug::parse("-a").is_err());
        assert!(Slug::parse("new").is_err());
        assert_eq!(Slug::from_name("New", "org").as_str(), "org");
        assert!(Slug::parse(&"a".repeat(SLUG_BYTES_MAX)).is_ok());
        assert!(Slug::parse(&"a".repeat(SLUG_BYTES_MAX + 1)).is_err());
    }

    #[test]
    fn suffix_stays_within_the_limit() {
        let long = Slug::parse(&"a".repeat(SLUG_BYTES_MAX)).unwrap();
        assert_eq!(long.with_suffix(12).as_str().len(), SLUG_BYTES_MAX);
    }
}
