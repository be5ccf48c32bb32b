//! Client keys of projects.

use copal_model::{ClientKey, KeyId};
use tokio_postgres::Row;

use super::projects::number;
use super::{Columns, Tx, count, execute, find, list};
use crate::projects::{KeyPatch, NewKey, key_limit, project_id, require_key_room};
use crate::{Error, ProjectScope, Result};

const KEY_COLUMNS: &str = "k.id, k.project_id, k.public_key, k.label, k.is_active, k.created_at, \
    k.limit_events, k.limit_secs";

pub(super) async fn list_keys(tx: &Tx<'_>, scope: ProjectScope) -> Result<Vec<ClientKey>> {
    let rows = list(
        tx,
        &format!(
            "select {KEY_COLUMNS}
            from client_keys k
            where k.org_id = $1 and k.project_id = $2
            order by k.created_at, k.id"
        ),
        &[&scope.org().as_uuid(), &number(scope)],
    )
    .await?;
    rows.iter().map(key).collect()
}

pub(super) async fn create_key(tx: &Tx<'_>, scope: ProjectScope, new: NewKey) -> Result<ClientKey> {
    // A deleted project has no keys either: say so before the foreign key does. Locked: nobody
    // makes another key for it between the count and the commit.
    let project = find(
        tx,
        "select 1
        from projects
        where org_id = $1 and id = $2 and deleted_at is null
        for no key update",
        &[&scope.org().as_uuid(), &number(scope)],
    )
    .await?;
    if project.is_none() {
        return Err(Error::NotFound { what: "project" });
    }
    let count = count(
        tx,
        "select count(*) from client_keys where org_id = $1 and project_id = $2",
        &[&scope.org().as_uuid(), &number(scope)],
    )
    .await?;
    require_key_room(count)?;
    insert_key(tx, scope, &new).await?;
    Ok(new.made_in(scope.project()))
}

pub(super) async fn insert_key(tx: &Tx<'_>, scope: ProjectScope, new: &NewKey) -> Result<()> {
    execute(
        tx,
        "insert into client_keys
            (id, org_id, project_id, public_key, label, is_active, created_at, limit_events,
            limit_secs)
        values ($1, $2, $3, $4, $5, true, $6, $7, $8)",
        &[
            &new.id.as_uuid(),
            &scope.org().as_uuid(),
            &number(scope),
            &new.public_key,
            &new.label,
            &new.now.as_microsecond(),
            &new.limit.map(|limit| i64::from(limit.events)),
            &new.limit.map(|limit| i64::from(limit.window.secs())),
        ],
    )
    .await?;
    Ok(())
}

pub(super) async fn update_key(
    tx: &Tx<'_>,
    scope: ProjectScope,
    id: KeyId,
    patch: &KeyPatch,
) -> Result<ClientKey> {
    execute(
        tx,
        "update client_keys
        set label = coalesce($1, label), is_active = coalesce($2, is_active),
            limit_events = case when $3 then $4 else limit_events end,
            limit_secs = case when $3 then $5 else limit_secs end
        where org_id = $6 and project_id = $7 and id = $8",
        &[
            &patch.label,
            &patch.is_active,
            &patch.limit.is_some(),
            &patch.limit.flatten().map(|limit| i64::from(limit.events)),
            &patch
                .limit
                .flatten()
                .map(|limit| i64::from(limit.window.secs())),
            &scope.org().as_uuid(),
            &number(scope),
            &id.as_uuid(),
        ],
    )
    .await?;
    let found = find(
        tx,
        &format!(
            "select {KEY_COLUMNS}
            from client_keys k
            where k.org_id = $1 and k.project_id = $2 and k.id = $3"
        ),
        &[&scope.org().as_uuid(), &number(scope), &id.as_uuid()],
    )
    .await?;
    found
        .as_ref()
        .map_or(Err(Error::NotFound { what: "key" }), key)
}

pub(super) async fn delete_key(tx: &Tx<'_>, scope: ProjectScope, id: KeyId) -> Result<()> {
    let deleted = execute(
        tx,
        "delete from client_keys
        where org_id = $1 and project_id = $2 and id = $3",
        &[&scope.org().as_uuid(), &number(scope), &id.as_uuid()],
    )
    .await?;
    match deleted {
        0 => Err(Error::NotFound { what: "key" }),
        _ => Ok(()),
    }
}

fn key(row: &Row) -> Result<ClientKey> {
    let columns = Columns::new("client_keys", row);
    let limit_secs = columns.get("limit_secs")?;
    Ok(ClientKey {
        id: KeyId::new(columns.uuid("id")?),
        project_id: columns.read("project_id", project_id)?,
        public_key: columns.get("public_key")?,
        label: columns.get("label")?,
        is_active: columns.get("is_active")?,
        limit: columns.read("limit_events", |events| key_limit(events, limit_secs))?,
        created_at: columns.time("created_at")?,
    })
}
