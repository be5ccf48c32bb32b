//! Projects and their client keys.

use async_trait::async_trait;
use copal_model::{ClientKey, KeyId, OrgId, Origins, Plans, Project, ProjectId, Slug, Timestamp};
use tokio_postgres::Row;

use super::{
    Columns, PostgresStore, Tx, activity, count, execute, find, keys, list, more_time,
    organizations, telemetry, usage,
};
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
impl Projects for PostgresStore {
    async fn create_project(&self, scope: &OrgScope, project: NewProject) -> Result<Project> {
        let (scope, plans) = (*scope, self.plans);
        self.engine
            .write(move |tx| Box::pin(create_project(tx, scope, project.clone(), plans)))
            .await
    }

    async fn list_projects(&self, scope: &OrgScope) -> Result<Vec<Project>> {
        let org = scope.org();
        self.engine
            .ask(move |tx| Box::pin(list_projects(tx, org)))
            .await
    }

    async fn list_project_activity(
        &self,
        scope: &OrgScope,
        since: Timestamp,
    ) -> Result<Vec<ProjectActivity>> {
        let org = scope.org();
        self.engine
            .read(move |tx| Box::pin(activity::of_projects(tx, org, since)))
            .await
    }

    async fn list_environments(&self, scope: &OrgScope) -> Result<Vec<String>> {
        let org = scope.org();
        self.engine
            .ask(move |tx| Box::pin(activity::environments(tx, org)))
            .await
    }

    async fn update_project(&self, scope: &ProjectScope, patch: ProjectPatch) -> Result<Project> {
        let scope = *scope;
        self.engine
            .write(move |tx| {
                let patch = patch.clone();
                Box::pin(async move { update_project(tx, scope, &patch).await })
            })
            .await
    }

    async fn delete_project(&self, scope: &ProjectScope) -> Result<()> {
        let scope = *scope;
        let deleted = self
            .engine
            .write(move |tx| Box::pin(delete_project(tx, scope)))
            .await;
        self.codec.bases.forget();
        deleted
    }

    async fn list_keys(&self, scope: &ProjectScope) -> Result<Vec<ClientKey>> {
        let scope = *scope;
        self.engine
            .ask(move |tx| Box::pin(keys::list_keys(tx, scope)))
            .await
    }

    async fn create_key(&self, scope: &ProjectScope, key: NewKey) -> Result<ClientKey> {
        let scope = *scope;
        self.engine
            .write(move |tx| Box::pin(keys::create_key(tx, scope, key.clone())))
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
            .write(move |tx| {
                let patch = patch.clone();
                Box::pin(async move { keys::update_key(tx, scope, key, &patch).await })
            })
            .await
    }

    async fn delete_key(&self, scope: &ProjectScope, key: KeyId) -> Result<()> {
        let scope = *scope;
        self.engine
            .write(move |tx| Box::pin(keys::delete_key(tx, scope, key)))
            .await
    }
}

async fn create_project(
    tx: &Tx<'_>,
    scope: OrgScope,
    new: NewProject,
    plans: Plans,
) -> Result<Project> {
    let org = scope.org();
    organizations::require(tx, org).await?;
    require_room(tx, org, plans).await?;
    let slug = free_slug(tx, org, &Slug::from_name(&new.name, "project")).await?;
    let made = find(
        tx,
        "insert into projects (org_id, name, slug, platform, created_at)
        values ($1, $2, $3, $4, $5)
        returning id",
        &[
            &org.as_uuid(),
            &new.name,
            &slug.as_str(),
            &new.platform,
            &new.now.as_microsecond(),
        ],
    )
    .await?;
    let id = made_id(made.map_or(Ok(0), |row| row.try_get(0))?)?;
    keys::insert_key(tx, scope.project(id), &new.first_key()).await?;
    find_project(tx, scope.project(id)).await
}

/// Refuses another project in an organization that has so many, or whose plan allows no more.
/// Those that are deleted and can come back use nothing of the plan.
pub(super) async fn require_room(tx: &Tx<'_>, org: OrgId, plans: Plans) -> Result<()> {
    let all = count(
        tx,
        "select count(*) from projects where org_id = $1",
        &[&org.as_uuid()],
    )
    .await?;
    require_project_room(all)?;
    let plan = usage::plan(tx, org).await?;
    let living = count(
        tx,
        "select count(*) from projects where org_id = $1 and deleted_at is null",
        &[&org.as_uuid()],
    )
    .await?;
    require_plan_project(plan, plans.of(plan), living)
}

pub(super) async fn list_projects(tx: &Tx<'_>, org: OrgId) -> Result<Vec<Project>> {
    let rows = list(
        tx,
        &format!(
            "select {COLUMNS}
            from projects p
            where p.org_id = $1 and p.deleted_at is null
            order by lower(p.name), p.id"
        ),
        &[&org.as_uuid()],
    )
    .await?;
    rows.iter().map(project).collect()
}

/// Ids of all projects of an organization, those that are deleted and can come back too.
pub(super) async fn list_all(tx: &Tx<'_>, org: OrgId) -> Result<Vec<ProjectId>> {
    let rows = list(
        tx,
        "select id from projects where org_id = $1 order by id",
        &[&org.as_uuid()],
    )
    .await?;
    let ids = rows.iter();
    ids.map(|row| Columns::new("projects", row).read("id", project_id))
        .collect()
}

async fn update_project(tx: &Tx<'_>, scope: ProjectScope, patch: &ProjectPatch) -> Result<Project> {
    if let Some(slug) = &patch.slug {
        organizations::require(tx, scope.org()).await?;
        let owner = slug_owner(tx, scope.org(), slug).await?;
        if owner.is_some_and(|owner| owner != scope.project()) {
            return Err(Error::Conflict { what: "slug" });
        }
    }
    execute(
        tx,
        "update projects
        set name = coalesce($1, name), slug = coalesce($2, slug), platform = coalesce($3, platform),
            allowed_origins = coalesce($4, allowed_origins),
            retention_days = case when $5 then $6 else retention_days end
        where org_id = $7 and id = $8 and deleted_at is null",
        &[
            &patch.name,
            &patch.slug.as_ref().map(Slug::as_str),
            &patch.platform,
            &patch.allowed_origins.as_ref().map(Origins::to_string),
            &patch.retention_days.is_some(),
            &patch.retention_days.flatten().map(i64::from),
            &scope.org().as_uuid(),
            &number(scope),
        ],
    )
    .await?;
    find_project(tx, scope).await
}

pub(super) async fn delete_project(tx: &Tx<'_>, scope: ProjectScope) -> Result<()> {
    more_time(tx).await?;
    let deleted = execute(
        tx,
        "delete from projects where org_id = $1 and id = $2",
        &[&scope.org().as_uuid(), &number(scope)],
    )
    .await?;
    match deleted {
        0 => Err(Error::NotFound { what: "project" }),
        _ => telemetry::delete_project(tx, scope.project()).await,
    }
}

pub(super) async fn find_project(tx: &Tx<'_>, scope: ProjectScope) -> Result<Project> {
    let found = find(
        tx,
        &format!(
            "select {COLUMNS}
            from projects p
            where p.org_id = $1 and p.id = $2 and p.deleted_at is null"
        ),
        &[&scope.org().as_uuid(), &number(scope)],
    )
    .await?;
    found
        .as_ref()
        .map_or(Err(Error::NotFound { what: "project" }), project)
}

/// The first slug of the candidates that no project of `org` has.
pub(super) async fn free_slug(tx: &Tx<'_>, org: OrgId, wanted: &Slug) -> Result<Slug> {
    for slug in wanted.candidates() {
        if slug_owner(tx, org, &slug).await?.is_none() {
            return Ok(slug);
        }
    }
    Err(Error::Conflict { what: "slug" })
}

async fn slug_owner(tx: &Tx<'_>, org: OrgId, slug: &Slug) -> Result<Option<ProjectId>> {
    let found = find(
        tx,
        "select id from projects where org_id = $1 and slug = $2",
        &[&org.as_uuid(), &slug.as_str()],
    )
    .await?;
    let owner = found.map(|row| Columns::new("projects", &row).read("id", project_id));
    owner.transpose()
}

/// Reads a project out of [`COLUMNS`].
pub(super) fn project(row: &Row) -> Result<Project> {
    let columns = Columns::new("projects", row);
    Ok(Project {
        id: columns.read("id", project_id)?,
        org_id: OrgId::new(columns.uuid("org_id")?),
        name: columns.get("name")?,
        slug: columns.read("slug", Slug::parse)?,
        platform: columns.get("platform")?,
        public_key: columns.get("public_key")?,
        allowed_origins: columns.read("allowed_origins", |text: &str| Origins::parse(text))?,
        retention_days: columns.read("retention_days", |days: Option<i64>| {
            days.map(u16::try_from).transpose()
        })?,
        first_event_at: columns.optional_time("first_event_at")?,
        created_at: columns.time("created_at")?,
    })
}

/// A project's id as it is stored.
pub(super) fn number(scope: ProjectScope) -> i64 {
    scope.project().get().into()
}
