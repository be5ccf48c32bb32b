//! Projects that go, come back, and move.

use async_trait::async_trait;
use copal_model::policy::membership::transfer_project as decide;
use copal_model::{OrgId, Plans, Project, Timestamp};

use super::{Columns, PostgresStore, Tx, access, execute, find, lifecycle, list};
use super::{organizations, projects};
use crate::access::ProjectRef;
use crate::invitations::Answer;
use crate::members::{Actor, NotChanged};
use crate::organizations::GONE;
use crate::project_life::{DeletedProject, NO_PROJECT, ProjectLife, purged_until};
use crate::projects::project_id;
use crate::{OrgScope, ProjectScope, Result};

#[async_trait]
impl ProjectLife for PostgresStore {
    async fn retire_project(&self, scope: &ProjectScope, now: Timestamp) -> Result<()> {
        let scope = *scope;
        self.engine
            .write(move |tx| Box::pin(retire_project(tx, scope, now)))
            .await
    }

    async fn list_deleted_projects(&self, scope: &OrgScope) -> Result<Vec<DeletedProject>> {
        let org = scope.org();
        self.engine
            .ask(move |tx| Box::pin(list_deleted_projects(tx, org)))
            .await
    }

    async fn restore_project(&self, scope: &OrgScope, project: &ProjectRef) -> Result<Project> {
        let (scope, project, plans) = (*scope, project.clone(), self.plans);
        self.engine
            .write(move |tx| {
                let project = project.clone();
                Box::pin(async move { restore_project(tx, scope, &project, plans).await })
            })
            .await
    }

    async fn purge_projects(&self, now: Timestamp) -> Result<usize> {
        let mut purged = 0;
        while self
            .engine
            .write(move |tx| Box::pin(purge_next(tx, now)))
            .await?
        {
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
            .write(move |tx| {
                let actor = actor.clone();
                Box::pin(async move { transfer_project(tx, scope, (&actor, to), plans).await })
            })
            .await
    }
}

async fn retire_project(tx: &Tx<'_>, scope: ProjectScope, now: Timestamp) -> Result<()> {
    let retired = execute(
        tx,
        "update projects
        set deleted_at = $1
        where org_id = $2 and id = $3 and deleted_at is null",
        &[
            &now.as_microsecond(),
            &scope.org().as_uuid(),
            &projects::number(scope),
        ],
    )
    .await?;
    match retired {
        0 => Err(NO_PROJECT),
        _ => Ok(()),
    }
}

async fn list_deleted_projects(tx: &Tx<'_>, org: OrgId) -> Result<Vec<DeletedProject>> {
    let rows = list(
        tx,
        &format!(
            "select {}, p.deleted_at
            from projects p
            where p.org_id = $1 and p.deleted_at is not null
            order by p.deleted_at desc, p.id",
            projects::COLUMNS
        ),
        &[&org.as_uuid()],
    )
    .await?;
    let rows = rows.iter().map(|row| {
        Ok(DeletedProject {
            project: projects::project(row)?,
            deleted_at: Columns::new("projects", row).time("deleted_at")?,
        })
    });
    rows.collect()
}

async fn restore_project(
    tx: &Tx<'_>,
    scope: OrgScope,
    wanted: &ProjectRef,
    plans: Plans,
) -> Result<Project> {
    let org = scope.org();
    organizations::require(tx, org).await?;
    let (id, slug) = match wanted {
        ProjectRef::Id(id) => (Some(i64::from(id.get())), None),
        ProjectRef::Slug(slug) => (None, Some(slug.as_str())),
    };
    // Locked: nobody purges it meanwhile.
    let found = find(
        tx,
        "select id
        from projects
        where org_id = $1 and (id = $2 or slug = $3) and deleted_at is not null
        for update",
        &[&org.as_uuid(), &id, &slug],
    )
    .await?;
    let row = found.ok_or(NO_PROJECT)?;
    let project = Columns::new("projects", &row).read("id", project_id)?;
    let scope = scope.project(project);
    projects::require_room(tx, org, plans).await?;
    execute(
        tx,
        "update projects set deleted_at = null where org_id = $1 and id = $2",
        &[&org.as_uuid(), &projects::number(scope)],
    )
    .await?;
    projects::find_project(tx, scope).await
}

/// Purges the project that was deleted first; whether there was one.
async fn purge_next(tx: &Tx<'_>, now: Timestamp) -> Result<bool> {
    // Locked: nobody takes it back meanwhile.
    let found = find(
        tx,
        "select id, org_id
        from projects
        where deleted_at <= $1
        order by deleted_at, id
        limit 1
        for update",
        &[&purged_until(now).as_microsecond()],
    )
    .await?;
    let Some(row) = found else {
        return Ok(false);
    };
    let columns = Columns::new("projects", &row);
    let org = OrgId::new(columns.uuid("org_id")?);
    let project = columns.read("id", project_id)?;
    projects::delete_project(tx, access::scope_to_purge(org).project(project)).await?;
    Ok(true)
}

async fn transfer_project(
    tx: &Tx<'_>,
    scope: ProjectScope,
    (actor, to): (&Actor, OrgId),
    plans: Plans,
) -> Result<Answer<Project, NotChanged>> {
    let (from, project) = (scope.org(), scope.project());
    // Both are locked, in the order of ids: roles, slugs and numbers of projects stay as they are.
    organizations::require(tx, from.min(to)).await?;
    organizations::require(tx, from.max(to)).await?;
    let here = lifecycle::role_of(tx, from, actor.user)
        .await?
        .ok_or(GONE)?;
    let there = lifecycle::role_of(tx, to, actor.user).await?.ok_or(GONE)?;
    if let Err(why) = actor.conclude(decide(here, there, from == to)) {
        return Ok(Err(why));
    }
    let moving = projects::find_project(tx, scope).await?;
    projects::require_room(tx, to, plans).await?;
    let slug = projects::free_slug(tx, to, &moving.slug).await?;
    // Keys and settings follow by their foreign keys; what is recorded knows the project only.
    execute(
        tx,
        "update projects set org_id = $1, slug = $2 where org_id = $3 and id = $4",
        &[
            &to.as_uuid(),
            &slug.as_str(),
            &from.as_uuid(),
            &projects::number(scope),
        ],
    )
    .await?;
    let moved = access::scope_to_purge(to).project(project);
    projects::find_project(tx, moved).await.map(Ok)
}
