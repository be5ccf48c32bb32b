//! Triage of many issues at once, and taking it back.

use async_trait::async_trait;
use copal_model::{IssueId, IssueStatus};

use super::event_rows::to_i64;
use super::record::issue_id;
use super::{Columns, PostgresStore, Tx, execute, list};
use crate::access::IssueRef;
use crate::triage::{StatusChange, Triage, each_once};
use crate::{OrgScope, Result};

#[async_trait]
impl Triage for PostgresStore {
    async fn set_issue_statuses(
        &self,
        scope: &OrgScope,
        issues: &[IssueRef],
        status: IssueStatus,
    ) -> Result<Vec<StatusChange>> {
        let (scope, issues) = (*scope, issues.to_vec());
        self.engine
            .write(move |tx| {
                let issues = issues.clone();
                Box::pin(async move {
                    let changes = changes_of(tx, &scope, &issues, status).await?;
                    let issues: Vec<IssueId> = changes.iter().map(|change| change.issue).collect();
                    set(tx, &issues, status).await?;
                    Ok(changes)
                })
            })
            .await
    }

    async fn undo_issue_statuses(
        &self,
        scope: &OrgScope,
        changes: &[StatusChange],
    ) -> Result<usize> {
        let (scope, changes) = (*scope, changes.to_vec());
        self.engine
            .write(move |tx| {
                let changes = changes.clone();
                Box::pin(async move { undo(tx, &scope, &changes).await })
            })
            .await
    }
}

/// What giving issues `status` will change, of those that are the organization's. They are locked
/// in the order of their ids.
async fn changes_of(
    tx: &Tx<'_>,
    scope: &OrgScope,
    wanted: &[IssueRef],
    status: IssueStatus,
) -> Result<Vec<StatusChange>> {
    let (mut places, mut slugs, mut numbers) = (Vec::new(), Vec::new(), Vec::new());
    for (place, wanted) in wanted.iter().enumerate() {
        places.push(to_i64(place));
        match wanted {
            IssueRef::Id(id) => {
                slugs.push(None);
                numbers.push(id.to_i64());
            }
            IssueRef::Short(short) => {
                slugs.push(Some(short.project().as_str()));
                numbers.push(i64::from(short.number()));
            }
        }
    }
    let rows = list(
        tx,
        "select i.id, i.status, i.is_regressed, n.place
         from unnest($2::bigint[], $3::text[], $4::bigint[]) as n (place, slug, number)
         join projects p on p.org_id = $1
           and (n.slug is null or p.slug = n.slug)
         join issues i on i.id = case when n.slug is null then n.number
             else (p.id << 32) + n.number end
         where p.id = i.project_id
           and p.deleted_at is null
         order by i.id
         for no key update of i",
        &[&scope.org().as_uuid(), &places, &slugs, &numbers],
    )
    .await?;
    let changes = rows.iter().map(|row| {
        let columns = Columns::new("issues", row);
        let change = StatusChange {
            issue: issue_id(columns.get("id")?)?,
            before: columns.parse("status")?,
            was_regressed: columns.get("is_regressed")?,
            after: status,
        };
        Ok((columns.get::<i64>("place")?, change))
    });
    changes.collect::<Result<Vec<_>>>().map(each_once)
}

async fn set(tx: &Tx<'_>, issues: &[IssueId], status: IssueStatus) -> Result<()> {
    let issues: Vec<i64> = issues.iter().map(|issue| issue.to_i64()).collect();
    execute(
        tx,
        "update issues
         set status = $2,
             is_regressed = false
         where id = any($1)",
        &[&issues, &status.as_str()],
    )
    .await?;
    Ok(())
}

async fn undo(tx: &Tx<'_>, scope: &OrgScope, changes: &[StatusChange]) -> Result<usize> {
    let (mut issues, mut after) = (Vec::new(), Vec::new());
    let (mut before, mut was_regressed) = (Vec::new(), Vec::new());
    for change in changes {
        issues.push(change.issue.to_i64());
        after.push(change.after.as_str());
        before.push(change.before.as_str());
        was_regressed.push(change.was_regressed);
    }
    list(
        tx,
        "select 1
         from issues
         where id = any($1)
         order by id
         for no key update",
        &[&issues],
    )
    .await?;
    let undone = execute(
        tx,
        "update issues i
         set status = n.before,
             is_regressed = n.was_regressed
         from unnest($2::bigint[], $3::text[], $4::text[], $5::boolean[])
           as n (id, after, before, was_regressed)
         where i.id = n.id
           and i.status = n.after
           and not i.is_regressed
           and i.project_id in (
               select id from projects where org_id = $1 and deleted_at is null
           )",
        &[
            &scope.org().as_uuid(),
            &issues,
            &after,
            &before,
            &was_regressed,
        ],
    )
    .await?;
    Ok(usize::try_from(undone).unwrap_or(usize::MAX))
}
