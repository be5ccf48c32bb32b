//! Rules as people write them: matchers, then actions, one rule a line.

use super::glob::Style;
use super::{Action, Field, Matcher, Patterns, Range, Rule, Test};
use crate::family::Family;

/// Why a text is not a list of rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What can be wrong with a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// Something that is neither a matcher nor an action.
    Unknown(String),
    /// A quote that does not end.
    OpenQuote,
    /// No matcher before the actions.
    NoMatcher,
    /// No action after the matchers.
    NoAction,
}

impl std::fmt::Display for RuleError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: ", self.line)?;
        match &self.problem {
            Problem::Unknown(token) => write!(f, "`{token}` is neither a matcher nor an action"),
            Problem::OpenQuote => f.write_str("a quote does not end"),
            Problem::NoMatcher => f.write_str("a rule begins with a matcher"),
            Problem::NoAction => f.write_str("a rule ends with an action"),
        }
    }
}

impl std::error::Error for RuleError {}

/// Reads one line; `None` for one that holds no rule.
pub(super) fn parse_line(line: &str, patterns: &mut Patterns) -> Result<Option<Rule>, Problem> {
    let tokens = tokens(line)?;
    if tokens.is_empty() {
        return Ok(None);
    }
    let mut matchers = Vec::new();
    let mut actions = Vec::new();
    for token in &tokens {
        if let Some(action) = action(token, patterns) {
            actions.push(action);
        } else if actions.is_empty() {
            let unknown = || Problem::Unknown(token.clone());
            matchers.push(matcher(token, patterns).ok_or_else(unknown)?);
        } else {
            return Err(Problem::Unknown(token.clone()));
        }
    }
    if matchers.is_empty() {
        return Err(Problem::NoMatcher);
    }
    if actions.is_empty() {
        return Err(Problem::NoAction);
    }
    Ok(Some(Rule {
        text: tokens.join(" "),
        matchers,
        actions,
    }))
}

/// Splits at blanks outside quotes; drops the quotes and what follows `#`.
fn tokens(line: &str) -> Result<Vec<String>, Problem> {
    let mut tokens = Vec::new();
    let mut token = String::new();
    let mut is_quoted = false;
    for character in line.chars() {
        match character {
            '"' => is_quoted = !is_quoted,
            '#' if !is_quoted && token.is_empty() => break,
            blank if blank.is_whitespace() && !is_quoted => {
                if !token.is_empty() {
                    tokens.push(std::mem::take(&mut token));
                }
            }
            other => token.push(other),
        }
    }
    if is_quoted {
        return Err(Problem::OpenQuote);
    }
    if !token.is_empty() {
        tokens.push(token);
    }
    Ok(tokens)
}

fn matcher(token: &str, patterns: &mut Patterns) -> Option<Matcher> {
    let (is_negated, positive) = match token.strip_prefix('!') {
        Some(rest) => (true, rest),
        None => (false, token),
    };
    let (key, pattern) = positive.split_once(':')?;
    let mut by = |field, style| Test::Pattern(patterns.add(field, pattern, style));
    let test = match key {
        "path" | "stack.abs_path" => by(Field::Path, Style::Path),
        "package" | "stack.package" => by(Field::Package, Style::Path),
        "module" | "stack.module" => by(Field::Module, Style::Text),
        "function" | "stack.function" => by(Field::Function, Style::Text),
        "type" | "error.type" => by(Field::Type, Style::Text),
        "value" | "error.value" => by(Field::Value, Style::Text),
        "mechanism" | "error.mechanism" => by(Field::Mechanism, Style::Text),
        "category" => Test::Category(patterns.word(pattern)),
        "app" => match pattern {
            "yes" | "true" | "1" => Test::App(Some(true)),
            "no" | "false" | "0" => Test::App(Some(false)),
            _ => Test::App(None),
        },
        "family" => family(pattern),
        _ => return None,
    };
    Some(Matcher { is_negated, test })
}

fn family(pattern: &str) -> Test {
    if pattern.split(',').any(|name| name == "all") {
        return Test::AnyFamily;
    }
    Test::Family(pattern.split(',').filter_map(Family::parse).collect())
}

fn action(token: &str, patterns: &mut Patterns) -> Option<Action> {
    if let Some((key, value)) = token.split_once('=') {
        return match key {
            "max-frames" => value.parse().ok().map(Action::MaxFrames),
            "min-frames" => value.parse().ok().map(Action::MinFrames),
            "invert-stacktrace" => Some(Action::Invert(matches!(value, "1" | "yes" | "true"))),
            "category" => Some(Action::Category(patterns.word(value))),
            _ => None,
        };
    }
    let (range, flag) = match token.strip_prefix('^') {
        Some(flag) => (Range::Callees, flag),
        None => match token.strip_prefix('v') {
            Some(flag) => (Range::Callers, flag),
            None => (Range::Here, token),
        },
    };
    match flag {
        "+app" => Some(Action::App(range, true)),
        "-app" => Some(Action::App(range, false)),
        "+group" => Some(Action::Group(range, true)),
        "-group" => Some(Action::Group(range, false)),
        _ => None,
    }
}
