//! What both languages of rules have in common: words on a line, and what can be wrong with them.
//!
//! A rule is one line. Words are divided by blanks; `key:"a pattern"` may hold blanks; `#` at the
//! start of a word begins a comment. In a pattern `\\` is one backslash, and within quotes `\"` is a
//! quote; every other backslash is the pattern's own.

use std::fmt;

/// Bytes of a project's rules of one kind.
pub const RULES_BYTES_MAX: usize = 64 * 1024;
/// Rules of one kind that a project may have.
pub const RULES_MAX: usize = 1_000;
/// Bytes of one pattern.
pub const PATTERN_BYTES_MAX: usize = 500;
/// Problems told of one text; the rest would be noise.
pub const PROBLEMS_MAX: usize = 20;

/// Why a text is not a list of rules: one problem of one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleError {
    /// The line, from 1.
    pub line: usize,
    /// The character within the line, from 1.
    pub column: usize,
    /// What is wrong there.
    pub problem: Problem,
}

/// What can be wrong with a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// A matcher of a key that does not exist.
    UnknownKey(String),
    /// Something that is neither a matcher nor an action.
    UnknownWord(String),
    /// An action with a value that it cannot have.
    BadValue(String),
    /// A variable in a fingerprint that does not exist.
    UnknownVariable(String),
    /// An attribute of a fingerprint that does not exist.
    UnknownAttribute(String),
    /// A pattern that cannot be read, where it would silently never match.
    BadPattern(String),
    /// A pattern beyond [`PATTERN_BYTES_MAX`].
    LongPattern,
    /// A quote that does not end.
    OpenQuote,
    /// A bracket that does not end, or with something else than one matcher in it.
    BadBracket,
    /// A caller or callee without the bar that divides it from the frame.
    NoBar,
    /// No matcher that stands without brackets.
    NoMatcher,
    /// No action after the matchers.
    NoAction,
    /// No arrow between matchers and fingerprint.
    NoArrow,
    /// Nothing after the arrow.
    NoFingerprint,
    /// More than [`RULES_MAX`] rules.
    TooManyRules,
    /// A text beyond [`RULES_BYTES_MAX`].
    LongText,
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "line {}, column {}: {}",
            self.line, self.column, self.problem
        )
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownKey(key) => write!(f, "there is no matcher `{key}`"),
            Self::UnknownWord(word) => write!(f, "`{word}` is neither a matcher nor an action"),
            Self::BadValue(word) => write!(f, "`{word}` has a value that it cannot have"),
            Self::UnknownVariable(name) => write!(f, "there is no variable `{name}`"),
            Self::UnknownAttribute(name) => write!(f, "there is no attribute `{name}`, only title"),
            Self::BadPattern(pattern) => write!(f, "the pattern `{pattern}` cannot be read"),
            Self::LongPattern => write!(f, "a pattern has at most {PATTERN_BYTES_MAX} bytes"),
            Self::OpenQuote => f.write_str("a quote does not end"),
            Self::BadBracket => f.write_str("brackets hold exactly one matcher: `[ key:pattern ]`"),
            Self::NoBar => f.write_str("a bar divides brackets from the frame: `[ … ] | …`"),
            Self::NoMatcher => f.write_str("a rule begins with a matcher"),
            Self::NoAction => f.write_str("a rule ends with an action"),
            Self::NoArrow => f.write_str("an arrow `->` stands between matchers and fingerprint"),
            Self::NoFingerprint => f.write_str("a fingerprint follows the arrow"),
            Self::TooManyRules => write!(f, "there are at most {RULES_MAX} rules"),
            Self::LongText => write!(f, "rules have at most {RULES_BYTES_MAX} bytes"),
        }
    }
}

impl std::error::Error for RuleError {}

/// Reads a text line by line, and goes on after a line that is wrong.
///
/// Gives each rule with its line, from 1.
pub(super) fn read_lines<T>(
    text: &str,
    mut read: impl FnMut(&mut Words<'_>) -> Result<Option<T>, At>,
) -> Result<Vec<(usize, T)>, Vec<RuleError>> {
    let first = |problem| RuleError {
        line: 1,
        column: 1,
        problem,
    };
    if text.len() > RULES_BYTES_MAX {
        return Err(vec![first(Problem::LongText)]);
    }
    let mut rules = Vec::new();
    let mut errors = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let mut words = Words::new(line);
        match read(&mut words) {
            Ok(Some(_)) if rules.len() == RULES_MAX => {
                errors.push(RuleError {
                    line: index + 1,
                    column: 1,
                    problem: Problem::TooManyRules,
                });
                break;
            }
            Ok(rule) => rules.extend(rule.map(|rule| (index + 1, rule))),
            Err(At { offset, problem }) => {
                let column = line[..offset].chars().count() + 1;
                errors.push(RuleError {
                    line: index + 1,
                    column,
                    problem,
                });
            }
        }
        if errors.len() == PROBLEMS_MAX {
            break;
        }
    }
    if errors.is_empty() {
        Ok(rules)
    } else {
        Err(errors)
    }
}

/// A problem and where in its line, in bytes, it stands.
#[derive(Debug)]
pub(super) struct At {
    pub(super) offset: usize,
    pub(super) problem: Problem,
}

/// A line that is read word by word.
pub(super) struct Words<'t> {
    line: &'t str,
    offset: usize,
}

impl<'t> Words<'t> {
    const fn new(line: &'t str) -> Self {
        Self { line, offset: 0 }
    }

    /// What is left, from the next word on; empty at the end or before a comment.
    pub(super) fn rest(&mut self) -> &'t str {
        let rest = &self.line[self.offset..];
        let trimmed = rest.trim_start();
        self.offset += rest.len() - trimmed.len();
        if trimmed.starts_with('#') {
            ""
        } else {
            trimmed
        }
    }

    /// Where the next word begins.
    pub(super) fn offset(&mut self) -> usize {
        self.rest();
        self.offset
    }

    /// Goes on behind the next `bytes` bytes.
    pub(super) fn skip(&mut self, bytes: usize) {
        self.offset += bytes;
    }

    /// Goes on behind `expected`, if that comes next.
    pub(super) fn take(&mut self, expected: &str) -> bool {
        let is_next = self.rest().starts_with(expected);
        if is_next {
            self.offset += expected.len();
        }
        is_next
    }

    /// The next word up to a blank, which stays the next.
    pub(super) fn peek_word(&mut self) -> &'t str {
        let rest = self.rest();
        rest.split(char::is_whitespace).next().unwrap_or(rest)
    }

    /// What was read so far, from `start` on, without blanks at its end.
    pub(super) fn since(&self, start: usize) -> &'t str {
        self.line[start..self.offset].trim_end()
    }

    /// `problem` at the next word.
    pub(super) fn problem<T>(&mut self, problem: Problem) -> Result<T, At> {
        Err(At {
            offset: self.offset(),
            problem,
        })
    }

    /// `[!]key:pattern`: whether negated, the key, the pattern.
    pub(super) fn matcher(&mut self) -> Result<(bool, String, String), At> {
        let offset = self.offset();
        let word = self.peek_word().to_owned();
        let is_negated = self.take("!");
        let key = self.key()?;
        if !self.line[self.offset..].starts_with(':') {
            return Err(At {
                offset,
                problem: Problem::UnknownWord(word),
            });
        }
        self.offset += 1;
        let pattern = self.value(char::is_whitespace)?;
        if pattern.len() > PATTERN_BYTES_MAX {
            return Err(At {
                offset,
                problem: Problem::LongPattern,
            });
        }
        Ok((is_negated, key, pattern))
    }

    /// A name, with a part in quotes where it holds other characters: `tags."my key"`.
    fn key(&mut self) -> Result<String, At> {
        let mut key = String::new();
        while let Some(next) = self.line[self.offset..].chars().next() {
            if next == '"' {
                key.push_str(&self.quoted()?);
            } else if next.is_alphanumeric() || "_.-".contains(next) {
                key.push(next);
                self.offset += next.len_utf8();
            } else {
                break;
            }
        }
        Ok(key)
    }

    /// A text in quotes, or one up to where `is_end` is true.
    pub(super) fn value(&mut self, is_end: impl Fn(char) -> bool) -> Result<String, At> {
        let rest = &self.line[self.offset..];
        if rest.starts_with('"') {
            return self.quoted();
        }
        let text = &rest[..rest.find(is_end).unwrap_or(rest.len())];
        self.offset += text.len();
        Ok(text.replace(r"\\", r"\"))
    }

    fn quoted(&mut self) -> Result<String, At> {
        let start = self.offset;
        let mut text = String::new();
        let mut characters = self.line[start + 1..].char_indices();
        while let Some((at, character)) = characters.next() {
            match character {
                '"' => {
                    self.offset = start + 1 + at + 1;
                    return Ok(text);
                }
                '\\' => match characters.next() {
                    Some((_, escaped @ ('"' | '\\'))) => text.push(escaped),
                    Some((_, other)) => text.extend(['\\', other]),
                    None => break,
                },
                other => text.push(other),
            }
        }
        Err(At {
            offset: start,
            problem: Problem::OpenQuote,
        })
    }
}
