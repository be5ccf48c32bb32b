//! Credentials to scopes: the one file of this engine that makes an [`OrgScope`].

use std::sync::Arc;

use async_trait::async_trait;
use copal_model::{
    InboundSettings, OrgId, Organization, Origins, Plans, Project, ProjectId, Slug, Timestamp,
    TokenId, UserId,
};
use rusqlite::types::Value;
use rusqlite::{Connection, params};

use super::{Columns, SqliteStore, inbound, org_tokens, organizations, projects, sessions, tokens};
use crate::access::{
    Access, Bearer, KeyAccess, OrgAccess, OrgBearer, OrgRef, Principal, ProjectRef, RecordAccess,
    SecretHash,
};
use crate::projects::{key_limit, project_id, retention_days};
use crate::record::texts::storable;
use crate::sessions::to_the_hour;
use crate::tokens::to_the_minute;
use crate::{OrgScope, ProjectScope, Result};

#[async_trait]
impl Access for SqliteStore {
    async fn find_session(&self, secret: &SecretHash, now: Timestamp) -> Result<Option<Principal>> {
        let secret = *secret;
        let found = self
            .engine
            .read(move |db| sessions::find_session(db, &secret, now))
            .await?;
        let Some((principal, last_seen_at)) = found else {
            return Ok(None);
        };
        let hour = to_the_hour(now);
        if last_seen_at < hour {
            let noted = self
                .engine
                .write(move |db| sessions::note_seen(db, &secret, hour))
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
            .read(move |db| match tokens::find_token(db, &secret, now)? {
                Some(found) => Ok(Some(found)),
                None => org_tokens::find_token(db, &secret, now),
            })
            .await?;
        let Some(found) = found else {
            return Ok(None);
        };
        let minute = to_the_minute(now);
        if found.last_used_at.is_none_or(|last| last < minute) {
            let noted = self
                .engine
                .write(move |db| tokens::note_use(db, found.id, minute))
                .await;
            // Who may read need not wait until there is room to write.
            if let Err(error) = noted {
                tracing::warn!(%error, token.id = %found.id, "cannot note the use of a token");
            }
        }
        Ok(Some(found.bearer))
    }

    async fn open_org(&self, user: UserId, org: &OrgRef) -> Result<Option<OrgAccess>> {
        let org = org.clone();
        self.engine.read(move |db| open_org(db, user, &org)).await
    }

    async fn open_own_org(
        &self,
        bearer: &OrgBearer,
        org: &OrgRef,
    ) -> Result<Option<(OrgScope, Organization)>> {
        let (token, org) = (bearer.token, org.clone());
        self.engine
            .read(move |db| open_own_org(db, token, &org))
            .await
    }

    async fn open_renamed_org(&self, user: UserId, slug: &Slug) -> Result<Option<OrgAccess>> {
        let slug = slug.clone();
        self.engine
            .read(move |db| open_renamed_org(db, user, &slug))
            .await
    }

    async fn open_deleted_org(&self, user: UserId, org: &OrgRef) -> Result<Option<OrgAccess>> {
        let org = org.clone();
        self.engine
            .read(move |db| open_deleted_org(db, user, &org))
            .await
    }

    async fn open_project(
        &self,
        scope: &OrgScope,
        project: &ProjectRef,
    ) -> Result<Option<(ProjectScope, Project)>> {
        let (scope, project) = (*scope, project.clone());
        self.engine
            .read(move |db| open_project(db, scope, &project))
            .await
    }

    async fn open_key(&self, public_key: &str) -> Result<Option<KeyAccess>> {
        let public_key = storable(public_key.to_owned());
        self.engine.read(move |db| open_key(db, &public_key)).await
    }

    async fn open_recording(&self, project: ProjectId) -> Result<Option<RecordAccess>> {
        let plans = self.plans;
        self.engine
            .read(move |db| open_recording(db, project, &plans))
            .await
    }

    async fn open_org_as_operator(&self, org: &OrgRef) -> Result<Option<(OrgScope, Organization)>> {
        let org = org.clone();
        self.engine
            .read(move |db| open_org_as_operator(db, &org, "is null"))
            .await
    }

    async fn open_deleted_org_as_operator(
        &self,
        org: &OrgRef,
    ) -> Result<Option<(OrgScope, Organization)>> {
        let org = org.clone();
        self.engine
            .read(move |db| open_org_as_operator(db, &org, "is not null"))
            .await
    }
}

fn open_org(db: &Connection, user: UserId, org: &OrgRef) -> Result<Option<OrgAccess>> {
    let (name, value) = org_name(org);
    let condition = format!("{name} = $2 and o.deleted_at is null");
    open_where(db, &condition, user, &value)
}

fn open_renamed_org(db: &Connection, user: UserId, slug: &Slug) -> Result<Option<OrgAccess>> {
    let condition = "o.id = (
            select s.org_id
            from old_slugs s
            join organizations a on a.id = s.org_id and a.deleted_at is null
            join members b on b.org_id = s.org_id and b.user_id = $1
            where s.slug = $2
            order by s.number desc, s.org_id desc
            limit 1
        )";
    open_where(db, condition, user, &Value::Text(slug.to_string()))
}

fn open_deleted_org(db: &Connection, user: UserId, org: &OrgRef) -> Result<Option<OrgAccess>> {
    let (name, value) = org_name(org);
    let condition = format!("{name} = $2 and m.role = 'OWNER' and o.deleted_at is not null");
    open_where(db, &condition, user, &value)
}

/// Lets a user into the organization of theirs that a condition on `value` finds.
fn open_where(
    db: &Connection,
    condition: &str,
    user: UserId,
    value: &Value,
) -> Result<Option<OrgAccess>> {
    let mut find = db.prepare_cached(&format!(
        "select {}, {}
        from members m
        join organizations o on o.id = m.org_id
        join users u on u.id = m.user_id
        where m.user_id = $1
          and {condition}",
        organizations::COLUMNS,
        organizations::MEMBER_COLUMNS
    ))?;
    let mut found = find.query_and_then(params![user.as_uuid().as_bytes(), value], |row| {
        let organization = organizations::organization(row)?;
        Ok(OrgAccess {
            scope: OrgScope::granted(organization.id),
            member: organizations::member(row)?,
            organization,
        })
    })?;
    found.next().transpose()
}

fn open_own_org(
    db: &Connection,
    token: TokenId,
    org: &OrgRef,
) -> Result<Option<(OrgScope, Organization)>> {
    let (name, value) = org_name(org);
    let mut find = db.prepare_cached(&format!(
        "select {}
        from org_tokens t
        join organizations o on o.id = t.org_id
        where t.id = $1
          and ({name} = $2
            or exists (select 1 from old_slugs s where s.org_id = o.id and s.slug = $2))
          and o.deleted_at is null",
        organizations::COLUMNS
    ))?;
    let mut found = find.query_and_then(params![token.as_uuid().as_bytes(), value], |row| {
        let organization = organizations::organization(row)?;
        Ok((OrgScope::granted(organization.id), organization))
    })?;
    found.next().transpose()
}

fn open_project(
    db: &Connection,
    scope: OrgScope,
    project: &ProjectRef,
) -> Result<Option<(ProjectScope, Project)>> {
    let (name, value) = match project {
        ProjectRef::Id(id) => ("p.id", Value::Integer(id.get().into())),
        ProjectRef::Slug(slug) => ("p.slug", Value::Text(slug.to_string())),
    };
    let mut find = db.prepare_cached(&format!(
        "select {}
        from projects p
        where p.org_id = $1 and p.deleted_at is null
          and {name} = $2",
        projects::COLUMNS
    ))?;
    let org = scope.org();
    let mut found = find.query_and_then(params![org.as_uuid().as_bytes(), value], |row| {
        let project = projects::project(row)?;
        Ok((scope.project(project.id), project))
    })?;
    found.next().transpose()
}

fn open_key(db: &Connection, public_key: &str) -> Result<Option<KeyAccess>> {
    let mut find = db.prepare_cached(
        "select k.org_id, k.project_id, k.is_active, k.limit_events, k.limit_secs,
            p.allowed_origins
        from client_keys k
        join projects p on p.id = k.project_id
        join organizations o on o.id = k.org_id
        where k.public_key = $1
          and o.deleted_at is null
          and p.deleted_at is null",
    )?;
    let mut found = find.query_and_then([public_key], |row| {
        let columns = Columns::new("client_keys", row);
        let org = OrgScope::granted(OrgId::new(columns.uuid("org_id")?));
        let limit_secs = columns.get("limit_secs")?;
        Ok(KeyAccess {
            limit: columns.read("limit_events", |events| key_limit(events, limit_secs))?,
            origins: columns.read("allowed_origins", |text: String| Origins::parse(&text))?,
            scope: org.project(columns.read("project_id", project_id)?),
            is_active: columns.get("is_active")?,
        })
    })?;
    found.next().transpose()
}

fn open_recording(
    db: &Connection,
    project: ProjectId,
    plans: &Plans,
) -> Result<Option<RecordAccess>> {
    let mut find = db.prepare_cached(&format!(
        "select o.id, o.plan, p.retention_days, i.project_id is not null as has_inbound, {}
            from projects p
            join organizations o on o.id = p.org_id
            left join project_inbound i on i.project_id = p.id
            where p.id = $1",
        inbound::COLUMNS
    ))?;
    let mut found = find.query_and_then([project.get()], |row| {
        let columns = Columns::new("organizations", row);
        let org = OrgScope::granted(OrgId::new(columns.uuid("id")?));
        let chosen = columns.read("retention_days", |days: Option<i64>| {
            days.map(u16::try_from).transpose()
        })?;
        Ok(RecordAccess {
            scope: org.project(project),
            retention_days: retention_days(chosen, plans.of(columns.parse("plan")?).retention_days),
            inbound: Arc::new(if columns.get("has_inbound")? {
                inbound::settings(&Columns::new("project_inbound", row))?
            } else {
                InboundSettings::default()
            }),
        })
    })?;
    found.next().transpose()
}

fn open_org_as_operator(
    db: &Connection,
    org: &OrgRef,
    deleted: &str,
) -> Result<Option<(OrgScope, Organization)>> {
    let (name, value) = org_name(org);
    let mut find = db.prepare_cached(&format!(
        "select {}
        from organizations o
        where {name} = $1
          and o.deleted_at {deleted}",
        organizations::COLUMNS
    ))?;
    let mut found = find.query_and_then([value], |row| {
        let organization = organizations::organization(row)?;
        Ok((OrgScope::granted(organization.id), organization))
    })?;
    found.next().transpose()
}

/// Leave to touch an organization whose fate is decided, and one that takes a project over.
pub(super) const fn scope_to_purge(org: OrgId) -> OrgScope {
    OrgScope::granted(org)
}

/// The column that a URL names an organization by, and what it must hold.
fn org_name(org: &OrgRef) -> (&'static str, Value) {
    match org {
        OrgRef::Id(id) => ("o.id", Value::Blob(id.as_uuid().as_bytes().to_vec())),
        OrgRef::Slug(slug) => ("o.slug", Value::Text(slug.to_string())),
    }
}
