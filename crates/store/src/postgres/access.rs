//! Credentials to scopes: the one file of this engine that makes an [`OrgScope`].

use std::sync::Arc;

use async_trait::async_trait;
use copal_model::{
    InboundSettings, OrgId, Organization, Origins, Plans, Project, ProjectId, Slug, Timestamp,
    TokenId, UserId,
};
use tokio_postgres::types::ToSql;

use super::{
    Columns, PostgresStore, Tx, find, inbound, org_tokens, organizations, projects, sessions,
    tokens,
};
use crate::access::{
    Access, Bearer, KeyAccess, OrgAccess, OrgBearer, OrgRef, Principal, ProjectRef, RecordAccess,
    SecretHash,
};
use crate::projects::{key_limit, project_id, retention_days};
use crate::record::texts::storable;
use crate::sessions::to_the_hour;
use crate::tokens::to_the_minute;
use crate::{OrgScope, ProjectScope, Result};

/// What a column is compared with.
type Value = Box<dyn ToSql + Send + Sync>;

#[async_trait]
impl Access for PostgresStore {
    async fn find_session(&self, secret: &SecretHash, now: Timestamp) -> Result<Option<Principal>> {
        let secret = *secret;
        let found = self
            .engine
            .ask(move |tx| Box::pin(sessions::find_session(tx, secret, now)))
            .await?;
        let Some((principal, last_seen_at)) = found else {
            return Ok(None);
        };
        let hour = to_the_hour(now);
        if last_seen_at < hour {
            // Nobody has to drop a cache because of it.
            let noted = self
                .engine
                .record(move |tx| Box::pin(sessions::note_seen(tx, secret, hour)))
                .await;
            // Who may read need not wait until there is room to write.
            if let Err(error) = noted {
                tracing::warn!(%error, "cannot note the use of a session");
            }
        }
        Ok(Some(principal))
    }

    async fn find_token(&self, secret: &SecretHash, now: Timestamp) -> Result<Option<Bearer>> {
        let secret = *secret;
        let found = self
            .engine
            .read(move |tx| {
                Box::pin(async move {
                    match tokens::find_token(tx, secret, now).await? {
                        Some(found) => Ok(Some(found)),
                        None => org_tokens::find_token(tx, secret, now).await,
                    }
                })
            })
            .await?;
        let Some(found) = found else {
            return Ok(None);
        };
        let minute = to_the_minute(now);
        if found.last_used_at.is_none_or(|last| last < minute) {
            let noted = self
                .engine
                .write(move |tx| Box::pin(tokens::note_use(tx, found.id, minute)))
                .await;
            // Who may read need not wait until there is room to write.
            if let Err(error) = noted {
                tracing::warn!(%error, token.id = %found.id, "cannot note the use of a token");
            }
        }
        Ok(Some(found.bearer))
    }

    async fn open_org(&self, user: UserId, org: &OrgRef) -> Result<Option<OrgAccess>> {
        self.engine
            .ask(move |tx| {
                let org = org.clone();
                Box::pin(async move { open_org(tx, user, &org).await })
            })
            .await
    }

    async fn open_own_org(
        &self,
        bearer: &OrgBearer,
        org: &OrgRef,
    ) -> Result<Option<(OrgScope, Organization)>> {
        let token = bearer.token;
        self.engine
            .read(move |tx| {
                let org = org.clone();
                Box::pin(async move { open_own_org(tx, token, &org).await })
            })
            .await
    }

    async fn open_renamed_org(&self, user: UserId, slug: &Slug) -> Result<Option<OrgAccess>> {
        self.engine
            .read(move |tx| {
                let slug = slug.clone();
                Box::pin(async move { open_renamed_org(tx, user, &slug).await })
            })
            .await
    }

    async fn open_deleted_org(&self, user: UserId, org: &OrgRef) -> Result<Option<OrgAccess>> {
        self.engine
            .read(move |tx| {
                let org = org.clone();
                Box::pin(async move { open_deleted_org(tx, user, &org).await })
            })
            .await
    }

    async fn open_project(
        &self,
        scope: &OrgScope,
        project: &ProjectRef,
    ) -> Result<Option<(ProjectScope, Project)>> {
        let scope = *scope;
        self.engine
            .ask(move |tx| {
                let project = project.clone();
                Box::pin(async move { open_project(tx, scope, &project).await })
            })
            .await
    }

    async fn open_key(&self, public_key: &str) -> Result<Option<KeyAccess>> {
        self.engine
            .ask(move |tx| {
                let public_key = storable(public_key.to_owned());
                Box::pin(async move { open_key(tx, &public_key).await })
            })
            .await
    }

    async fn open_recording(&self, project: ProjectId) -> Result<Option<RecordAccess>> {
        let plans = self.plans;
        self.engine
            .ask(move |tx| Box::pin(open_recording(tx, project, plans)))
            .await
    }

    async fn open_org_as_operator(&self, org: &OrgRef) -> Result<Option<(OrgScope, Organization)>> {
        self.engine
            .ask(move |tx| {
                let org = org.clone();
                Box::pin(async move { open_org_as_operator(tx, &org, "is null").await })
            })
            .await
    }

    async fn open_deleted_org_as_operator(
        &self,
        org: &OrgRef,
    ) -> Result<Option<(OrgScope, Organization)>> {
        self.engine
            .read(move |tx| {
                let org = org.clone();
                Box::pin(async move { open_org_as_operator(tx, &org, "is not null").await })
            })
            .await
    }
}

async fn open_org(tx: &Tx<'_>, user: UserId, org: &OrgRef) -> Result<Option<OrgAccess>> {
    let (name, value) = org_name(org);
    let condition = format!("{name} = $2 and o.deleted_at is null");
    open_where(tx, &condition, user, value).await
}

async fn open_renamed_org(tx: &Tx<'_>, user: UserId, slug: &Slug) -> Result<Option<OrgAccess>> {
    let condition = "o.id = (
                select s.org_id
                from old_slugs s
                join organizations a on a.id = s.org_id and a.deleted_at is null
                join members b on b.org_id = s.org_id and b.user_id = $1
                where s.slug = $2
                order by s.number desc, s.org_id desc
                limit 1
            )";
    open_where(tx, condition, user, Box::new(slug.to_string())).await
}

async fn open_deleted_org(tx: &Tx<'_>, user: UserId, org: &OrgRef) -> Result<Option<OrgAccess>> {
    let (name, value) = org_name(org);
    let condition = format!("{name} = $2 and m.role = 'OWNER' and o.deleted_at is not null");
    open_where(tx, &condition, user, value).await
}

/// Lets a user into the organization of theirs that a condition on `value` finds.
async fn open_where(
    tx: &Tx<'_>,
    condition: &str,
    user: UserId,
    value: Value,
) -> Result<Option<OrgAccess>> {
    let found = find(
        tx,
        &format!(
            "select {}, {}
            from members m
            join organizations o on o.id = m.org_id
            join users u on u.id = m.user_id
            where m.user_id = $1
              and {condition}",
            organizations::COLUMNS,
            organizations::MEMBER_COLUMNS
        ),
        &[&user.as_uuid(), &*value],
    )
    .await?;
    let access = found.map(|row| {
        let organization = organizations::organization(&row)?;
        Ok(OrgAccess {
            scope: OrgScope::granted(organization.id),
            member: organizations::member(&row)?,
            organization,
        })
    });
    access.transpose()
}

async fn open_own_org(
    tx: &Tx<'_>,
    token: TokenId,
    org: &OrgRef,
) -> Result<Option<(OrgScope, Organization)>> {
    let (name, value) = org_name(org);
    let by_old_slug = match org {
        OrgRef::Id(_) => "",
        OrgRef::Slug(_) => {
            "or exists (select 1 from old_slugs s where s.org_id = o.id and s.slug = $2)"
        }
    };
    let found = find(
        tx,
        &format!(
            "select {}
            from org_tokens t
            join organizations o on o.id = t.org_id
            where t.id = $1
              and ({name} = $2 {by_old_slug})
              and o.deleted_at is null",
            organizations::COLUMNS
        ),
        &[&token.as_uuid(), &*value],
    )
    .await?;
    let access = found.map(|row| {
        let organization = organizations::organization(&row)?;
        Ok((OrgScope::granted(organization.id), organization))
    });
    access.transpose()
}

async fn open_project(
    tx: &Tx<'_>,
    scope: OrgScope,
    project: &ProjectRef,
) -> Result<Option<(ProjectScope, Project)>> {
    let (name, value): (_, Value) = match project {
        ProjectRef::Id(id) => ("p.id", Box::new(i64::from(id.get()))),
        ProjectRef::Slug(slug) => ("p.slug", Box::new(slug.to_string())),
    };
    let found = find(
        tx,
        &format!(
            "select {}
            from projects p
            where p.org_id = $1 and p.deleted_at is null
              and {name} = $2",
            projects::COLUMNS
        ),
        &[&scope.org().as_uuid(), &*value],
    )
    .await?;
    let access = found.map(|row| {
        let project = projects::project(&row)?;
        Ok((scope.project(project.id), project))
    });
    access.transpose()
}

async fn open_key(tx: &Tx<'_>, public_key: &str) -> Result<Option<KeyAccess>> {
    let found = find(
        tx,
        "select k.org_id, k.project_id, k.is_active, k.limit_events, k.limit_secs,
            p.allowed_origins
        from client_keys k
        join projects p on p.id = k.project_id
        join organizations o on o.id = k.org_id
        where k.public_key = $1
          and o.deleted_at is null
          and p.deleted_at is null",
        &[&public_key],
    )
    .await?;
    let access = found.map(|row| {
        let columns = Columns::new("client_keys", &row);
        let org = OrgScope::granted(OrgId::new(columns.uuid("org_id")?));
        let limit_secs = columns.get("limit_secs")?;
        Ok(KeyAccess {
            limit: columns.read("limit_events", |events| key_limit(events, limit_secs))?,
            origins: columns.read("allowed_origins", |text: &str| Origins::parse(text))?,
            scope: org.project(columns.read("project_id", project_id)?),
            is_active: columns.get("is_active")?,
        })
    });
    access.transpose()
}

async fn open_recording(
    tx: &Tx<'_>,
    project: ProjectId,
    plans: Plans,
) -> Result<Option<RecordAccess>> {
    let found = find(
        tx,
        &format!(
            "select o.id, o.plan, p.retention_days, i.project_id is not null as has_inbound, {}
            from projects p
            join organizations o on o.id = p.org_id
            left join project_inbound i on i.project_id = p.id
            where p.id = $1",
            inbound::COLUMNS
        ),
        &[&i64::from(project.get())],
    )
    .await?;
    let access = found.map(|row| {
        let columns = Columns::new("organizations", &row);
        let org = OrgScope::granted(OrgId::new(columns.uuid("id")?));
        let chosen = columns.read("retention_days", |days: Option<i64>| {
            days.map(u16::try_from).transpose()
        })?;
        Ok(RecordAccess {
            scope: org.project(project),
            retention_days: retention_days(chosen, plans.of(columns.parse("plan")?).retention_days),
            inbound: Arc::new(if columns.get("has_inbound")? {
                inbound::settings(&Columns::new("project_inbound", &row))?
            } else {
                InboundSettings::default()
            }),
        })
    });
    access.transpose()
}

async fn open_org_as_operator(
    tx: &Tx<'_>,
    org: &OrgRef,
    deleted: &str,
) -> Result<Option<(OrgScope, Organization)>> {
    let (name, value) = org_name(org);
    let found = find(
        tx,
        &format!(
            "select {}
            from organizations o
            where {name} = $1
              and o.deleted_at {deleted}",
            organizations::COLUMNS
        ),
        &[&*value],
    )
    .await?;
    let access = found.map(|row| {
        let organization = organizations::organization(&row)?;
        Ok((OrgScope::granted(organization.id), organization))
    });
    access.transpose()
}

/// Leave to touch an organization whose fate is decided, and one that takes a project over.
pub(super) const fn scope_to_purge(org: OrgId) -> OrgScope {
    OrgScope::granted(org)
}

/// The column that a URL names an organization by, and what it must hold.
fn org_name(org: &OrgRef) -> (&'static str, Value) {
    match org {
        OrgRef::Id(id) => ("o.id", Box::new(id.as_uuid())),
        OrgRef::Slug(slug) => ("o.slug", Box::new(slug.to_string())),
    }
}
