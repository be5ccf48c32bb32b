//! Turns a search into conditions and what is bound to them: the one query builder.
//!
//! Text of the search never becomes SQL: it is bound. What engines say differently is in
//! [`Dialect`].

use copal_model::search::{Comparison, Condition, CountField, Field, Pattern, Term, TimeField};

use super::IssueQuery;
use crate::record::texts::storable;

/// Whose SQL the conditions are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Parameters are `?`, booleans are numbers, `like` disregards ASCII case.
    Sqlite,
    /// Parameters are `$1`, `$2` and so on; only `ilike` disregards case, that of ASCII alone in
    /// the collation `C`.
    Postgres,
}

/// A parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Bound {
    /// A number.
    Integer(i64),
    /// A text.
    Text(String),
}

/// Conditions over `issues i` joined with `projects p`, and what is bound to them in order.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    dialect: Dialect,
    /// All must hold.
    pub(crate) conditions: Vec<String>,
    /// What the parameters stand for.
    pub(crate) values: Vec<Bound>,
}

impl Filter {
    /// What a query asks of an issue, whatever its project. Parameters follow `values`, which the
    /// engine's own part of the statement has bound.
    pub(crate) fn new(query: &IssueQuery, dialect: Dialect, values: Vec<Bound>) -> Self {
        let mut filter = Self {
            dialect,
            conditions: Vec::new(),
            values,
        };
        if let Some(environment) = &query.environment {
            let environment = filter.text(environment.clone());
            filter.all_of(format!(
                "exists (select 1 from issue_tags t where t.issue_id = i.id
                   and t.key = 'environment' and t.value = {environment})"
            ));
        }
        if let Some(since) = query.seen_since {
            let since = filter.integer(since.as_microsecond());
            filter.all_of(format!("i.last_seen >= {since}"));
        }
        for term in &query.query.terms {
            filter.term(term);
        }
        filter
    }

    /// One more condition.
    pub(crate) fn all_of(&mut self, condition: impl Into<String>) {
        self.conditions.push(condition.into());
    }

    /// Binds a number; answers how the statement names it.
    pub(crate) fn integer(&mut self, number: i64) -> String {
        self.bind(Bound::Integer(number))
    }

    /// Binds a text, as it is stored; answers how the statement names it.
    pub(crate) fn text(&mut self, text: impl Into<String>) -> String {
        self.bind(Bound::Text(storable(text.into())))
    }

    fn bind(&mut self, value: Bound) -> String {
        self.values.push(value);
        match self.dialect {
            Dialect::Sqlite => "?".to_owned(),
            Dialect::Postgres => format!("${}", self.values.len()),
        }
    }

    fn term(&mut self, term: &Term) {
        let condition = self.condition(&term.condition);
        // Null compares as not matching, so that `!error.type:x` finds issues without a type.
        self.all_of(if term.is_negated {
            format!("not coalesce({condition}, {})", self.falsehood())
        } else {
            condition
        });
    }

    fn condition(&mut self, condition: &Condition) -> String {
        match condition {
            Condition::Status(status) => format!("i.status = {}", self.text(status.as_str())),
            Condition::Regressed => match self.dialect {
                Dialect::Sqlite => "i.is_regressed = 1".to_owned(),
                Dialect::Postgres => "i.is_regressed".to_owned(),
            },
            Condition::Assigned => self.falsehood().to_owned(),
            Condition::Level(level) => format!("i.level = {}", self.text(level.as_str())),
            Condition::Field(field, pattern) => self.like(field_column(*field), &like(pattern)),
            Condition::Tag(key, pattern) => self.tag(key, &like(pattern)),
            Condition::Count(field, comparison, number) => {
                let number = self.integer(i64::try_from(*number).unwrap_or(i64::MAX));
                format!("{} {} {number}", count_column(*field), sign(*comparison))
            }
            Condition::Time(field, comparison, time) => {
                let time = self.integer(time.as_microsecond());
                format!("{} {} {time}", time_column(*field), sign(*comparison))
            }
            Condition::Text(text) => {
                let anywhere = format!("%{}%", escape(text));
                format!(
                    "({}
                  or exists (select 1 from issue_terms t where t.issue_id = i.id
                    and t.key = 'message' and {}))",
                    self.like("i.title", &anywhere),
                    self.like("t.value", &anywhere)
                )
            }
        }
    }

    fn tag(&mut self, key: &str, pattern: &str) -> String {
        format!(
            "exists (select 1 from issue_tags t where t.issue_id = i.id
               and t.key = {} and {}
             union all
             select 1 from issue_terms t where t.issue_id = i.id
               and t.key = {} and {})",
            self.text(key),
            self.like("t.value", pattern),
            self.text(key),
            self.like("t.value", pattern)
        )
    }

    /// Whether a column matches a pattern, disregarding ASCII case as [`Pattern::matches`] does.
    fn like(&mut self, column: &str, pattern: &str) -> String {
        let pattern = self.text(pattern);
        match self.dialect {
            Dialect::Sqlite => format!("{column} like {pattern} escape '\\'"),
            Dialect::Postgres => {
                format!("{column} collate \"C\" ilike {pattern} collate \"C\" escape '\\'")
            }
        }
    }

    const fn falsehood(&self) -> &'static str {
        match self.dialect {
            Dialect::Sqlite => "0",
            Dialect::Postgres => "false",
        }
    }
}

const fn field_column(field: Field) -> &'static str {
    match field {
        Field::Title => "i.title",
        Field::Culprit => "i.culprit",
        Field::Project => "p.slug",
    }
}

const fn count_column(field: CountField) -> &'static str {
    match field {
        CountField::Events => "i.events_count",
        CountField::Users => "i.users_affected",
    }
}

const fn time_column(field: TimeField) -> &'static str {
    match field {
        TimeField::FirstSeen => "i.first_seen",
        TimeField::LastSeen => "i.last_seen",
    }
}

const fn sign(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Equal => "=",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
    }
}

/// A pattern for `like`.
fn like(pattern: &Pattern) -> String {
    escape(pattern.as_str()).replace('*', "%")
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_star_is_a_wildcard() {
        assert_eq!(like(&Pattern::new("50%_*\\")), "50\\%\\_%\\\\");
    }
}
