//! Projects and their client keys.

use async_trait::async_trait;
use copal_model::{ClientKey, KeyId, OrgId, Origins, Plans, Project, ProjectId, Slug, Timestamp};
use rusqlite::{Connection, Row, params};

use super::{Columns, SqliteStore, activity, keys, organizations, telemetry, usage};
use crate::projects::{
    KeyPatch, NewKey, NewProject, ProjectActivity, ProjectPatch, Projects, made_id, project_id,
    require_project_room,
};
use crate::usage::require_plan_project;
use crate::{Error, OrgScope, ProjectScope, Result};

/// The columns of [`project`]; `p` is the table.
pub(super) const COLUMNS: &str = "p.id, p.org_id, p.name, p.slug, p.platform, p.first_event_at, \
    p.created_at, p.allowed_origins, p.retention_days, (
        select k.public_key
        from client_keys k
        where k.org_id = p.org_id and k.project_id = p.id and k.is_active
        order by k.created_at, k.id
        limit 1
    ) as public_key";

#[async_trait]
impl Projects for SqliteStore {
    async fn create_project(&self, scope: &OrgScope, project: NewProject) -> Result<Project> {
        let (scope, plans) = (*scope, self.plans);
        self.engine
            .write(move |db| create_project(db, scope, project, &plans))
            .await
    }

    async fn list_projects(&self, scope: &OrgScope) -> Result<Vec<Project>> {
        let org = scope.org();
        self.engine.read(move |db| list_projects(db, org)).await
    }

    async fn list_project_activity(
        &self,
        scope: &OrgScope,
        since: Timestamp,
    ) -> Result<Vec<ProjectActivity>> {
        let org = scope.org();
        self.engine
            .read(move |db| activity::of_projects(db, org, since))
            .await
    }

    async fn list_environments(&self, scope: &OrgScope) -> Result<Vec<String>> {
        let org = scope.org();
        self.engine
            .read(move |db| activity::environments(db, org))
            .await
    }

    async fn update_project(&self, scope: &ProjectScope, patch: ProjectPatch) -> Result<Project> {
        let scope = *scope;
        self.engine
            .write(move |db| update_project(db, scope, &patch))
            .await
    }

    async fn delete_project(&self, scope: &ProjectScope) -> Result<()> {
        let scope = *scope;
        let deleted = self.engine.write(move |db| delete_project(db, scope)).await;
        self.codec.bases.forget();
        deleted
    }

    async fn list_keys(&self, scope: &ProjectScope) -> Result<Vec<ClientKey>> {
        let scope = *scope;
        self.engine.read(move |db| keys::list_keys(db, scope)).await
    }

    async fn create_key(&self, scope: &ProjectScope, key: NewKey) -> Result<ClientKey> {
        let scope = *scope;
        self.engine
            .write(move |db| keys::create_key(db, scope, key))
            .await
    }

    async fn update_key(
        &self,
        scope: &ProjectScope,
        key: KeyId,
        patch: KeyPatch,
    ) -> Result<ClientKey> {
        let scope = *scope;
        self.engine
            .write(move |db| keys::update_key(db, scope, key, &patch))
            .await
    }

    async fn delete_key(&self, scope: &ProjectScope, key: KeyId) -> Result<()> {
        let scope = *scope;
        self.engine
            .write(move |db| keys::delete_key(db, scope, key))
            .await
    }
}

fn create_project(
    db: &Connection,
    scope: OrgScope,
    new: NewProject,
    plans: &Plans,
) -> Result<Project> {
    let org = scope.org();
    organizations::require(db, org)?;
    require_room(db, org, plans)?;
    let slug = free_slug(db, org, &Slug::from_name(&new.name, "project"))?;
    let id: i64 = db
        .prepare_cached(
            "insert into projects (org_id, name, slug, platform, created_at)
            values ($1, $2, $3, $4, $5)
            returning id",
        )?
        .query_row(
            params![
                org.as_uuid().as_bytes(),
                new.name,
                slug.as_str(),
                new.platform,
                new.now.as_microsecond(),
            ],
            |row| row.get(0),
        )?;
    let id = made_id(id)?;
    keys::insert_key(db, scope.project(id), &new.first_key())?;
    find_project(db, scope.project(id))
}

/// Refuses another project in an organization that has so many, or whose plan allows no more.
/// Those that are deleted and can come back use nothing of the plan.
pub(super) fn require_room(db: &Connection, org: OrgId, plans: &Plans) -> Result<()> {
    let (all, living): (u64, u64) = db
        .prepare_cached(
            "select count(*), count(*) filter (where deleted_at is null)
            from projects
            where org_id = $1",
        )?
        .query_row([org.as_uuid().as_bytes()], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    require_project_room(all)?;
    let plan = usage::plan(db, org)?;
    require_plan_project(plan, plans.of(plan), living)
}

pub(super) fn list_projects(db: &Connection, org: OrgId) -> Result<Vec<Project>> {
    let mut list = db.prepare_cached(&format!(
        "select {COLUMNS}
        from projects p
        where p.org_id = $1 and p.deleted_at is null
        order by p.name collate nocase, p.id"
    ))?;
    let rows = list.query_and_then([org.as_uuid().as_bytes()], project)?;
    rows.collect()
}

/// Ids of all projects of an organization, those that are deleted and can come back too.
pub(super) fn list_all(db: &Connection, org: OrgId) -> Result<Vec<ProjectId>> {
    let mut list = db.prepare_cached("select id from projects where org_id = $1 order by id")?;
    let rows = list.query_and_then([org.as_uuid().as_bytes()], |row| {
        Columns::new("projects", row).read("id", project_id)
    })?;
    rows.collect()
}

fn update_project(db: &Connection, scope: ProjectScope, patch: &ProjectPatch) -> Result<Project> {
    if let Some(slug) = &patch.slug
        && slug_owner(db, scope.org(), slug)?.is_some_and(|owner| owner != scope.project())
    {
        return Err(Error::Conflict { what: "slug" });
    }
    db.prepare_cached(
        "update projects
        set name = coalesce($1, name), slug = coalesce($2, slug), platform = coalesce($3, platform),
            allowed_origins = coalesce($4, allowed_origins),
            retention_days = case when $5 then $6 else retention_days end
        where org_id = $7 and id = $8 and deleted_at is null",
    )?
    .execute(params![
        patch.name,
        patch.slug.as_ref().map(Slug::as_str),
        patch.platform,
        patch.allowed_origins.as_ref().map(Origins::to_string),
        patch.retention_days.is_some(),
        patch.retention_days.flatten(),
        scope.org().as_uuid().as_bytes(),
        scope.project().get(),
    ])?;
    find_project(db, scope)
}

pub(super) fn delete_project(db: &Connection, scope: ProjectScope) -> Result<()> {
    let deleted = db
        .prepare_cached("delete from projects where org_id = $1 and id = $2")?
        .execute(params![
            scope.org().as_uuid().as_bytes(),
            scope.project().get()
        ])?;
    match deleted {
        0 => Err(Error::NotFound { what: "project" }),
        _ => telemetry::delete_project(db, scope.project()),
    }
}

pub(super) fn find_project(db: &Connection, scope: ProjectScope) -> Result<Project> {
    let mut find = db.prepare_cached(&format!(
        "select {COLUMNS}
        from projects p
        where p.org_id = $1 and p.id = $2 and p.deleted_at is null"
    ))?;
    let mut found = find.query_and_then(
        params![scope.org().as_uuid().as_bytes(), scope.project().get()],
        project,
    )?;
    found
        .next()
        .unwrap_or(Err(Error::NotFound { what: "project" }))
}

/// The first slug of the candidates that no project of `org` has.
pub(super) fn free_slug(db: &Connection, org: OrgId, wanted: &Slug) -> Result<Slug> {
    for slug in wanted.candidates() {
        if slug_owner(db, org, &slug)?.is_none() {
            return Ok(slug);
        }
    }
    Err(Error::Conflict { what: "slug" })
}

fn slug_owner(db: &Connection, org: OrgId, slug: &Slug) -> Result<Option<ProjectId>> {
    let mut find = db.prepare_cached("select id from projects where org_id = $1 and slug = $2")?;
    let mut found = find
        .query_and_then(params![org.as_uuid().as_bytes(), slug.as_str()], |row| {
            Columns::new("projects", row).read("id", project_id)
        })?;
    found.next().transpose()
}

/// Reads a project out of [`COLUMNS`].
pub(super) fn project(row: &Row<'_>) -> Result<Project> {
    let columns = Columns::new("projects", row);
    Ok(Project {
        id: columns.read("id", project_id)?,
        org_id: OrgId::new(columns.uuid("org_id")?),
        name: columns.get("name")?,
        slug: columns.read("slug", |text: String| Slug::parse(&text))?,
        platform: columns.get("platform")?,
        public_key: columns.get("public_key")?,
        allowed_origins: columns.read("allowed_origins", |text: String| Origins::parse(&text))?,
        retention_days: columns.read("retention_days", |days: Option<i64>| {
            days.map(u16::try_from).transpose()
        })?,
        first_event_at: columns.optional_time("first_event_at")?,
        created_at: columns.time("created_at")?,
    })
}
