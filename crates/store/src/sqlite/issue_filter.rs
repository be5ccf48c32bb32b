//! Turns a search into conditions and parameters: the one query builder.
//!
//! Text of the search never becomes SQL: it is bound.

use copal_model::search::{Comparison, Condition, CountField, Field, Pattern, Term, TimeField};
use rusqlite::types::Value;

use crate::issues::IssueQuery;

/// Conditions over `issues i` joined with `projects p`, and what is bound to them in order.
#[derive(Clone)]
pub(super) struct Filter {
    pub(super) conditions: Vec<String>,
    pub(super) values: Vec<Value>,
}

impl Filter {
    /// What a query asks of an issue, whatever its project.
    pub(super) fn new(query: &IssueQuery) -> Self {
        let mut filter = Self {
            conditions: Vec::new(),
            values: Vec::new(),
        };
        if let Some(environment) = &query.environment {
            filter.all_of(
                "exists (select 1 from issue_tags t where t.issue_id = i.id
                   and t.key = 'environment' and t.value = ?)",
                [environment.clone().into()],
            );
        }
        if let Some(since) = query.seen_since {
            filter.all_of("i.last_seen >= ?", [since.as_microsecond().into()]);
        }
        for term in &query.query.terms {
            filter.term(term);
        }
        filter
    }

    /// One more condition; its `?` take `values` in order.
    pub(super) fn all_of(&mut self, condition: &str, values: impl IntoIterator<Item = Value>) {
        self.conditions.push(condition.to_owned());
        self.values.extend(values);
    }

    fn term(&mut self, term: &Term) {
        let (condition, values) = condition(&term.condition);
        // Null compares as not matching, so that `!error.type:x` finds issues without a type.
        let condition = if term.is_negated {
            format!("not coalesce({condition}, 0)")
        } else {
            condition
        };
        self.all_of(&condition, values);
    }
}

fn condition(condition: &Condition) -> (String, Vec<Value>) {
    match condition {
        Condition::Status(status) => one("i.status = ?", status.as_str().to_owned()),
        Condition::Regressed => ("i.is_regressed = 1".to_owned(), Vec::new()),
        Condition::Assigned => ("0".to_owned(), Vec::new()),
        Condition::Level(level) => one("i.level = ?", level.as_str().to_owned()),
        Condition::Field(field, pattern) => one(
            &format!("{} like ? escape '\\'", field_column(*field)),
            like(pattern),
        ),
        Condition::Tag(key, pattern) => (
            "exists (select 1 from issue_tags t where t.issue_id = i.id
               and t.key = ? and t.value like ? escape '\\'
             union all
             select 1 from issue_terms t where t.issue_id = i.id
               and t.key = ? and t.value like ? escape '\\')"
                .to_owned(),
            vec![
                key.clone().into(),
                like(pattern).into(),
                key.clone().into(),
                like(pattern).into(),
            ],
        ),
        Condition::Count(field, comparison, number) => (
            format!("{} {} ?", count_column(*field), sign(*comparison)),
            vec![i64::try_from(*number).unwrap_or(i64::MAX).into()],
        ),
        Condition::Time(field, comparison, time) => (
            format!("{} {} ?", time_column(*field), sign(*comparison)),
            vec![time.as_microsecond().into()],
        ),
        Condition::Text(text) => {
            let anywhere = format!("%{}%", escape(text));
            (
                "(i.title like ? escape '\\'
                  or exists (select 1 from issue_terms t where t.issue_id = i.id
                    and t.key = 'message' and t.value like ? escape '\\'))"
                    .to_owned(),
                vec![anywhere.clone().into(), anywhere.into()],
            )
        }
    }
}

fn one(condition: &str, value: String) -> (String, Vec<Value>) {
    (condition.to_owned(), vec![value.into()])
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

/// A pattern for `like`, which disregards ASCII case as [`Pattern::matches`] does.
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
