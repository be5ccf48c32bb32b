//! Issues as pages and the API read and triage them.

use async_trait::async_trait;
use copal_model::{Issue, IssueId, IssueStatus, ShortId, Slug, Timestamp};
use tokio_postgres::Row;

use super::event_rows::to_i64;
use super::record::issue_id;
use super::{Columns, PostgresStore, Tx, find, issue_list, list, telemetry};
use crate::access::IssueRef;
use crate::issues::{HourCount, IssueQuery, Issues, StatusCounts, TagSummary};
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
            .ask(move |tx| {
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
                           and p.deleted_at is null
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
                let issues = issues.clone();
                Box::pin(async move { trends(tx, &scope, &issues, since).await })
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

/// All columns of an issue; `i` is the issue, `p` its project.
pub(super) const COLUMNS: &str = "i.id, p.slug, i.fingerprint, i.title, i.error_type, i.culprit,
             i.level, i.platform, i.status, i.is_regressed, i.events_count, i.users_affected,
             i.first_seen, i.last_seen, i.first_release, i.last_release";

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
                "select {COLUMNS}
                 from issues i
                 join projects p on p.id = i.project_id
                 where i.id = $1
                   and p.org_id = $2
                   and p.deleted_at is null"
            );
            find(tx, &sql, &[&id.to_i64(), &scope.org().as_uuid()]).await?
        }
        IssueRef::Short(short) => {
            let sql = format!(
                "select {COLUMNS}
                 from issues i
                 join projects p on p.id = i.project_id
                 where p.slug = $1
                   and i.id = (p.id << 32) + $2
                   and p.org_id = $3
                   and p.deleted_at is null"
            );
            let slug = short.project().as_str();
            let number = i64::from(short.number());
            find(tx, &sql, &[&slug, &number, &scope.org().as_uuid()]).await?
        }
    };
    row.as_ref().map(read_issue).transpose()
}

async fn trends(
    tx: &Tx<'_>,
    scope: &OrgScope,
    issues: &[IssueId],
    since: Timestamp,
) -> Result<Vec<(IssueId, Vec<HourCount>)>> {
    let issues: Vec<i64> = issues.iter().map(|issue| issue.to_i64()).collect();
    let rows = list(
        tx,
        "select w.id, h.hour, h.events
         from unnest($1::bigint[]) with ordinality as w (id, place)
         join projects p on p.id = w.id >> 32
         left join lateral (select hour, sum(events)::bigint as events
                            from issue_hours
                            where issue_id = w.id
                              and hour >= $3
                            group by hour) h on true
         where p.org_id = $2
           and p.deleted_at is null
         order by w.place, h.hour",
        &[&issues, &scope.org().as_uuid(), &hour_of(since)],
    )
    .await?;
    let mut trends: Vec<(IssueId, Vec<HourCount>)> = Vec::new();
    for row in &rows {
        let columns = Columns::new("issue_hours", row);
        let issue = issue_id(columns.get("id")?)?;
        if trends.last().is_none_or(|(last, _)| *last != issue) {
            trends.push((issue, Vec::new()));
        }
        // An issue without events since then has one row, without an hour.
        if let (Some((_, hours)), Some(hour)) = (trends.last_mut(), columns.optional_time("hour")?)
        {
            let events = columns.count("events")?;
            hours.push(HourCount { hour, events });
        }
    }
    Ok(trends)
}

async fn tags(tx: &Tx<'_>, issue: IssueId, values: usize) -> Result<Vec<TagSummary>> {
    let rows = list(
        tx,
        "select k.key, k.events as total, k.other, t.value, t.events
         from issue_tag_keys k
         left join lateral (select value, events
                            from issue_tags
                            where issue_id = k.issue_id
                              and key = k.key
                            order by events desc, value
                            limit $2) t on true
         where k.issue_id = $1
         order by k.key, t.events desc, t.value",
        &[&issue.to_i64(), &to_i64(values)],
    )
    .await?;
    let mut summaries = Vec::new();
    let key_of = |row: &Row| row.try_get::<_, String>("key").ok();
    for of_key in rows.chunk_by(|a, b| key_of(a) == key_of(b)) {
        let key = Columns::new("issue_tag_keys", &of_key[0]);
        let mut listed = Vec::with_capacity(of_key.len());
        for row in of_key {
            let columns = Columns::new("issue_tags", row);
            // A key without a value that is told apart has one row, without a value.
            if let Some(value) = columns.get("value")? {
                listed.push((value, columns.count("events")?));
            }
        }
        let (total, other) = (key.count("total")?, key.count("other")?);
        summaries.push(TagSummary::new(key.get("key")?, total, listed, other));
    }
    Ok(summaries)
}
