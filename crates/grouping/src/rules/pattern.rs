//! One pattern that is looked for alone.

use regex::bytes::Regex;

use super::compiled::regex;
use super::glob::{self, Shape, Style};
use super::syntax::{PATTERN_BYTES_MAX, Problem};

/// A pattern, ready to be tried on one text after another.
#[derive(Debug)]
pub struct Pattern {
    style: Style,
    form: Form,
}

#[derive(Debug)]
enum Form {
    Exact(String),
    Prefix(String),
    Regex(Regex),
    Never,
}

impl Pattern {
    /// A pattern in which `*` is anything and the case of letters does not matter.
    ///
    /// # Errors
    /// When it cannot be read, or is beyond [`PATTERN_BYTES_MAX`].
    pub fn any_case(pattern: &str) -> Result<Self, Problem> {
        if pattern.len() > PATTERN_BYTES_MAX {
            return Err(Problem::LongPattern);
        }
        let read = Self::new(pattern, Style::AnyCase);
        if read.is_never() {
            Err(Problem::BadPattern(pattern.to_owned()))
        } else {
            Ok(read)
        }
    }

    pub(super) fn new(pattern: &str, style: Style) -> Self {
        Self::of(glob::read(pattern, style), style)
    }

    pub(super) fn of(shape: Shape, style: Style) -> Self {
        let form = match shape {
            Shape::Exact(text) => Form::Exact(text),
            Shape::Prefix(text) => Form::Prefix(text),
            Shape::Regex(expression) => {
                Form::Regex(regex(&expression).expect("the pattern compiled when it was read"))
            }
            Shape::Never => Form::Never,
        };
        Self { style, form }
    }

    /// Whether it can never match, since it cannot be read.
    pub(super) const fn is_never(&self) -> bool {
        matches!(self.form, Form::Never)
    }

    /// Whether a text matches as a whole.
    pub fn matches(&self, text: &str) -> bool {
        if self.style != Style::Path {
            return self.matches_bytes(text.as_bytes());
        }
        let mut path = Vec::new();
        normal_path(text, &mut path);
        let is_rooted = text.starts_with(['/', '\\']);
        self.matches_bytes(&path) || (!is_rooted && self.matches_bytes(&path[1..]))
    }

    fn matches_bytes(&self, text: &[u8]) -> bool {
        match &self.form {
            Form::Exact(exact) => exact.as_bytes() == text,
            Form::Prefix(prefix) => text
                .strip_prefix(prefix.as_bytes())
                .is_some_and(|rest| !rest.contains(&b'\n')),
            Form::Regex(regex) => regex.is_match(text),
            Form::Never => false,
        }
    }
}

/// Lower case, `/` between parts and in front.
pub(super) fn normal_path(text: &str, out: &mut Vec<u8>) {
    out.clear();
    if !text.starts_with(['/', '\\']) {
        out.push(b'/');
    }
    out.extend(text.bytes().map(|byte| match byte {
        b'\\' => b'/',
        other => other.to_ascii_lowercase(),
    }));
}
