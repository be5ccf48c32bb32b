//! Projects that go, come back, and move.

use async_trait::async_trait;
use copal_model::policy::membership::transfer_project as decide;
use copal_model::{OrgId, Plans, Project, Timestamp};
use rusqlite::types::Value;
use rusqlite::{Connection, params};

use super::{Columns, SqliteStore, access, lifecycle, organizations, projects};
use crate::access::ProjectRef;
use crate::invitations::Answer;
use crate::members::{Actor, NotChanged};
use crate::organizations::GONE;
use crate::project_life::{DeletedProject, NO_PROJECT, ProjectLife, purged_until};
use crate::projects::project_id;
use crate::{OrgScope, ProjectScope, Result};

#[async_trait]
impl ProjectLife for SqliteStore {
    async fn retire_project(&self, scope: &ProjectScope, now: Timestamp) -> Result<()> {
        let scope = *scope;
        self.engine
            .write(move |db| retire_project(db, scope, now))
            .await
    }

    async fn list_deleted_projects(&self, scope: &OrgScope) -> Result<Vec<DeletedProject>> {
        let org = scope.org();
        self.engine
            .read(move |db| list_deleted_projects(db, org))
            .await
    }

    async fn restore_project(&self, scope: &OrgScope, project: &ProjectRef) -> Result<Project> {
        let (scope, project, plans) = (*scope, project.clone(), self.plans);
        self.engine
            .write(move |db| restore_project(db, scope, &project, &plans))
            .await
    }

    async fn purge_projects(&self, now: Timestamp) -> Result<usize> {
        let mut purged = 0;
        while self.engine.write(move |db| purge_next(db, now)).await? {
            self.codec.bases.forget();
            purged += 1;
        }
        Ok(purged)
    }

    async fn transfer_project(
        &self,
        scope: &ProjectScope,
        actor: Actor,
        to: OrgId,
    ) -> Result<Answer<Project, NotChanged>> {
        let (scope, plans) = (*scope, self.plans);
        self.engine
            .write(move |db| transfer_project(db, scope, (&actor, to), &plans))
            .await
    }
}

fn retire_project(db: &Connection, scope: ProjectScope, now: Timestamp) -> Result<()> {
    let retired = db
        .prepare_cached(
            "update projects
            set deleted_at = $1
            where org_id = $2 and id = $3 and deleted_at is null",
        )?
        .execute(params![
            now.as_microsecond(),
            scope.org().as_uuid().as_bytes(),
            scope.project().get(),
        ])?;
    match retired {
        0 => Err(NO_PROJECT),
        _ => Ok(()),
    }
}

fn list_deleted_projects(db: &Connection, org: OrgId) -> Result<Vec<DeletedProject>> {
    let mut list = db.prepare_cached(&format!(
        "select {}, p.deleted_at
        from projects p
        where p.org_id = $1 and p.deleted_at is not null
        order by p.deleted_at desc, p.id",
        projects::COLUMNS
    ))?;
    let rows = list.query_and_then([org.as_uuid().as_bytes()], |row| {
        Ok(DeletedProject {
            project: projects::project(row)?,
            deleted_at: Columns::new("projects", row).time("deleted_at")?,
        })
    })?;
    rows.collect()
}

fn restore_project(
    db: &Connection,
    scope: OrgScope,
    wanted: &ProjectRef,
    plans: &Plans,
) -> Result<Project> {
    let org = scope.org();
    organizations::require(db, org)?;
    let (name, value) = match wanted {
        ProjectRef::Id(id) => ("id", Value::Integer(id.get().into())),
        ProjectRef::Slug(slug) => ("slug", Value::Text(slug.to_string())),
    };
    let mut find = db.prepare_cached(&format!(
        "select id
        from projects
        where org_id = $1 and {name} = $2 and deleted_at is not null"
    ))?;
    let mut found = find.query_and_then(params![org.as_uuid().as_bytes(), value], |row| {
        Columns::new("projects", row).read("id", project_id)
    })?;
    let project = found.next().unwrap_or(Err(NO_PROJECT))?;
    projects::require_room(db, org, plans)?;
    db.prepare_cached("update projects set deleted_at = null where org_id = $1 and id = $2")?
        .execute(params![org.as_uuid().as_bytes(), project.get()])?;
    projects::find_project(db, scope.project(project))
}

/// Purges the project that was deleted first; whether there was one.
fn purge_next(db: &Connection, now: Timestamp) -> Result<bool> {
    let mut find = db.prepare_cached(
        "select id, org_id
        from projects
        where deleted_at <= $1
        order by deleted_at, id
        limit 1",
    )?;
    let mut found = find.query_and_then([purged_until(now).as_microsecond()], |row| {
        let columns = Columns::new("projects", row);
        let org = OrgId::new(columns.uuid("org_id")?);
        Ok::<_, crate::Error>((org, columns.read("id", project_id)?))
    })?;
    let Some((org, project)) = found.next().transpose()? else {
        return Ok(false);
    };
    projects::delete_project(db, access::scope_to_purge(org).project(project))?;
    Ok(true)
}

fn transfer_project(
    db: &Connection,
    scope: ProjectScope,
    (actor, to): (&Actor, OrgId),
    plans: &Plans,
) -> Result<Answer<Project, NotChanged>> {
    let (from, project) = (scope.org(), scope.project());
    organizations::require(db, from)?;
    organizations::require(db, to)?;
    let here = lifecycle::role_of(db, from, actor.user)?.ok_or(GONE)?;
    let there = lifecycle::role_of(db, to, actor.user)?.ok_or(GONE)?;
    if let Err(why) = actor.conclude(decide(here, there, from == to)) {
        return Ok(Err(why));
    }
    let moving = projects::find_project(db, scope)?;
    projects::require_room(db, to, plans)?;
    let slug = projects::free_slug(db, to, &moving.slug)?;
    // Keys and settings follow by their foreign keys; what is recorded knows the project only.
    db.prepare_cached("update projects set org_id = $1, slug = $2 where org_id = $3 and id = $4")?
        .execute(params![
            to.as_uuid().as_bytes(),
            slug.as_str(),
            from.as_uuid().as_bytes(),
            project.get(),
        ])?;
    projects::find_project(db, access::scope_to_purge(to).project(project)).map(Ok)
}
