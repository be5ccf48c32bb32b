//! Organizations and who is in them.

use async_trait::async_trait;
use copal_model::policy::{OrgSetting, OrgSettings};
use copal_model::{Email, Member, OrgId, Organization, Plan, Role, Slug, Timestamp, UserId};
use tokio_postgres::Row;

use super::{Columns, PostgresStore, Tx, execute, find, list, slugs};
use crate::organizations::{GONE, NewOrganization, OrganizationPatch, Organizations};
use crate::{Error, OrgScope, Result};

/// The columns of [`organization`]; `o` is the table.
pub(super) const COLUMNS: &str = "o.id as org_id, o.name as org_name, o.slug as org_slug, \
    o.plan as org_plan, o.personal_user_id is not null as org_is_personal, \
    o.created_at as org_created_at, \
    o.viewers_see_raw as org_viewers_see_raw, \
    o.members_delete_issues as org_members_delete_issues, \
    o.members_create_projects as org_members_create_projects, \
    o.members_invite as org_members_invite";

/// The columns of [`member`]; `m` is the membership, `u` the person.
pub(super) const MEMBER_COLUMNS: &str = "m.org_id as member_org_id, m.user_id as member_user_id, \
    m.role as member_role, m.joined_at as member_joined_at, u.name as member_name, \
    u.email as member_email";

#[async_trait]
impl Organizations for PostgresStore {
    async fn create_organization(&self, organization: NewOrganization) -> Result<Organization> {
        self.engine
            .write(move |tx| {
                let organization = organization.clone();
                Box::pin(create_organization(tx, organization))
            })
            .await
    }

    async fn list_organizations(&self, user: UserId) -> Result<Vec<(Organization, Role)>> {
        self.engine
            .ask(move |tx| Box::pin(list_organizations(tx, user)))
            .await
    }

    async fn update_organization(
        &self,
        scope: &OrgScope,
        patch: OrganizationPatch,
    ) -> Result<Organization> {
        let org = scope.org();
        self.engine
            .write(move |tx| {
                let patch = patch.clone();
                Box::pin(async move { update_organization(tx, org, &patch).await })
            })
            .await
    }

    async fn list_members(&self, scope: &OrgScope) -> Result<Vec<Member>> {
        let org = scope.org();
        self.engine
            .ask(move |tx| Box::pin(list_members(tx, org)))
            .await
    }
}

async fn create_organization(tx: &Tx<'_>, new: NewOrganization) -> Result<Organization> {
    queue(tx).await?;
    let organization = Organization {
        id: new.id,
        slug: slugs::free_slug(tx, &Organization::wanted_slug(&new.name)).await?,
        name: new.name,
        plan: new.plan,
        is_personal: false,
        settings: OrgSettings::STANDARD,
        created_at: new.now,
    };
    insert(tx, &organization, new.owner).await?;
    Ok(organization)
}

/// Waits for everybody who is making an organization, or giving one another slug.
pub(super) async fn queue(tx: &Tx<'_>) -> Result<()> {
    find(
        tx,
        "select name from queues where name = 'organizations' for update",
        &[],
    )
    .await?;
    Ok(())
}

/// Makes sure that the organization is still there, and waits for everybody who is changing which
/// projects it has.
pub(super) async fn require(tx: &Tx<'_>, org: OrgId) -> Result<()> {
    let is_there = find(
        tx,
        "select 1
        from organizations
        where id = $1
          and deleted_at is null
        for no key update",
        &[&org.as_uuid()],
    )
    .await?;
    is_there.map_or(Err(GONE), |_| Ok(()))
}

/// Inserts an organization and its owner's membership.
pub(super) async fn insert(tx: &Tx<'_>, organization: &Organization, owner: UserId) -> Result<()> {
    execute(
        tx,
        "insert into organizations (id, name, slug, plan, personal_user_id, created_at)
        values ($1, $2, $3, $4, $5, $6)",
        &[
            &organization.id.as_uuid(),
            &organization.name,
            &organization.slug.as_str(),
            &organization.plan.as_str(),
            &organization.is_personal.then_some(owner.as_uuid()),
            &organization.created_at.as_microsecond(),
        ],
    )
    .await?;
    let joined_at = organization.created_at;
    insert_member(tx, organization.id, owner, Role::Owner, joined_at).await
}

/// Makes a user a member.
pub(super) async fn insert_member(
    tx: &Tx<'_>,
    org: OrgId,
    user: UserId,
    role: Role,
    now: Timestamp,
) -> Result<()> {
    execute(
        tx,
        "insert into members (org_id, user_id, role, joined_at)
        values ($1, $2, $3, $4)",
        &[
            &org.as_uuid(),
            &user.as_uuid(),
            &role.as_str(),
            &now.as_microsecond(),
        ],
    )
    .await?;
    Ok(())
}

/// The membership of a user, which must be there.
pub(super) async fn require_member(tx: &Tx<'_>, org: OrgId, user: UserId) -> Result<Member> {
    let found = find(
        tx,
        &format!(
            "select {MEMBER_COLUMNS}
            from members m
            join users u on u.id = m.user_id
            where m.org_id = $1
              and m.user_id = $2"
        ),
        &[&org.as_uuid(), &user.as_uuid()],
    )
    .await?;
    let missing = Err(Error::NotFound { what: "member" });
    found.as_ref().map_or(missing, member)
}

async fn list_organizations(tx: &Tx<'_>, user: UserId) -> Result<Vec<(Organization, Role)>> {
    let rows = list(
        tx,
        &format!(
            "select {COLUMNS}, m.role
            from members m
            join organizations o on o.id = m.org_id
            where m.user_id = $1
              and o.deleted_at is null
            order by org_is_personal desc, lower(o.name), o.id"
        ),
        &[&user.as_uuid()],
    )
    .await?;
    rows.iter()
        .map(|row| {
            let role = Columns::new("members", row).parse("role")?;
            Ok((organization(row)?, role))
        })
        .collect()
}

async fn update_organization(
    tx: &Tx<'_>,
    org: OrgId,
    patch: &OrganizationPatch,
) -> Result<Organization> {
    if let Some(slug) = &patch.slug {
        queue(tx).await?;
        slugs::change(tx, org, slug).await?;
    }
    execute(
        tx,
        "update organizations
        set name = coalesce($1, name),
            slug = coalesce($2, slug),
            plan = coalesce($3, plan),
            viewers_see_raw = coalesce($4, viewers_see_raw),
            members_delete_issues = coalesce($5, members_delete_issues),
            members_create_projects = coalesce($6, members_create_projects),
            members_invite = coalesce($7, members_invite)
        where id = $8
          and deleted_at is null",
        &[
            &patch.name,
            &patch.slug.as_ref().map(Slug::as_str),
            &patch.plan.map(Plan::as_str),
            &patch.wants(OrgSetting::ViewersSeeRaw),
            &patch.wants(OrgSetting::MembersDeleteIssues),
            &patch.wants(OrgSetting::MembersCreateProjects),
            &patch.wants(OrgSetting::MembersInvite),
            &org.as_uuid(),
        ],
    )
    .await?;
    find_organization(tx, org).await
}

/// The organization, if it is there and was not deleted.
pub(super) async fn find_organization(tx: &Tx<'_>, org: OrgId) -> Result<Organization> {
    let found = find(
        tx,
        &format!(
            "select {COLUMNS}
            from organizations o
            where o.id = $1
              and o.deleted_at is null"
        ),
        &[&org.as_uuid()],
    )
    .await?;
    found.as_ref().map_or(Err(GONE), organization)
}

async fn list_members(tx: &Tx<'_>, org: OrgId) -> Result<Vec<Member>> {
    let rows = list(
        tx,
        &format!(
            "select {MEMBER_COLUMNS}
            from members m
            join users u on u.id = m.user_id
            where m.org_id = $1
            order by
                case m.role when 'OWNER' then 0 when 'ADMIN' then 1 when 'MEMBER' then 2 else 3 end,
                lower(u.name),
                u.id"
        ),
        &[&org.as_uuid()],
    )
    .await?;
    rows.iter().map(member).collect()
}

/// Reads an organization out of [`COLUMNS`].
pub(super) fn organization(row: &Row) -> Result<Organization> {
    let columns = Columns::new("organizations", row);
    Ok(Organization {
        id: OrgId::new(columns.uuid("org_id")?),
        name: columns.get("org_name")?,
        slug: columns.read("org_slug", Slug::parse)?,
        plan: columns.parse("org_plan")?,
        is_personal: columns.get("org_is_personal")?,
        settings: settings(&columns)?,
        created_at: columns.time("org_created_at")?,
    })
}

fn settings(columns: &Columns<'_>) -> Result<OrgSettings> {
    let mut settings = OrgSettings::NONE;
    for setting in OrgSetting::ALL {
        if columns.get(column_of(setting))? {
            settings = settings.with(setting);
        }
    }
    Ok(settings)
}

/// What [`COLUMNS`] call a setting.
const fn column_of(setting: OrgSetting) -> &'static str {
    match setting {
        OrgSetting::ViewersSeeRaw => "org_viewers_see_raw",
        OrgSetting::MembersDeleteIssues => "org_members_delete_issues",
        OrgSetting::MembersCreateProjects => "org_members_create_projects",
        OrgSetting::MembersInvite => "org_members_invite",
    }
}

/// Reads a membership out of [`MEMBER_COLUMNS`].
pub(super) fn member(row: &Row) -> Result<Member> {
    let columns = Columns::new("members", row);
    Ok(Member {
        org_id: OrgId::new(columns.uuid("member_org_id")?),
        user_id: UserId::new(columns.uuid("member_user_id")?),
        role: columns.parse("member_role")?,
        name: columns.get("member_name")?,
        email: columns.read("member_email", Email::parse)?,
        joined_at: columns.time("member_joined_at")?,
    })
}
