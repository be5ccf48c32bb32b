//! The audit log of an organization.

use async_trait::async_trait;
use copal_model::{AuditEntry, AuditId, AuditResult, OrgId, UserId};
use rusqlite::{Connection, Row, params};
use uuid::Uuid;

use super::{Columns, SqliteStore, organizations};
use crate::audit::{Audit, AuditFilter, cursor_of, shortened};
use crate::{OrgScope, Page, PageRequest, Result};

const COLUMNS: &str = "a.id, a.at, a.actor_id, a.actor_name, a.credential, a.ip, a.request_id, \
    a.action, a.target, a.result, a.before, a.after";

#[async_trait]
impl Audit for SqliteStore {
    async fn add_audit(&self, scope: &OrgScope, entry: AuditEntry) -> Result<()> {
        let org = scope.org();
        self.in_transaction(move |tx| insert(tx, org, entry)).await
    }

    async fn list_audit(
        &self,
        scope: &OrgScope,
        filter: &AuditFilter,
        page: &PageRequest,
    ) -> Result<Page<AuditEntry>> {
        let (org, filter, page) = (scope.org(), filter.clone(), page.clone());
        self.engine
            .read(move |db| list_audit(db, org, &filter, &page))
            .await
    }
}

/// Adds a line in the caller's transaction.
pub(super) fn insert(db: &Connection, org: OrgId, entry: AuditEntry) -> Result<()> {
    organizations::require(db, org)?;
    let entry = shortened(entry);
    db.prepare_cached(
        "insert into audit
            (id, org_id, at, actor_id, actor_name, credential, ip, request_id, action, target,
             result, before, after)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )?
    .execute(params![
        entry.id.as_uuid().as_bytes(),
        org.as_uuid().as_bytes(),
        entry.at.as_microsecond(),
        entry.actor.map(|actor| actor.as_uuid().into_bytes()),
        entry.actor_name,
        entry.credential,
        entry.ip.map(|ip| ip.to_string()),
        entry.request_id,
        entry.action,
        entry.target,
        entry.result.as_str(),
        entry.before,
        entry.after,
    ])?;
    Ok(())
}

fn list_audit(
    db: &Connection,
    org: OrgId,
    filter: &AuditFilter,
    page: &PageRequest,
) -> Result<Page<AuditEntry>> {
    let before = cursor_of(page)?.map(|id| id.as_uuid().into_bytes());
    let mut list = db.prepare_cached(&format!(
        "select {COLUMNS}
        from audit a
        where a.org_id = ?1
          and (?2 is null or a.id < ?2)
          and (?3 is null or a.action = ?3)
          and (?4 is null or a.actor_name = ?4)
          and (?5 is null or a.result = ?5)
        order by a.id desc
        limit ?6"
    ))?;
    let rows = list.query_and_then(
        params![
            org.as_uuid().as_bytes(),
            before,
            filter.action,
            filter.actor_name,
            filter.result.map(AuditResult::as_str),
            page.limit + 1,
        ],
        entry,
    )?;
    let rows = rows.collect::<Result<Vec<_>>>()?;
    Ok(Page::of(rows, page.limit, |last| last.id.to_string()))
}

fn entry(row: &Row<'_>) -> Result<AuditEntry> {
    let columns = Columns::new("audit", row);
    let ip = columns.read("ip", |ip: Option<String>| {
        ip.map(|ip| ip.parse()).transpose()
    })?;
    let actor: Option<[u8; 16]> = columns.get("actor_id")?;
    Ok(AuditEntry {
        id: AuditId::new(columns.uuid("id")?),
        at: columns.time("at")?,
        actor: actor.map(|bytes| UserId::new(Uuid::from_bytes(bytes))),
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
