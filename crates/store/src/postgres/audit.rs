//! The audit log of an organization.

use async_trait::async_trait;
use copal_model::{AuditEntry, AuditId, AuditResult, OrgId, UserId};
use tokio_postgres::Row;
use uuid::Uuid;

use super::{Columns, PostgresStore, Tx, execute, list};
use crate::audit::{Audit, AuditFilter, cursor_of, shortened};
use crate::organizations::GONE;
use crate::{OrgScope, Page, PageRequest, Result};

const COLUMNS: &str = "a.id, a.at, a.actor_id, a.actor_name, a.credential, a.ip, a.request_id, \
    a.action, a.target, a.result, a.before, a.after";

#[async_trait]
impl Audit for PostgresStore {
    async fn add_audit(&self, scope: &OrgScope, entry: AuditEntry) -> Result<()> {
        let org = scope.org();
        self.engine
            .record(move |tx| Box::pin(insert(tx, org, entry.clone())))
            .await
    }

    async fn list_audit(
        &self,
        scope: &OrgScope,
        filter: &AuditFilter,
        page: &PageRequest,
    ) -> Result<Page<AuditEntry>> {
        let (org, filter, page) = (scope.org(), filter.clone(), page.clone());
        self.engine
            .read(move |tx| {
                let (filter, page) = (filter.clone(), page.clone());
                Box::pin(async move { list_audit(tx, org, &filter, &page).await })
            })
            .await
    }
}

/// Adds a line in the caller's transaction.
pub(super) async fn insert(tx: &Tx<'_>, org: OrgId, entry: AuditEntry) -> Result<()> {
    let entry = shortened(entry);
    let added = execute(
        tx,
        "insert into audit
            (id, org_id, at, actor_id, actor_name, credential, ip, request_id, action, target,
             result, before, after)
        select $1, o.id, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13
        from organizations o
        where o.id = $2",
        &[
            &entry.id.as_uuid(),
            &org.as_uuid(),
            &entry.at.as_microsecond(),
            &entry.actor.map(UserId::as_uuid),
            &entry.actor_name,
            &entry.credential,
            &entry.ip.map(|ip| ip.to_string()),
            &entry.request_id,
            &entry.action,
            &entry.target,
            &entry.result.as_str(),
            &entry.before,
            &entry.after,
        ],
    )
    .await?;
    if added == 0 { Err(GONE) } else { Ok(()) }
}

async fn list_audit(
    tx: &Tx<'_>,
    org: OrgId,
    filter: &AuditFilter,
    page: &PageRequest,
) -> Result<Page<AuditEntry>> {
    let before = cursor_of(page)?.map(AuditId::as_uuid);
    let rows = list(
        tx,
        &format!(
            "select {COLUMNS}
            from audit a
            where a.org_id = $1
              and ($2::uuid is null or a.id < $2)
              and ($3::text is null or a.action = $3)
              and ($4::text is null or a.actor_name = $4)
              and ($5::text is null or a.result = $5)
            order by a.id desc
            limit $6"
        ),
        &[
            &org.as_uuid(),
            &before,
            &filter.action,
            &filter.actor_name,
            &filter.result.map(AuditResult::as_str),
            &i64::try_from(page.limit + 1).unwrap_or(i64::MAX),
        ],
    )
    .await?;
    let rows = rows.iter().map(entry).collect::<Result<Vec<_>>>()?;
    Ok(Page::of(rows, page.limit, |last| last.id.to_string()))
}

fn entry(row: &Row) -> Result<AuditEntry> {
    let columns = Columns::new("audit", row);
    let ip = columns.read("ip", |ip: Option<&str>| ip.map(str::parse).transpose())?;
    Ok(AuditEntry {
        id: AuditId::new(columns.uuid("id")?),
        at: columns.time("at")?,
        actor: columns.get::<Option<Uuid>>("actor_id")?.map(UserId::new),
        actor_name: columns.get("actor_name")?,
        credential: columns.get("credential")?,
        ip,
        request_id: columns.get("request_id")?,
        action: columns.get("action")?,
        target: columns.get("target")?,
        result: columns.parse("result")?,
        before: columns.get("before")?,
        after: columns.get("after")?,
    })
}
