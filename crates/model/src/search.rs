//! The query language over issues: parsed into a typed list of terms that must all hold.
//!
//! `is:open level:error !environment:dev* events:>10 "connection reset"`. Values match exactly
//! unless they hold `*`; bare words search title and message. A later version adds OR and
//! parentheses; the terms stay.

use jiff::SignedDuration;

use crate::limits::{SEARCH_BYTES_MAX, SEARCH_TERMS_MAX};
use crate::{IssueStatus, Level, Timestamp};

/// A parsed query: all terms must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// What must hold.
    pub terms: Vec<Term>,
}

/// One condition, possibly negated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// The condition must not hold.
    pub is_negated: bool,
    /// The condition.
    pub condition: Condition,
}

/// What one term asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// `is:open`, `is:resolved`, `is:ignored`.
    Status(IssueStatus),
    /// `is:regressed`.
    Regressed,
    /// `is:assigned`; nobody can be assigned yet, so it holds for no issue.
    Assigned,
    /// `level:error`.
    Level(Level),
    /// `title:`, `culprit:`, `project:`.
    Field(Field, Pattern),
    /// A tag, or one of the terms that are indexed like tags (`release`, `environment`, `user`,
    /// `url`, `stack.function`, `error.type`, `message`, …): some event of the issue has it.
    Tag(String, Pattern),
    /// `events:>10`, `users:5`.
    Count(CountField, Comparison, u64),
    /// `firstSeen:-24h`, `lastSeen:>2026-11-01`.
    Time(TimeField, Comparison, Timestamp),
    /// A bare word or quoted text, sought in title and message without regard to case.
    Text(String),
}

/// Text columns of an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// The title.
    Title,
    /// The place blamed.
    Culprit,
    /// The project's slug.
    Project,
}

/// Counts of an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CountField {
    /// `events`.
    Events,
    /// `users`.
    Users,
}

/// Times of an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeField {
    /// `firstSeen`.
    FirstSeen,
    /// `lastSeen`.
    LastSeen,
}

/// How a count or a time compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `5`
    Equal,
    /// `<5`
    Less,
    /// `<=5`
    LessOrEqual,
    /// `>5`
    Greater,
    /// `>=5`
    GreaterOrEqual,
}

/// A text to match whole; `*` stands for any run of characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// Takes the pattern as written.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it matches more than itself.
    pub fn has_wildcard(&self) -> bool {
        self.0.contains('*')
    }

    /// Whether `text` matches as a whole, without regard to ASCII case.
    pub fn matches(&self, text: &str) -> bool {
        let text = text.to_ascii_lowercase();
        let pattern = self.0.to_ascii_lowercase();
        let mut parts = pattern.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = text.strip_prefix(first) else {
            return false;
        };
        let Some(last) = parts.next_back() else {
            return rest.is_empty();
        };
        for part in parts {
            match rest.find(part) {
                Some(at) => rest = &rest[at + part.len()..],
                None => return false,
            }
        }
        rest.ends_with(last)
    }
}

/// A query that cannot be understood, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} (at character {column})")]
pub struct QueryError {
    /// Character of the query, from 1.
    pub column: usize,
    /// What is wrong and what would be right.
    pub message: String,
}

/// Parses a query; `now` is what relative times such as `-24h` count from.
///
/// # Errors
/// When a term cannot be understood; the error names the place.
pub fn parse(text: &str, now: Timestamp) -> Result<Query, QueryError> {
    let error = |column, message: &str| QueryError {
        column,
        message: message.to_owned(),
    };
    if text.len() > SEARCH_BYTES_MAX {
        return Err(error(1, "a query has at most 2000 bytes"));
    }
    let mut query = Query::default();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return Ok(query);
        }
        let column = text[..text.len() - rest.len()].chars().count() + 1;
        if query.terms.len() == SEARCH_TERMS_MAX {
            return Err(error(column, "a query has at most 50 terms"));
        }
        let (term, tail) =
            parse_term(rest, now).map_err(|message| QueryError { column, message })?;
        query.terms.push(term);
        rest = tail;
    }
}

fn parse_term(text: &str, now: Timestamp) -> Result<(Term, &str), String> {
    let (is_negated, text) = match text.strip_prefix('!') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let key_end = text.find(|c: char| c == ':' || c == '"' || c.is_whitespace());
    let (condition, rest) = match key_end {
        Some(at) if at > 0 && text[at..].starts_with(':') => {
            let (value, rest) = take_value(&text[at + 1..])?;
            if value.is_empty() {
                return Err(format!("`{}:` needs a value", &text[..at]));
            }
            (keyed(&text[..at], &value, now)?, rest)
        }
        _ => {
            let (value, rest) = take_value(text)?;
            if value.is_empty() {
                return Err("text to search for is missing".to_owned());
            }
            (Condition::Text(value), rest)
        }
    };
    Ok((
        Term {
            is_negated,
            condition,
        },
        rest,
    ))
}

fn take_value(text: &str) -> Result<(String, &str), String> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(char::is_whitespace).unwrap_or(text.len());
        return Ok((text[..end].to_owned(), &text[end..]));
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok((value, &quoted[at + 1..])),
            '\\' => value.extend(chars.next().map(|(_, escaped)| escaped)),
            _ => value.push(c),
        }
    }
    Err("a quoted text needs a closing \"".to_owned())
}

fn keyed(key: &str, value: &str, now: Timestamp) -> Result<Condition, String> {
    let pattern = || Pattern::new(value);
    Ok(match key {
        "is" => match &*value.to_ascii_lowercase() {
            "open" | "unresolved" => Condition::Status(IssueStatus::Open),
            "resolved" => Condition::Status(IssueStatus::Resolved),
            "ignored" => Condition::Status(IssueStatus::Ignored),
            "regressed" => Condition::Regressed,
            "assigned" => Condition::Assigned,
            _ => {
                return Err(format!(
                    "`is:{value}` is unknown: open, resolved, ignored, regressed and assigned are known"
                ));
            }
        },
        "level" => Condition::Level(
            value
                .to_ascii_lowercase()
                .parse()
                .map_err(|error| format!("`level:{value}`: {error}"))?,
        ),
        "title" => Condition::Field(Field::Title, pattern()),
        "culprit" => Condition::Field(Field::Culprit, pattern()),
        "project" => Condition::Field(Field::Project, pattern()),
        "events" => count(CountField::Events, value)?,
        "users" => count(CountField::Users, value)?,
        "firstSeen" => time(TimeField::FirstSeen, value, now)?,
        "lastSeen" => time(TimeField::LastSeen, value, now)?,
        "assigned" => Condition::Assigned,
        tag => Condition::Tag(tag.to_owned(), pattern()),
    })
}

fn comparison(value: &str) -> (Comparison, &str) {
    for (sign, comparison) in [
        (">=", Comparison::GreaterOrEqual),
        ("<=", Comparison::LessOrEqual),
        (">", Comparison::Greater),
        ("<", Comparison::Less),
    ] {
        if let Some(rest) = value.strip_prefix(sign) {
            return (comparison, rest);
        }
    }
    (Comparison::Equal, value)
}

fn count(field: CountField, value: &str) -> Result<Condition, String> {
    let (comparison, number) = comparison(value);
    let number = number
        .parse()
        .map_err(|_| format!("`{value}` is no count: 10, >10 and <=10 are"))?;
    Ok(Condition::Count(field, comparison, number))
}

fn time(field: TimeField, value: &str, now: Timestamp) -> Result<Condition, String> {
    let help =
        || format!("`{value}` is no time: -24h, -7d, >2026-11-01 and <2026-11-01T12:00:00Z are");
    if let Some(age) = value.strip_prefix('-') {
        let age = parse_age(age).ok_or_else(help)?;
        // Longer ago than there are years.
        let since = now.checked_sub(age).unwrap_or(Timestamp::MIN);
        return Ok(Condition::Time(field, Comparison::GreaterOrEqual, since));
    }
    let (comparison, moment) = comparison(value);
    let moment = parse_moment(moment).ok_or_else(help)?;
    match comparison {
        Comparison::Equal => Ok(Condition::Time(field, Comparison::GreaterOrEqual, moment)),
        other => Ok(Condition::Time(field, other, moment)),
    }
}

/// Reads an age such as `30m`, `24h`, `7d` or `2w`.
pub fn parse_age(text: &str) -> Option<SignedDuration> {
    let unit = text.chars().next_back()?;
    let number: i64 = text[..text.len() - unit.len_utf8()].parse().ok()?;
    let minutes = match unit {
        'm' => 1,
        'h' => 60,
        'd' => 24 * 60,
        'w' => 7 * 24 * 60,
        _ => return None,
    };
    (0..=1_000_000)
        .contains(&number)
        .then(|| SignedDuration::from_mins(number * minutes))
}

fn parse_moment(text: &str) -> Option<Timestamp> {
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some(moment);
    }
    let date: jiff::civil::Date = text.parse().ok()?;
    jiff::tz::Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(text: &str) -> Vec<Term> {
        parse(text, Timestamp::from_second(1_800_000_000).unwrap())
            .unwrap()
            .terms
    }

    #[test]
    fn reads_keys_words_and_quotes() {
        let terms = terms(r#"is:open !release:"1.2 beta" boom "two words" events:>=10"#);
        assert_eq!(terms[0].condition, Condition::Status(IssueStatus::Open));
        assert!(terms[1].is_negated);
        assert_eq!(
            terms[1].condition,
            Condition::Tag("release".into(), Pattern::new("1.2 beta"))
        );
        assert_eq!(terms[2].condition, Condition::Text("boom".into()));
        assert_eq!(terms[3].condition, Condition::Text("two words".into()));
        assert_eq!(
            terms[4].condition,
            Condition::Count(CountField::Events, Comparison::GreaterOrEqual, 10)
        );
    }

    #[test]
    fn levels_and_states_are_known_in_capitals_too() {
        let terms = terms("is:OPEN level:ERROR");
        assert_eq!(terms[0].condition, Condition::Status(IssueStatus::Open));
        assert_eq!(terms[1].condition, Condition::Level(Level::Error));
    }

    #[test]
    fn names_the_place_of_an_error() {
        let error = |text| parse(text, Timestamp::UNIX_EPOCH).unwrap_err().column;
        assert_eq!(error("is:open is:lost"), 9);
        assert_eq!(error("é \"open"), 3);
        assert_eq!(error("level:"), 1);
        assert_eq!(error("events:many"), 1);
        assert_eq!(error("lastSeen:yesterday"), 1);
    }

    #[test]
    fn relative_time_counts_from_now() {
        let Condition::Time(_, _, since) = terms("lastSeen:-24h")[0].condition else {
            panic!()
        };
        assert_eq!(since.as_second(), 1_800_000_000 - 86_400);
        let Condition::Time(_, _, since) = terms("firstSeen:-1000000w")[0].condition else {
            panic!()
        };
        assert_eq!(since, Timestamp::MIN);
    }

    #[test]
    fn patterns_match_whole_texts() {
        let matches = |pattern: &str, text: &str| Pattern::new(pattern).matches(text);
        assert!(matches("dev*", "development"));
        assert!(matches("*ment", "development"));
        assert!(matches("d*o*t", "development"));
        assert!(matches("*", ""));
        assert!(matches("Dev", "dev"));
        assert!(!matches("dev", "development"));
        assert!(!matches("ab*ba", "aba"));
    }
}
