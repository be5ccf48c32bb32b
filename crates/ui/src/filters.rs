//! Filters of the templates. What an event brought goes through [`text`], [`short`] or [`long`].

#![expect(
    unreachable_pub,
    clippy::inline_always,
    clippy::unnecessary_wraps,
    clippy::unused_self,
    reason = "askama's attribute wants a `Result` and writes the rest"
)]

use std::borrow::Borrow;
use std::fmt::{self, Write as _};

use askama::filters::{Escaper as _, Html, HtmlSafe};
use askama::{Result, Values};

/// Characters of an event's text shown in one line of a list.
pub(crate) const LINE_CHARS_MAX: usize = 200;
/// Characters of an event's text shown in a cell of a table.
pub(crate) const CELL_CHARS_MAX: usize = 2_000;
/// Characters of an event's text shown in a block of its own.
pub(crate) const BLOCK_CHARS_MAX: usize = 20_000;

/// Hostile text: shortened, escaped, and isolated from the direction of the text around it.
#[derive(Debug, Clone)]
pub(crate) struct Hostile {
    text: String,
    chars_max: usize,
}

impl Hostile {
    /// Takes text from an event, to show at most `chars_max` characters of it.
    pub(crate) fn new(text: impl fmt::Display, chars_max: usize) -> Self {
        Self {
            text: text.to_string(),
            chars_max,
        }
    }
}

impl HtmlSafe for Hostile {}

impl fmt::Display for Hostile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<bdi>")?;
        write_visible(f, &self.text, self.chars_max)?;
        f.write_str("</bdi>")
    }
}

/// Escapes `text` and shows control characters instead of obeying them; cuts after `chars_max`.
pub(crate) fn write_visible(
    f: &mut fmt::Formatter<'_>,
    text: &str,
    chars_max: usize,
) -> fmt::Result {
    let (shown, is_cut) = cut(text, chars_max);
    let visible = shown
        .chars()
        .map(|c| match c {
            '\n' | '\t' => c,
            '\u{0}'..='\u{1f}' => char::from_u32(0x2400 + c as u32).unwrap_or('\u{fffd}'),
            '\u{7f}'..='\u{9f}' => '\u{fffd}',
            _ => c,
        })
        .collect::<String>();
    Html.write_escaped_str(&mut *f, &visible)?;
    if is_cut {
        f.write_char('…')?;
    }
    Ok(())
}

fn cut(text: &str, chars_max: usize) -> (&str, bool) {
    match text.char_indices().nth(chars_max) {
        Some((at, _)) => (&text[..at], true),
        None => (text, false),
    }
}

/// Hostile text in one line of a list.
#[askama::filter_fn]
pub(crate) fn short(text: impl fmt::Display, _: &dyn Values) -> Result<Hostile> {
    Ok(Hostile::new(text, LINE_CHARS_MAX))
}

/// Hostile text in a cell of a table.
#[askama::filter_fn]
pub(crate) fn text(text: impl fmt::Display, _: &dyn Values) -> Result<Hostile> {
    Ok(Hostile::new(text, CELL_CHARS_MAX))
}

/// Hostile text in a block of its own.
#[askama::filter_fn]
pub(crate) fn long(text: impl fmt::Display, _: &dyn Values) -> Result<Hostile> {
    Ok(Hostile::new(text, BLOCK_CHARS_MAX))
}

/// A count, shortened.
#[askama::filter_fn]
pub(crate) fn count(number: impl Borrow<u64>, _: &dyn Values) -> Result<crate::format::Count> {
    Ok(crate::format::Count(*number.borrow()))
}

/// A count in full.
#[askama::filter_fn]
pub(crate) fn grouped(number: impl Borrow<u64>, _: &dyn Values) -> Result<crate::format::Grouped> {
    Ok(crate::format::Grouped(*number.borrow()))
}

/// A time as its age.
#[askama::filter_fn]
pub(crate) fn ago(
    at: impl Borrow<copal_model::Timestamp>,
    _: &dyn Values,
    now: &copal_model::Timestamp,
) -> Result<crate::format::RelativeTime> {
    Ok(crate::format::RelativeTime {
        at: *at.borrow(),
        now: *now,
    })
}

/// A time in full.
#[askama::filter_fn]
pub(crate) fn exact(
    at: impl Borrow<copal_model::Timestamp>,
    _: &dyn Values,
) -> Result<crate::format::Exact> {
    Ok(crate::format::Exact(*at.borrow()))
}

/// A time within its day, the whole on hover.
#[askama::filter_fn]
pub(crate) fn clock(
    at: impl Borrow<copal_model::Timestamp>,
    _: &dyn Values,
) -> Result<crate::format::TimeOfDay> {
    Ok(crate::format::TimeOfDay(*at.borrow()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_is_escaped_isolated_and_cut() {
        assert_eq!(
            Hostile::new("<b>&\"'", 10).to_string(),
            "<bdi>&#60;b&#62;&#38;&#34;&#39;</bdi>"
        );
        assert_eq!(Hostile::new("aéio", 3).to_string(), "<bdi>aéi…</bdi>");
        assert_eq!(Hostile::new("aéi", 3).to_string(), "<bdi>aéi</bdi>");
    }

    #[test]
    fn control_characters_are_shown_not_obeyed() {
        assert_eq!(
            Hostile::new("a\0b\u{1b}[31m\u{9b}\n", 20).to_string(),
            "<bdi>a␀b␛[31m\u{fffd}\n</bdi>"
        );
    }
}
