//! Client keys of projects.

use copal_model::{ClientKey, KeyId};
use rusqlite::{Connection, Row, params};

use super::Columns;
use super::projects::find_project;
use crate::projects::{KeyPatch, NewKey, key_limit, project_id, require_key_room};
use crate::{Error, ProjectScope, Result};

const KEY_COLUMNS: &str = "k.id, k.project_id, k.public_key, k.label, k.is_active, k.created_at, \
    k.limit_events, k.limit_secs";

pub(super) fn list_keys(db: &Connection, scope: ProjectScope) -> Result<Vec<ClientKey>> {
    let mut list = db.prepare_cached(&format!(
        "select {KEY_COLUMNS}
        from client_keys k
        where k.org_id = $1 and k.project_id = $2
        order by k.created_at, k.id"
    ))?;
    let rows = list.query_and_then(
        params![scope.org().as_uuid().as_bytes(), scope.project().get()],
        key,
    )?;
    rows.collect()
}

pub(super) fn create_key(db: &Connection, scope: ProjectScope, new: NewKey) -> Result<ClientKey> {
    // A deleted project has no keys either: say so before the foreign key does.
    find_project(db, scope)?;
    let count: u64 = db
        .prepare_cached("select count(*) from client_keys where org_id = $1 and project_id = $2")?
        .query_row(
            params![scope.org().as_uuid().as_bytes(), scope.project().get()],
            |row| row.get(0),
        )?;
    require_key_room(count)?;
    insert_key(db, scope, &new)?;
    Ok(new.made_in(scope.project()))
}

pub(super) fn insert_key(db: &Connection, scope: ProjectScope, new: &NewKey) -> Result<()> {
    db.prepare_cached(
        "insert into client_keys
            (id, org_id, project_id, public_key, label, is_active, created_at, limit_events,
            limit_secs)
        values ($1, $2, $3, $4, $5, 1, $6, $7, $8)",
    )?
    .execute(params![
        new.id.as_uuid().as_bytes(),
        scope.org().as_uuid().as_bytes(),
        scope.project().get(),
        new.public_key,
        new.label,
        new.now.as_microsecond(),
        new.limit.map(|limit| limit.events),
        new.limit.map(|limit| limit.window.secs()),
    ])?;
    Ok(())
}

pub(super) fn update_key(
    db: &Connection,
    scope: ProjectScope,
    id: KeyId,
    patch: &KeyPatch,
) -> Result<ClientKey> {
    db.prepare_cached(
        "update client_keys
        set label = coalesce($1, label), is_active = coalesce($2, is_active),
            limit_events = case when $3 then $4 else limit_events end,
            limit_secs = case when $3 then $5 else limit_secs end
        where org_id = $6 and project_id = $7 and id = $8",
    )?
    .execute(params![
        patch.label,
        patch.is_active,
        patch.limit.is_some(),
        patch.limit.flatten().map(|limit| limit.events),
        patch.limit.flatten().map(|limit| limit.window.secs()),
        scope.org().as_uuid().as_bytes(),
        scope.project().get(),
        id.as_uuid().as_bytes(),
    ])?;
    let mut find = db.prepare_cached(&format!(
        "select {KEY_COLUMNS}
        from client_keys k
        where k.org_id = $1 and k.project_id = $2 and k.id = $3"
    ))?;
    let mut found = find.query_and_then(
        params![
            scope.org().as_uuid().as_bytes(),
            scope.project().get(),
            id.as_uuid().as_bytes(),
        ],
        key,
    )?;
    found.next().unwrap_or(Err(Error::NotFound { what: "key" }))
}

pub(super) fn delete_key(db: &Connection, scope: ProjectScope, id: KeyId) -> Result<()> {
    let deleted = db
        .prepare_cached(
            "delete from client_keys
            where org_id = $1 and project_id = $2 and id = $3",
        )?
        .execute(params![
            scope.org().as_uuid().as_bytes(),
            scope.project().get(),
            id.as_uuid().as_bytes(),
        ])?;
    match deleted {
        0 => Err(Error::NotFound { what: "key" }),
        _ => Ok(()),
    }
}

fn key(row: &Row<'_>) -> Result<ClientKey> {
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
