//! A page of issues: from each project the first few in order, then the first of these.
//!
//! An index gives the order within a project (and status), so a page costs what it shows, however
//! many issues there are. Sorting all issues of an organization would cost what they are.

use copal_model::search::Condition;
use copal_model::{Issue, IssueStatus, ProjectId};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::Columns;
use super::issue_filter::Filter;
use super::issues::{SELECT, read_issue};
use super::projects::project_id;
use crate::issues::{IssueQuery, IssueSort};
use crate::{Error, OrgScope, Page, PageRequest, Result};

const STATUSES: [IssueStatus; 3] = [
    IssueStatus::Open,
    IssueStatus::Resolved,
    IssueStatus::Ignored,
];

/// An issue's place in an order, and the issue.
type Key = (i64, i64);

/// The issues of an organization that a query asks for.
pub(super) fn list(
    connection: &Connection,
    scope: &OrgScope,
    query: &IssueQuery,
    page: &PageRequest,
) -> Result<Page<Issue>> {
    let before = page.cursor.as_deref().map(parse_cursor).transpose()?;
    let mut keys = Vec::new();
    for project in projects(connection, scope, query)? {
        for status in statuses(query) {
            keys.extend(keys_of(
                connection,
                query,
                (project, status),
                before,
                page.limit + 1,
            )?);
        }
    }
    keys.sort_unstable_by(|a, b| b.cmp(a));
    let more = keys.len() > page.limit;
    keys.truncate(page.limit);
    let next = keys
        .last()
        .filter(|_| more)
        .map(|(key, id)| format!("{key}.{id}"));
    let mut find = connection.prepare_cached(&format!(
        "{SELECT}
         where i.id = ?1"
    ))?;
    let mut rows = Vec::with_capacity(keys.len());
    for (_, id) in keys {
        rows.extend(
            find.query_and_then((id,), read_issue)?
                .collect::<Result<Vec<_>>>()?,
        );
    }
    Ok(Page { rows, next })
}

/// Those of the wanted projects that are the organization's.
fn projects(
    connection: &Connection,
    scope: &OrgScope,
    query: &IssueQuery,
) -> Result<Vec<ProjectId>> {
    let mut statement = connection.prepare_cached(
        "select id
         from projects
         where org_id = ?1
         order by id",
    )?;
    let rows = statement.query_and_then((scope.org().as_uuid().as_bytes(),), |row| {
        Columns::new("projects", row).read("id", project_id)
    })?;
    let mut projects = rows.collect::<Result<Vec<_>>>()?;
    if !query.projects.is_empty() {
        projects.retain(|project| query.projects.contains(project));
    }
    Ok(projects)
}

/// The statuses to look into one by one, as the index by the latest event has them; `None` where
/// the index of the order does not tell them apart.
fn statuses(query: &IssueQuery) -> Vec<Option<IssueStatus>> {
    if query.sort != IssueSort::LastSeen {
        return vec![None];
    }
    let asked = query
        .query
        .terms
        .iter()
        .find_map(|term| match term.condition {
            Condition::Status(status) if !term.is_negated => Some(status),
            _ => None,
        });
    match asked {
        Some(status) => vec![Some(status)],
        None => STATUSES.map(Some).to_vec(),
    }
}

/// The first issues of a project and status in the order that is asked for.
fn keys_of(
    connection: &Connection,
    query: &IssueQuery,
    branch: (ProjectId, Option<IssueStatus>),
    before: Option<Key>,
    limit: usize,
) -> Result<Vec<Key>> {
    let (sql, values) = keys_query(query, branch, before, limit);
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params_from_iter(values), |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn keys_query(
    query: &IssueQuery,
    (project, status): (ProjectId, Option<IssueStatus>),
    before: Option<Key>,
    limit: usize,
) -> (String, Vec<Value>) {
    let (column, index) = match query.sort {
        IssueSort::LastSeen => ("last_seen", "issues_by_last_seen"),
        IssueSort::FirstSeen => ("first_seen", "issues_by_first_seen"),
        IssueSort::Events => ("events_count", "issues_by_events"),
        IssueSort::Users => ("users_affected", "issues_by_users"),
    };
    let mut filter = Filter::new(query);
    filter.all_of("p.id = ?", [i64::from(project.get()).into()]);
    filter.all_of("i.project_id = p.id", []);
    if let Some(status) = status {
        filter.all_of("i.status = ?", [status.as_str().to_owned().into()]);
    }
    if let Some((key, id)) = before {
        filter.all_of(
            &format!("(i.{column}, i.id) < (?, ?)"),
            [key.into(), id.into()],
        );
    }
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    filter.values.push(Value::Integer(limit));
    let sql = format!(
        "select i.{column}, i.id
         from projects p
         cross join issues i indexed by {index}
         where {}
         order by i.{column} desc, i.id desc
         limit ?",
        filter.conditions.join("\n           and ")
    );
    (sql, filter.values)
}

fn parse_cursor(cursor: &str) -> Result<Key> {
    let read = || {
        let (key, id) = cursor.split_once('.')?;
        Some((key.parse().ok()?, id.parse().ok()?))
    };
    read().ok_or(Error::BadCursor)
}

#[cfg(test)]
mod tests {
    use copal_model::search::parse;

    use super::*;
    use crate::sqlite::migrations;

    #[test]
    fn every_order_is_read_off_an_index() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrations::apply(&mut connection).unwrap();
        for search in ["", "is:open", "is:open node:1", "timeout level:error"] {
            for sort in [
                IssueSort::LastSeen,
                IssueSort::FirstSeen,
                IssueSort::Events,
                IssueSort::Users,
            ] {
                let query = IssueQuery {
                    query: parse(search, copal_model::Timestamp::UNIX_EPOCH).unwrap(),
                    sort,
                    ..IssueQuery::default()
                };
                for status in statuses(&query) {
                    let branch = (ProjectId::new(1).unwrap(), status);
                    let (sql, values) = keys_query(&query, branch, Some((1, 1)), 50);
                    let plan = plan(&connection, &sql, values);
                    assert!(
                        plan.contains("INDEX issues_by_"),
                        "{search} {sort:?}: {plan}"
                    );
                    assert!(
                        !plan.contains("ORDER BY"),
                        "{search} {sort:?} sorts: {plan}"
                    );
                }
            }
        }
    }

    /// What SQLite does for a query, in its words.
    fn plan(connection: &Connection, sql: &str, values: Vec<Value>) -> String {
        let mut statement = connection
            .prepare(&format!("explain query plan {sql}"))
            .unwrap();
        let rows = statement.query_map(params_from_iter(values), |row| row.get::<_, String>(3));
        rows.unwrap()
            .map(Result::unwrap)
            .collect::<Vec<_>>()
            .join("; ")
    }
}
