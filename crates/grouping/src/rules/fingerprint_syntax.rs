//! Fingerprint rules as people write them: matchers, an arrow, what the fingerprint is.
//!
//! `error.type:Timeout* -> timeout, {{ transaction }} title="Timeout in {{ transaction }}"`

use super::RuleError;
use super::fingerprint::{Key, Matcher, Rule};
use super::glob::Style;
use super::pattern::Pattern;
use super::stack_syntax::families;
use super::syntax::{At, Problem, Words, read_lines};
use crate::fingerprint::{Variable, variable_name};

pub(super) fn parse(text: &str) -> Result<Vec<Rule>, Vec<RuleError>> {
    let rules = read_lines(text, read_rule)?;
    Ok(rules
        .into_iter()
        .map(|(line, rule)| Rule { line, ..rule })
        .collect())
}

fn read_rule(words: &mut Words<'_>) -> Result<Option<Rule>, At> {
    if words.rest().is_empty() {
        return Ok(None);
    }
    let start = words.offset();
    let mut matchers = Vec::new();
    while !words.rest().is_empty() && !words.rest().starts_with("->") {
        matchers.push(matcher(words)?);
    }
    if !words.take("->") {
        return words.problem(Problem::NoArrow);
    }
    if matchers.is_empty() {
        return Err(At {
            offset: start,
            problem: Problem::NoMatcher,
        });
    }
    let mut values = Vec::new();
    let mut title = None;
    while !words.rest().is_empty() {
        if words.take(",") {
            continue;
        }
        match attribute(words)? {
            Some(text) => title = Some(text),
            None => values.push(value(words)?),
        }
    }
    if values.is_empty() {
        return words.problem(Problem::NoFingerprint);
    }
    let text = words.since(start).to_owned();
    // What is cheap to tell is tried first.
    matchers.sort_by_key(|matcher: &Matcher| matcher.key.kind());
    Ok(Some(Rule {
        line: 0,
        text,
        matchers,
        values,
        title,
    }))
}

fn matcher(words: &mut Words<'_>) -> Result<Matcher, At> {
    let offset = words.offset();
    let (is_negated, name, text) = words.matcher()?;
    let pattern = |style| Pattern::new(&text, style);
    let key = match &*name {
        "error.type" | "type" => Key::Type(pattern(Style::Text)),
        "error.value" | "value" => Key::Value(pattern(Style::AnyCase)),
        "stack.module" | "module" => Key::Module(pattern(Style::Text)),
        "stack.abs_path" | "path" => Key::Path(pattern(Style::Path)),
        "stack.package" | "package" => Key::Package(pattern(Style::Path)),
        "stack.function" | "function" => Key::Function(pattern(Style::Text)),
        "message" => Key::Message(pattern(Style::AnyCase)),
        "logger" => Key::Logger(pattern(Style::Text)),
        "level" => Key::Level(pattern(Style::AnyCase)),
        "release" => Key::Release(pattern(Style::Text)),
        "family" => Key::Family(families(&text)),
        "sdk" => Key::Sdk(text.split(',').map(str::to_owned).collect()),
        "app" => Key::App(match &*text {
            "yes" | "true" | "1" => Some(true),
            "no" | "false" | "0" => Some(false),
            _ => None,
        }),
        _ => match name.strip_prefix("tags.").filter(|tag| !tag.is_empty()) {
            Some(tag) => Key::Tag(tag.to_owned(), pattern(Style::Text)),
            None => {
                return Err(At {
                    offset,
                    problem: Problem::UnknownKey(name),
                });
            }
        },
    };
    if key.is_never() {
        return Err(At {
            offset,
            problem: Problem::BadPattern(text),
        });
    }
    Ok(Matcher { is_negated, key })
}

/// `title="…"`, where that comes next.
fn attribute(words: &mut Words<'_>) -> Result<Option<String>, At> {
    let word = words.peek_word();
    let Some((name, _)) = word.split_once('=') else {
        return Ok(None);
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(is_name) {
        return Ok(None);
    }
    if name != "title" {
        return words.problem(Problem::UnknownAttribute(name.to_owned()));
    }
    words.skip("title=".len());
    words.value(char::is_whitespace).map(Some)
}

/// A text or a variable: what stands in quotes, between double braces, or up to a blank or comma.
fn value(words: &mut Words<'_>) -> Result<String, At> {
    let offset = words.offset();
    let rest = words.rest();
    let text = if rest.starts_with('"') {
        words.value(|_| true)?
    } else if rest.starts_with("{{") {
        let Some(end) = rest.find("}}") else {
            return words.problem(Problem::UnknownVariable(rest.to_owned()));
        };
        words.skip(end + 2);
        rest[..end + 2].to_owned()
    } else {
        let end = rest.find(|c: char| c.is_whitespace() || c == ',');
        let end = end
            .unwrap_or(rest.len())
            .min(rest.find("{{").unwrap_or(rest.len()));
        words.skip(end);
        rest[..end].to_owned()
    };
    match variable_name(&text) {
        Some(name) if name != "default" && Variable::parse(name).is_none() => Err(At {
            offset,
            problem: Problem::UnknownVariable(name.to_owned()),
        }),
        _ => Ok(text),
    }
}
