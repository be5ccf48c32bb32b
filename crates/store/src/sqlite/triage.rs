//! Triage of many issues at once, and taking it back.

use async_trait::async_trait;
use copal_model::{IssueId, IssueStatus};
use rusqlite::Transaction;

use super::record::issue_id;
use super::{Columns, SqliteStore};
use crate::access::IssueRef;
use crate::triage::{StatusChange, Triage, each_once};
use crate::{OrgScope, Result};

#[async_trait]
impl Triage for SqliteStore {
    async fn set_issue_statuses(
        &self,
        scope: &OrgScope,
        issues: &[IssueRef],
        status: IssueStatus,
    ) -> Result<Vec<StatusChange>> {
        let (scope, issues) = (*scope, issues.to_vec());
        self.engine
            .write(move |tx| {
                let mut changes = Vec::new();
                for (place, wanted) in issues.iter().enumerate() {
                    let change = change_of(tx, &scope, wanted, status)?;
                    changes.extend(change.map(|change| (place, change)));
                }
                let changes = each_once(changes);
                for change in &changes {
                    set(tx, change.issue, status)?;
                }
                Ok(changes)
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
                let mut undone = 0;
                for change in &changes {
                    undone += undo(tx, &scope, change)?;
                }
                Ok(undone)
            })
            .await
    }
}

/// What giving an issue `status` will change; `None` where it is not the organization's.
fn change_of(
    tx: &Transaction<'_>,
    scope: &OrgScope,
    wanted: &IssueRef,
    status: IssueStatus,
) -> Result<Option<StatusChange>> {
    let (slug, number) = match wanted {
        IssueRef::Id(id) => (None, id.to_i64()),
        IssueRef::Short(short) => (Some(short.project().as_str()), i64::from(short.number())),
    };
    tx.prepare_cached(
        "select i.id, i.status, i.is_regressed
         from projects p
         join issues i on i.id = case when ?2 is null then ?3 else (p.id << 32) + ?3 end
         where p.org_id = ?1
           and p.deleted_at is null
           and p.id = i.project_id
           and (?2 is null or p.slug = ?2)",
    )?
    .query_and_then((scope.org().as_uuid().as_bytes(), slug, number), |row| {
        let columns = Columns::new("issues", row);
        Ok(StatusChange {
            issue: issue_id(columns.get("id")?)?,
            before: columns.parse("status")?,
            was_regressed: columns.get("is_regressed")?,
            after: status,
        })
    })?
    .next()
    .transpose()
}

fn set(tx: &Transaction<'_>, issue: IssueId, status: IssueStatus) -> Result<()> {
    tx.prepare_cached(
        "update issues
         set status = ?2,
             is_regressed = 0
         where id = ?1",
    )?
    .execute((issue.to_i64(), status.as_str()))?;
    Ok(())
}

fn undo(tx: &Transaction<'_>, scope: &OrgScope, change: &StatusChange) -> Result<usize> {
    let undone = tx
        .prepare_cached(
            "update issues
             set status = ?4,
                 is_regressed = ?5
             where id = ?2
               and status = ?3
               and is_regressed = 0
               and project_id in (
                   select id from projects where org_id = ?1 and deleted_at is null
               )",
        )?
        .execute((
            scope.org().as_uuid().as_bytes(),
            change.issue.to_i64(),
            change.after.as_str(),
            change.before.as_str(),
            change.was_regressed,
        ))?;
    Ok(undone)
}
