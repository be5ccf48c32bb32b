//! Issues as pages and the API read and triage them.

use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use copal_model::{Issue, IssueId, IssueStatus, ProjectId, ShortId, Slug, Timestamp};
use tokio_postgres::Row;

use super::event_rows::to_i64;
use super::record::issue_id;
use super::{Columns, PostgresStore, Tx, find, issue_list, list, telemetry};
use crate::access::IssueRef;
use crate::issues::{HourCount, IssueQuery, Issues, StatusCounts, TagSummary};
use crate::projects::project_id;
use crate::record::plan::hour_of;
use crate::{Error, OrgScope, Page, PageRequest, ProjectScope, Result};

#[async_trait]
impl Issues for PostgresStore {
    async fn list_issues(
        &self,
        scope: &OrgScope,
        query: &IssueQuery,
        page: &PageRequest,
    ) -> Result<Page<Issue>> {
        let (scope, query, page) = (*scope, query.clone(), page.clone());
        self.engine
            .read(move |tx| {
                let (query, page) = (query.clone(), page.clone());
                Box::pin(async move { issue_list::list(tx, &scope, &query, &page).await })
            })
            .await
    }

    async fn find_issue(
        &self,
        scope: &OrgScope,
        issue: &IssueRef,
    ) -> Result<Option<(ProjectScope, Issue)>> {
        let (scope, issue) = (*scope, issue.clone());
        self.engine
            .read(move |tx| {
                let issue = issue.clone();
                Box::pin(async move {
                    let found = find_issue(tx, &scope, &issue).await?;
                    Ok(found.map(|issue| (scope.project(issue.id.project()), issue)))
                })
            })
            .await
    }

    async fn count_issues(&self, scope: &OrgScope) -> Result<StatusCounts> {
        let org = scope.org();
        self.engine
            .read(move |tx| {
                Box::pin(async move {
                    let rows = list(
                        tx,
                        "select i.status, count(*) as issues
                         from projects p
                         join issues i on i.project_id = p.id
                         where p.org_id = $1
                         group by i.status",
                        &[&org.as_uuid()],
                    )
                    .await?;
                    let mut counts = StatusCounts::default();
                    for row in &rows {
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
            })
            .await
    }

    async fn delete_issue(&self, scope: &ProjectScope, issue: IssueId) -> Result<()> {
        let project = scope.project();
        let deleted = self
            .engine
            .write(move |tx| {
                Box::pin(async move {
                    if issue.project() != project {
                        return Err(Error::NotFound { what: "issue" });
                    }
                    telemetry::delete_issue(tx, issue).await
                })
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
        let (scope, issues) = (*scope, issues.to_vec());
        self.engine
            .read(move |tx| {
                let mut issues = issues.clone();
                Box::pin(async move {
                    let own = own_projects(tx, &scope, &issues).await?;
                    issues.retain(|issue| own.contains(&issue.project()));
                    let mut hours = hours(tx, &issues, since).await?;
                    let trends = issues.into_iter();
                    Ok(trends
                        .map(|issue| (issue, hours.remove(&issue).unwrap_or_default()))
                        .collect())
                })
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
            .read(move |tx| {
                Box::pin(async move {
                    if issue.project() != project {
                        return Ok(Vec::new());
                    }
                    tags(tx, issue, values).await
                })
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

pub(super) fn read_issue(row: &Row) -> Result<Issue> {
    let columns = Columns::new("issues", row);
    let id = issue_id(columns.get("id")?)?;
    Ok(Issue {
        id,
        short_id: ShortId::new(columns.read("slug", Slug::parse)?, id.number()),
        fingerprint: crate::hex::encode(columns.get("fingerprint")?),
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

async fn find_issue(tx: &Tx<'_>, scope: &OrgScope, issue: &IssueRef) -> Result<Option<Issue>> {
    let row = match issue {
        IssueRef::Id(id) => {
            let sql = format!(
                "{SELECT}
                 where i.id = $1
                   and p.org_id = $2"
            );
            find(tx, &sql, &[&id.to_i64(), &scope.org().as_uuid()]).await?
        }
        IssueRef::Short(short) => {
            let sql = format!(
                "{SELECT}
                 where p.slug = $1
                   and i.id = (p.id << 32) + $2
                   and p.org_id = $3"
            );
            let slug = short.project().as_str();
            let number = i64::from(short.number());
            find(tx, &sql, &[&slug, &number, &scope.org().as_uuid()]).await?
        }
    };
    row.as_ref().map(read_issue).transpose()
}

/// Those projects of issues that are the organization's.
async fn own_projects(
    tx: &Tx<'_>,
    scope: &OrgScope,
    issues: &[IssueId],
) -> Result<HashSet<ProjectId>> {
    let projects: HashSet<i64> = issues
        .iter()
        .map(|issue| i64::from(issue.project().get()))
        .collect();
    let rows = list(
        tx,
        "select id
         from projects
         where org_id = $1
           and id = any($2)",
        &[
            &scope.org().as_uuid(),
            &projects.into_iter().collect::<Vec<_>>(),
        ],
    )
    .await?;
    rows.iter()
        .map(|row| Columns::new("projects", row).read("id", project_id))
        .collect()
}

async fn hours(
    tx: &Tx<'_>,
    issues: &[IssueId],
    since: Timestamp,
) -> Result<HashMap<IssueId, Vec<HourCount>>> {
    let issues: Vec<i64> = issues.iter().map(|issue| issue.to_i64()).collect();
    let rows = list(
        tx,
        "select issue_id, hour, sum(events)::bigint as events
         from issue_hours
         where issue_id = any($1)
           and hour >= $2
         group by issue_id, hour
         order by issue_id, hour",
        &[&issues, &hour_of(since)],
    )
    .await?;
    let mut hours: HashMap<IssueId, Vec<HourCount>> = HashMap::new();
    for row in &rows {
        let columns = Columns::new("issue_hours", row);
        let of_issue = hours.entry(issue_id(columns.get("issue_id")?)?);
        of_issue.or_default().push(HourCount {
            hour: columns.time("hour")?,
            events: columns.count("events")?,
        });
    }
    Ok(hours)
}

async fn tags(tx: &Tx<'_>, issue: IssueId, values: usize) -> Result<Vec<TagSummary>> {
    let keys = list(
        tx,
        "select key, events, other
         from issue_tag_keys
         where issue_id = $1
         order by key",
        &[&issue.to_i64()],
    )
    .await?;
    let top = list(
        tx,
        "select k.key, t.value, t.events
         from issue_tag_keys k
         cross join lateral (select value, events
                             from issue_tags
                             where issue_id = k.issue_id
                               and key = k.key
                             order by events desc, value
                             limit $2) t
         where k.issue_id = $1
         order by k.key, t.events desc, t.value",
        &[&issue.to_i64(), &to_i64(values)],
    )
    .await?;
    let mut listed: HashMap<&str, Vec<(String, u64)>> = HashMap::new();
    for row in &top {
        let columns = Columns::new("issue_tags", row);
        let of_key = listed.entry(columns.get("key")?).or_default();
        of_key.push((columns.get("value")?, columns.count("events")?));
    }
    let mut summaries = Vec::with_capacity(keys.len());
    for row in &keys {
        let columns = Columns::new("issue_tag_keys", row);
        let key: String = columns.get("key")?;
        let values = listed.remove(&key[..]).unwrap_or_default();
        let (total, other) = (columns.count("events")?, columns.count("other")?);
        summaries.push(TagSummary::new(key, total, values, other));
    }
    Ok(summaries)
}
