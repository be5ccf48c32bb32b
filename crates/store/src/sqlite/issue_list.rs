//! A page of issues: from each project the first few in order, then the first of these.
//!
//! An index gives the order within a project (and status), so a page costs what it shows, however
//! many issues there are. Sorting all issues of an organization would cost what they are.

use copal_model::{Issue, IssueStatus, ProjectId};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::Columns;
use super::issues::{SELECT, read_issue};
use crate::issues::filter::{Bound, Dialect, Filter};
use crate::issues::list::{Key, in_order, page_of, parse_cursor, sort_column, statuses};
use crate::issues::{IssueQuery, IssueSort};
use crate::projects::project_id;
use crate::{OrgScope, Page, PageRequest, Result};

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
            let branch = (project, status);
            keys.extend(keys_of(connection, query, branch, before, page.limit + 1)?);
        }
    }
    let page = page_of(keys, page.limit);
    let mut find = connection.prepare_cached(&format!(
        "{SELECT}
         where i.id = ?1"
    ))?;
    let mut issues = Vec::with_capacity(page.rows.len());
    for (_, id) in &page.rows {
        issues.extend(
            find.query_and_then((id,), read_issue)?
                .collect::<Result<Vec<_>>>()?,
        );
    }
    Ok(in_order(page, issues))
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
           and deleted_at is null
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
    let index = match query.sort {
        IssueSort::LastSeen => "issues_by_last_seen",
        IssueSort::FirstSeen => "issues_by_first_seen",
        IssueSort::Events => "issues_by_events",
        IssueSort::Users => "issues_by_users",
    };
    let column = sort_column(query.sort);
    let mut filter = Filter::new(query, Dialect::Sqlite, Vec::new());
    let project = filter.integer(project.get().into());
    filter.all_of(format!("p.id = {project}"));
    filter.all_of("i.project_id = p.id");
    if let Some(status) = status {
        let status = filter.text(status.as_str());
        filter.all_of(format!("i.status = {status}"));
    }
    if let Some((key, id)) = before {
        let (key, id) = (filter.integer(key), filter.integer(id));
        filter.all_of(format!("(i.{column}, i.id) < ({key}, {id})"));
    }
    let limit = filter.integer(i64::try_from(limit).unwrap_or(i64::MAX));
    let sql = format!(
        "select i.{column}, i.id
         from projects p
         cross join issues i indexed by {index}
         where {}
         order by i.{column} desc, i.id desc
         limit {limit}",
        filter.conditions.join("\n           and ")
    );
    (sql, filter.values.into_iter().map(value).collect())
}

fn value(bound: Bound) -> Value {
    match bound {
        Bound::Integer(number) => Value::Integer(number),
        Bound::Text(text) => Value::Text(text),
    }
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
