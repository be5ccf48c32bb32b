//! A page of issues: from each project the first few in order, then the first of these.
//!
//! An index gives the order within a project (and status), so a page costs what it shows, however
//! many issues there are. Sorting all issues of an organization would cost what they are.

use copal_model::{Issue, IssueStatus, ProjectId};
use tokio_postgres::types::ToSql;

use super::issues::{SELECT, read_issue};
use super::{Columns, Tx, list as list_rows};
use crate::issues::IssueQuery;
use crate::issues::filter::{Bound, Dialect, Filter};
use crate::issues::list::{Key, in_order, page_of, parse_cursor, sort_column, statuses};
use crate::projects::project_id;
use crate::{OrgScope, Page, PageRequest, Result};

/// The issues of an organization that a query asks for.
pub(super) async fn list(
    tx: &Tx<'_>,
    scope: &OrgScope,
    query: &IssueQuery,
    page: &PageRequest,
) -> Result<Page<Issue>> {
    let before = page.cursor.as_deref().map(parse_cursor).transpose()?;
    let projects = projects(tx, scope, query).await?;
    let keys = keys_of(tx, query, &projects, before, page.limit + 1).await?;
    let page = page_of(keys, page.limit);
    let ids: Vec<i64> = page.rows.iter().map(|(_, id)| *id).collect();
    let sql = format!(
        "{SELECT}
         where i.id = any($1)"
    );
    let rows = list_rows(tx, &sql, &[&ids]).await?;
    let issues = rows.iter().map(read_issue).collect::<Result<_>>()?;
    Ok(in_order(page, issues))
}

/// Those of the wanted projects that are the organization's.
async fn projects(tx: &Tx<'_>, scope: &OrgScope, query: &IssueQuery) -> Result<Vec<ProjectId>> {
    let rows = list_rows(
        tx,
        "select id
         from projects
         where org_id = $1
         order by id",
        &[&scope.org().as_uuid()],
    )
    .await?;
    let mut projects = rows
        .iter()
        .map(|row| Columns::new("projects", row).read("id", project_id))
        .collect::<Result<Vec<_>>>()?;
    if !query.projects.is_empty() {
        projects.retain(|project| query.projects.contains(project));
    }
    Ok(projects)
}

/// The first issues of each project and status in the order that is asked for.
async fn keys_of(
    tx: &Tx<'_>,
    query: &IssueQuery,
    projects: &[ProjectId],
    before: Option<Key>,
    limit: usize,
) -> Result<Vec<Key>> {
    let (mut ids, mut of) = (Vec::new(), Vec::new());
    for project in projects {
        for status in statuses(query) {
            ids.push(i64::from(project.get()));
            of.push(status.map(IssueStatus::as_str));
        }
    }
    let (sql, values) = keys_query(query, before, limit);
    let mut parameters: Vec<&(dyn ToSql + Sync)> = vec![&ids, &of];
    parameters.extend(values[2..].iter().map(|value| -> &(dyn ToSql + Sync) {
        match value {
            Bound::Integer(number) => number,
            Bound::Text(text) => text,
        }
    }));
    let rows = list_rows(tx, &sql, &parameters).await?;
    rows.iter()
        .map(|row| {
            let columns = Columns::new("issues", row);
            Ok((columns.get("key")?, columns.get("id")?))
        })
        .collect()
}

fn keys_query(query: &IssueQuery, before: Option<Key>, limit: usize) -> (String, Vec<Bound>) {
    let column = sort_column(query.sort);
    // The first two parameters are lists, which the filter does not know.
    let lists = vec![Bound::Integer(0), Bound::Integer(0)];
    let mut filter = Filter::new(query, Dialect::Postgres, lists);
    filter.all_of("i.project_id = b.project_id");
    if !statuses(query).contains(&None) {
        filter.all_of("i.status = b.status");
    }
    if let Some((key, id)) = before {
        let (key, id) = (filter.integer(key), filter.integer(id));
        filter.all_of(format!("(i.{column}, i.id) < ({key}, {id})"));
    }
    let limit = filter.integer(i64::try_from(limit).unwrap_or(i64::MAX));
    let sql = format!(
        "select k.key, k.id
         from unnest($1::bigint[], $2::text[]) as b (project_id, status)
         join projects p on p.id = b.project_id
         cross join lateral (select i.{column} as key, i.id
                             from issues i
                             where {}
                             order by i.{column} desc, i.id desc
                             limit {limit}) k
         order by k.key desc, k.id desc
         limit {limit}",
        filter
            .conditions
            .join("\n                               and ")
    );
    (sql, filter.values)
}
