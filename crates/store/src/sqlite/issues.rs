//! Issues as pages and the API read and triage them.

use async_trait::async_trait;
use copal_model::{Issue, IssueId, IssueStatus, ShortId, Slug, Timestamp};
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};

use super::record::issue_id;
use super::{Columns, SqliteStore, issue_list, telemetry};
use crate::access::IssueRef;
use crate::issues::{HourCount, IssueQuery, Issues, StatusCounts, TagSummary};
use crate::{Error, OrgScope, Page, PageRequest, ProjectScope, Result};

#[async_trait]
impl Issues for SqliteStore {
    async fn list_issues(
        &self,
        scope: &OrgScope,
        query: &IssueQuery,
        page: &PageRequest,
    ) -> Result<Page<Issue>> {
        let (scope, query, page) = (*scope, query.clone(), page.clone());
        self.engine
            .read(move |connection| issue_list::list(connection, &scope, &query, &page))
            .await
    }

    async fn find_issue(
        &self,
        scope: &OrgScope,
        issue: &IssueRef,
    ) -> Result<Option<(ProjectScope, Issue)>> {
        let (scope, issue) = (*scope, issue.clone());
        self.engine
            .read(move |connection| {
                let (condition, values): (&str, Vec<Value>) = match &issue {
                    IssueRef::Id(id) => ("i.id = ?", vec![id.to_i64().into()]),
                    IssueRef::Short(short) => (
                        "p.slug = ? and i.id = (p.id << 32) + ?",
                        vec![
                            short.project().as_str().to_owned().into(),
                            i64::from(short.number()).into(),
                        ],
                    ),
                };
                let org = Value::Blob(scope.org().as_uuid().as_bytes().to_vec());
                let values = values.into_iter().chain([org]);
                let found = connection
                    .prepare_cached(&format!(
                        "{SELECT}
                         where {condition}
                           and p.org_id = ?
                           and p.deleted_at is null"
                    ))?
                    .query_and_then(params_from_iter(values), read_issue)?
                    .next()
                    .transpose()?;
                Ok(found.map(|issue| (scope.project(issue.id.project()), issue)))
            })
            .await
    }

    async fn count_issues(&self, scope: &OrgScope) -> Result<StatusCounts> {
        let org = scope.org();
        self.engine
            .read(move |connection| {
                let mut statement = connection.prepare_cached(
                    "select i.status, count(*) as issues
                     from projects p
                     cross join issues i indexed by issues_by_last_seen
                     where p.org_id = ?1
                       and p.deleted_at is null
                       and i.project_id = p.id
                     group by i.status",
                )?;
                let mut counts = StatusCounts::default();
                let mut rows = statement.query((org.as_uuid().as_bytes(),))?;
                while let Some(row) = rows.next()? {
                    let columns = Columns::new("issues", row);
                    let count = columns.count("issues")?;
                    match columns.parse("status")? {
                        IssueStatus::Open => counts.open = count,
                        IssueStatus::Resolved => counts.resolved = count,
                        IssueStatus::Ignored => counts.ignored = count,
                    }
                }
                Ok(counts)
            })
            .await
    }

    async fn delete_issue(&self, scope: &ProjectScope, issue: IssueId) -> Result<()> {
        let project = scope.project();
        let deleted = self
            .engine
            .write(move |tx| {
                if issue.project() != project {
                    return Err(Error::NotFound { what: "issue" });
                }
                telemetry::delete_issue(tx, issue)
            })
            .await;
        self.codec.bases.forget();
        deleted
    }

    async fn list_trends(
        &self,
        scope: &OrgScope,
        issues: &[IssueId],
        since: Timestamp,
    ) -> Result<Vec<(IssueId, Vec<HourCount>)>> {
        let (org, issues) = (scope.org(), issues.to_vec());
        self.engine
            .read(move |connection| {
                let mut trends = Vec::with_capacity(issues.len());
                for issue in issues {
                    let is_own = connection
                        .prepare_cached(
                            "select 1
                             from projects
                             where org_id = ?1
                               and deleted_at is null
                               and id = ?2",
                        )?
                        .exists((org.as_uuid().as_bytes(), issue.project().get()))?;
                    if is_own {
                        trends.push((issue, hours(connection, issue, since)?));
                    }
                }
                Ok(trends)
            })
            .await
    }

    async fn list_issue_tags(
        &self,
        scope: &ProjectScope,
        issue: IssueId,
        values: usize,
    ) -> Result<Vec<TagSummary>> {
        let project = scope.project();
        self.engine
            .read(move |connection| {
                if issue.project() != project {
                    return Ok(Vec::new());
                }
                tags(connection, issue, values)
            })
            .await
    }
}

/// All columns of an issue; the conditions follow.
pub(super) const SELECT: &str =
    "select i.id, p.slug, i.fingerprint, i.title, i.error_type, i.culprit,
             i.level, i.platform, i.status, i.is_regressed, i.events_count, i.users_affected,
             i.first_seen, i.last_seen, i.first_release, i.last_release
         from issues i
         join projects p on p.id = i.project_id";

pub(super) fn read_issue(row: &Row<'_>) -> Result<Issue> {
    let columns = Columns::new("issues", row);
    let id = issue_id(columns.get("id")?)?;
    Ok(Issue {
        id,
        short_id: ShortId::new(
            columns.read("slug", |slug: String| Slug::parse(&slug))?,
            id.number(),
        ),
        fingerprint: crate::hex::encode(&columns.get::<[u8; 16]>("fingerprint")?),
        title: columns.get("title")?,
        error_type: columns.get("error_type")?,
        culprit: columns.get("culprit")?,
        level: columns.parse("level")?,
        platform: columns.get("platform")?,
        status: columns.parse("status")?,
        is_regressed: columns.get("is_regressed")?,
        events_count: columns.count("events_count")?,
        users_affected: columns.count("users_affected")?,
        first_seen: columns.time("first_seen")?,
        last_seen: columns.time("last_seen")?,
        first_release: columns.get("first_release")?,
        last_release: columns.get("last_release")?,
    })
}

fn hours(connection: &Connection, issue: IssueId, since: Timestamp) -> Result<Vec<HourCount>> {
    let mut statement = connection.prepare_cached(
        "select hour, sum(events) as events
         from issue_hours
         where issue_id = ?1
           and hour >= ?2
         group by hour
         order by hour",
    )?;
    let since = crate::record::plan::hour_of(since);
    statement
        .query_and_then((issue.to_i64(), since), |row| {
            let columns = Columns::new("issue_hours", row);
            Ok(HourCount {
                hour: columns.time("hour")?,
                events: columns.count("events")?,
            })
        })?
        .collect()
}

fn tags(connection: &Connection, issue: IssueId, values: usize) -> Result<Vec<TagSummary>> {
    let mut keys = connection.prepare_cached(
        "select key, events, other
         from issue_tag_keys
         where issue_id = ?1
         order by key",
    )?;
    let mut top = connection.prepare_cached(
        "select value, events
         from issue_tags
         where issue_id = ?1
           and key = ?2
         order by events desc, value
         limit ?3",
    )?;
    let limit = i64::try_from(values).unwrap_or(i64::MAX);
    let mut summaries = Vec::new();
    let mut rows = keys.query((issue.to_i64(),))?;
    while let Some(row) = rows.next()? {
        let columns = Columns::new("issue_tag_keys", row);
        let key: String = columns.get("key")?;
        let listed = top
            .query_and_then((issue.to_i64(), &key, limit), |row| {
                let columns = Columns::new("issue_tags", row);
                Ok::<_, Error>((columns.get("value")?, columns.count("events")?))
            })?
            .collect::<Result<Vec<_>>>()?;
        let (total, other) = (columns.count("events")?, columns.count("other")?);
        summaries.push(TagSummary::new(key, total, listed, other));
    }
    Ok(summaries)
}
