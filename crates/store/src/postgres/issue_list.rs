//! A page of issues: from each project the first few in order, then the first of these.
//!
//! An index gives the order within a project (and status), so a page costs what it shows, however
//! many issues there are. Sorting all issues of an organization would cost what they are.

use copal_model::{Issue, IssueStatus};
use tokio_postgres::types::ToSql;

use super::event_rows::to_i64;
use super::issues::{COLUMNS, read_issue};
use super::{Columns, Tx, list as list_rows};
use crate::issues::IssueQuery;
use crate::issues::filter::{Bound, Dialect, Filter};
use crate::issues::list::{Key, cursor, parse_cursor, sort_column, statuses};
use crate::{OrgScope, Page, PageRequest, Result};

/// The issues of an organization that a query asks for.
pub(super) async fn list(
    tx: &Tx<'_>,
    scope: &OrgScope,
    query: &IssueQuery,
    page: &PageRequest,
) -> Result<Page<Issue>> {
    let before = page.cursor.as_deref().map(parse_cursor).transpose()?;
    let (sql, values) = page_query(query, before, page.limit + 1);
    let org = scope.org().as_uuid();
    let projects = query.projects.iter();
    let projects: Vec<i64> = projects.map(|project| project.get().into()).collect();
    let statuses = statuses(query).into_iter();
    let statuses: Vec<_> = statuses
        .map(|status| status.map(IssueStatus::as_str))
        .collect();
    let mut parameters: Vec<&(dyn ToSql + Sync)> = vec![&org, &projects, &statuses];
    parameters.extend(values[OWN..].iter().map(|value| -> &(dyn ToSql + Sync) {
        match value {
            Bound::Integer(number) => number,
            Bound::Text(text) => text,
        }
    }));
    let rows = list_rows(tx, &sql, &parameters).await?;
    let keyed = rows.iter().map(|row| {
        let columns = Columns::new("issues", row);
        let key: Key = (columns.get("key")?, columns.get("id")?);
        Ok((key, read_issue(row)?))
    });
    let keyed = keyed.collect::<Result<Vec<_>>>()?;
    let Page { rows, next } = Page::of(keyed, page.limit, |(key, _)| cursor(*key));
    Ok(Page {
        rows: rows.into_iter().map(|(_, issue)| issue).collect(),
        next,
    })
}

/// Parameters that the filter does not know: the organization and two lists.
const OWN: usize = 3;

/// The first issues of each project and status in the order that is asked for, and of these the
/// first.
fn page_query(query: &IssueQuery, before: Option<Key>, limit: usize) -> (String, Vec<Bound>) {
    let column = sort_column(query.sort);
    let own = vec![Bound::Integer(0); OWN];
    let mut filter = Filter::new(query, Dialect::Postgres, own);
    filter.all_of("i.project_id = p.id");
    if !statuses(query).contains(&None) {
        filter.all_of("i.status = s.status");
    }
    if let Some((key, id)) = before {
        let (key, id) = (filter.integer(key), filter.integer(id));
        filter.all_of(format!("(i.{column}, i.id) < ({key}, {id})"));
    }
    let limit = filter.integer(to_i64(limit));
    let sql = format!(
        "select {COLUMNS}, i.{column} as key
         from projects p
         cross join unnest($3::text[]) as s (status)
         cross join lateral (select *
                             from issues i
                             where {}
                             order by i.{column} desc, i.id desc
                             limit {limit}) i
         where p.org_id = $1
           and p.deleted_at is null
           and (cardinality($2::bigint[]) = 0 or p.id = any($2))
         order by i.{column} desc, i.id desc
         limit {limit}",
        filter
            .conditions
            .join("\n                               and ")
    );
    (sql, filter.values)
}
