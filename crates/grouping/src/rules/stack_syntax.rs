//! Stack-trace rules as people write them: matchers, then actions.
//!
//! `[ key:pattern ] |` in front is about the frame that calls, `| [ key:pattern ]` behind about the
//! frame that is called.

use super::glob::{self, Shape, Style};
use super::syntax::{At, Problem, Words, read_lines};
use super::{Families, RuleError};
use crate::family::Family;

/// A rule as it was read; patterns are not compiled yet.
#[derive(Debug)]
pub(super) struct ParsedRule {
    pub(super) line: usize,
    pub(super) text: String,
    pub(super) calling: Option<ParsedMatcher>,
    pub(super) matchers: Vec<ParsedMatcher>,
    pub(super) called: Option<ParsedMatcher>,
    pub(super) actions: Vec<ParsedAction>,
}

#[derive(Debug)]
pub(super) struct ParsedMatcher {
    pub(super) is_negated: bool,
    pub(super) test: ParsedTest,
}

#[derive(Debug)]
pub(super) enum ParsedTest {
    Frame(FrameField, Shape),
    Exception(ExceptionField, Shape),
    Family(Families),
    /// `None`: a value that cannot be read, which nothing is.
    App(Option<bool>),
    Category(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FrameField {
    Path,
    Package,
    Module,
    Function,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ExceptionField {
    Type,
    Value,
    Mechanism,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ParsedAction {
    App(Range, bool),
    Group(Range, bool),
    Category(String),
    MaxFrames(usize),
    MinFrames(usize),
    Invert(bool),
}

/// Which frames an action is about, seen from the one that matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Range {
    /// The one that matched.
    Here,
    /// All that follow, towards the crash.
    Callees,
    /// All before it.
    Callers,
}

pub(super) fn parse(text: &str) -> Result<Vec<ParsedRule>, Vec<RuleError>> {
    let rules = read_lines(text, read_rule)?;
    Ok(rules
        .into_iter()
        .map(|(line, rule)| ParsedRule { line, ..rule })
        .collect())
}

fn read_rule(words: &mut Words<'_>) -> Result<Option<ParsedRule>, At> {
    if words.rest().is_empty() {
        return Ok(None);
    }
    let start = words.offset();
    let calling = bracketed(words)?;
    if calling.is_some() && !words.take("|") {
        return words.problem(Problem::NoBar);
    }
    let mut matchers = Vec::new();
    while !words.rest().is_empty()
        && !words.rest().starts_with(['|', '['])
        && !is_action(words.peek_word())
    {
        matchers.push(matcher(words)?);
    }
    if matchers.is_empty() {
        return words.problem(Problem::NoMatcher);
    }
    let has_bar = words.take("|");
    let called = bracketed(words)?;
    if has_bar != called.is_some() {
        return words.problem(if has_bar {
            Problem::BadBracket
        } else {
            Problem::NoBar
        });
    }
    let mut actions = Vec::new();
    while !words.rest().is_empty() {
        actions.push(action(words)?);
    }
    if actions.is_empty() {
        return words.problem(Problem::NoAction);
    }
    let text = words.since(start).to_owned();
    Ok(Some(ParsedRule {
        line: 0,
        text,
        calling,
        matchers,
        called,
        actions,
    }))
}

/// `[ key:pattern ]`, where a bracket comes next.
fn bracketed(words: &mut Words<'_>) -> Result<Option<ParsedMatcher>, At> {
    if !words.take("[") {
        return Ok(None);
    }
    if words.rest().is_empty() {
        return words.problem(Problem::BadBracket);
    }
    let matcher = matcher(words)?;
    if !words.take("]") {
        return words.problem(Problem::BadBracket);
    }
    Ok(Some(matcher))
}

fn is_action(word: &str) -> bool {
    let flag = word.strip_prefix(['^', 'v']).unwrap_or(word);
    let is_assignment = match (word.find('='), word.find(':')) {
        (Some(equals), Some(colon)) => equals < colon,
        (equals, _) => equals.is_some(),
    };
    flag.starts_with(['+', '-']) || is_assignment
}

fn matcher(words: &mut Words<'_>) -> Result<ParsedMatcher, At> {
    let offset = words.offset();
    let (is_negated, key, pattern) = words.matcher()?;
    let test = match &*key {
        "path" | "stack.abs_path" => frame(FrameField::Path, &pattern),
        "package" | "stack.package" => frame(FrameField::Package, &pattern),
        "module" | "stack.module" => frame(FrameField::Module, &pattern),
        "function" | "stack.function" => frame(FrameField::Function, &pattern),
        "type" | "error.type" => exception(ExceptionField::Type, pattern, offset)?,
        "value" | "error.value" => exception(ExceptionField::Value, pattern, offset)?,
        "mechanism" | "error.mechanism" => exception(ExceptionField::Mechanism, pattern, offset)?,
        "category" => ParsedTest::Category(pattern),
        "app" => ParsedTest::App(match &*pattern {
            "yes" | "true" | "1" => Some(true),
            "no" | "false" | "0" => Some(false),
            _ => None,
        }),
        "family" => ParsedTest::Family(families(&pattern)),
        _ => {
            return Err(At {
                offset,
                problem: Problem::UnknownKey(key),
            });
        }
    };
    Ok(ParsedMatcher { is_negated, test })
}

fn frame(field: FrameField, pattern: &str) -> ParsedTest {
    let style = match field {
        FrameField::Path | FrameField::Package => Style::Path,
        FrameField::Module | FrameField::Function => Style::Text,
    };
    ParsedTest::Frame(field, glob::read(pattern, style))
}

fn exception(field: ExceptionField, pattern: String, offset: usize) -> Result<ParsedTest, At> {
    match glob::read(&pattern, Style::Text) {
        Shape::Never => Err(At {
            offset,
            problem: Problem::BadPattern(pattern),
        }),
        shape => Ok(ParsedTest::Exception(field, shape)),
    }
}

/// Families by name, divided by commas; `all` is any.
pub(super) fn families(pattern: &str) -> Families {
    pattern
        .split(',')
        .fold(Families::NONE, |families, name| match name {
            "all" => Families::ALL,
            name => Family::parse(name).map_or(families, |family| families.with(family)),
        })
}

fn action(words: &mut Words<'_>) -> Result<ParsedAction, At> {
    let word = words.peek_word();
    let Some(action) = read_action(word) else {
        return words.problem(match word.split_once('=') {
            Some(("max-frames" | "min-frames" | "invert-stacktrace" | "category", _)) => {
                Problem::BadValue(word.to_owned())
            }
            _ => Problem::UnknownWord(word.to_owned()),
        });
    };
    words.skip(word.len());
    Ok(action)
}

fn read_action(word: &str) -> Option<ParsedAction> {
    if let Some((key, value)) = word.split_once('=') {
        return Some(match key {
            "max-frames" => ParsedAction::MaxFrames(value.parse().ok()?),
            "min-frames" => ParsedAction::MinFrames(value.parse().ok()?),
            "invert-stacktrace" => ParsedAction::Invert(match value {
                "1" | "yes" | "true" => true,
                "0" | "no" | "false" => false,
                _ => return None,
            }),
            "category" if !value.is_empty() => ParsedAction::Category(value.to_owned()),
            _ => return None,
        });
    }
    let (range, flag) = match word.as_bytes().first()? {
        b'^' => (Range::Callees, &word[1..]),
        b'v' => (Range::Callers, &word[1..]),
        _ => (Range::Here, word),
    };
    Some(match flag {
        "+app" => ParsedAction::App(range, true),
        "-app" => ParsedAction::App(range, false),
        "+group" => ParsedAction::Group(range, true),
        "-group" => ParsedAction::Group(range, false),
        _ => return None,
    })
}
