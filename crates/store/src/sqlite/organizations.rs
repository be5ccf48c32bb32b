//! Organizations and who is in them.

use async_trait::async_trait;
use copal_model::policy::{OrgSetting, OrgSettings};
use copal_model::{Email, Member, OrgId, Organization, Plan, Role, Slug, Timestamp, UserId};
use rusqlite::{Connection, Row, params};

use super::{Columns, SqliteStore, slugs};
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
impl Organizations for SqliteStore {
    async fn create_organization(&self, organization: NewOrganization) -> Result<Organization> {
        self.engine
            .write(move |db| create_organization(db, organization))
            .await
    }

    async fn list_organizations(&self, user: UserId) -> Result<Vec<(Organization, Role)>> {
        self.engine
            .read(move |db| list_organizations(db, user))
            .await
    }

    async fn update_organization(
        &self,
        scope: &OrgScope,
        patch: OrganizationPatch,
    ) -> Result<Organization> {
        let org = scope.org();
        self.engine
            .write(move |db| update_organization(db, org, &patch))
            .await
    }

    async fn list_members(&self, scope: &OrgScope) -> Result<Vec<Member>> {
        let org = scope.org();
        self.engine.read(move |db| list_members(db, org)).await
    }
}

fn create_organization(db: &Connection, new: NewOrganization) -> Result<Organization> {
    let organization = Organization {
        id: new.id,
        slug: slugs::free_slug(db, &Organization::wanted_slug(&new.name))?,
        name: new.name,
        plan: new.plan,
        is_personal: false,
        settings: OrgSettings::STANDARD,
        created_at: new.now,
    };
    insert(db, &organization, new.owner)?;
    Ok(organization)
}

/// Makes sure that the organization is still there.
pub(super) fn require(db: &Connection, org: OrgId) -> Result<()> {
    let is_there = db
        .prepare_cached("select 1 from organizations where id = $1 and deleted_at is null")?
        .exists([org.as_uuid().as_bytes()])?;
    if is_there { Ok(()) } else { Err(GONE) }
}

/// Inserts an organization and its owner's membership.
pub(super) fn insert(db: &Connection, organization: &Organization, owner: UserId) -> Result<()> {
    let personal = organization
        .is_personal
        .then(|| owner.as_uuid().into_bytes());
    db.prepare_cached(
        "insert into organizations (id, name, slug, plan, personal_user_id, created_at)
        values ($1, $2, $3, $4, $5, $6)",
    )?
    .execute(params![
        organization.id.as_uuid().as_bytes(),
        organization.name,
        organization.slug.as_str(),
        organization.plan.as_str(),
        personal,
        organization.created_at.as_microsecond(),
    ])?;
    insert_member(
        db,
        organization.id,
        owner,
        Role::Owner,
        organization.created_at,
    )
}

/// Makes a user a member.
pub(super) fn insert_member(
    db: &Connection,
    org: OrgId,
    user: UserId,
    role: Role,
    now: Timestamp,
) -> Result<()> {
    db.prepare_cached(
        "insert into members (org_id, user_id, role, joined_at)
        values ($1, $2, $3, $4)",
    )?
    .execute(params![
        org.as_uuid().as_bytes(),
        user.as_uuid().as_bytes(),
        role.as_str(),
        now.as_microsecond(),
    ])?;
    Ok(())
}

/// The membership of a user, which must be there.
pub(super) fn require_member(db: &Connection, org: OrgId, user: UserId) -> Result<Member> {
    let mut find = db.prepare_cached(&format!(
        "select {MEMBER_COLUMNS}
        from members m
        join users u on u.id = m.user_id
        where m.org_id = $1
          and m.user_id = $2"
    ))?;
    let mut found = find.query_and_then(
        params![org.as_uuid().as_bytes(), user.as_uuid().as_bytes()],
        member,
    )?;
    found
        .next()
        .unwrap_or(Err(Error::NotFound { what: "member" }))
}

fn list_organizations(db: &Connection, user: UserId) -> Result<Vec<(Organization, Role)>> {
    let mut list = db.prepare_cached(&format!(
        "select {COLUMNS}, m.role
        from members m
        join organizations o on o.id = m.org_id
        where m.user_id = $1
          and o.deleted_at is null
        order by org_is_personal desc, o.name collate nocase, o.id"
    ))?;
    let rows = list.query_and_then([user.as_uuid().as_bytes()], |row| {
        let role = Columns::new("members", row).parse("role")?;
        Ok((organization(row)?, role))
    })?;
    rows.collect()
}

fn update_organization(
    db: &Connection,
    org: OrgId,
    patch: &OrganizationPatch,
) -> Result<Organization> {
    if let Some(slug) = &patch.slug {
        slugs::change(db, org, slug)?;
    }
    db.prepare_cached(
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
    )?
    .execute(params![
        patch.name,
        patch.slug.as_ref().map(Slug::as_str),
        patch.plan.map(Plan::as_str),
        patch.wants(OrgSetting::ViewersSeeRaw),
        patch.wants(OrgSetting::MembersDeleteIssues),
        patch.wants(OrgSetting::MembersCreateProjects),
        patch.wants(OrgSetting::MembersInvite),
        org.as_uuid().as_bytes(),
    ])?;
    find_organization(db, org)
}

/// The organization, if it is there and was not deleted.
pub(super) fn find_organization(db: &Connection, org: OrgId) -> Result<Organization> {
    let mut find = db.prepare_cached(&format!(
        "select {COLUMNS}
        from organizations o
        where o.id = $1
          and o.deleted_at is null"
    ))?;
    let mut found = find.query_and_then([org.as_uuid().as_bytes()], organization)?;
    found.next().unwrap_or(Err(GONE))
}

fn list_members(db: &Connection, org: OrgId) -> Result<Vec<Member>> {
    let mut list = db.prepare_cached(&format!(
        "select {MEMBER_COLUMNS}
        from members m
        join users u on u.id = m.user_id
        where m.org_id = $1
        order by
            case m.role when 'OWNER' then 0 when 'ADMIN' then 1 when 'MEMBER' then 2 else 3 end,
            u.name collate nocase,
            u.id"
    ))?;
    let rows = list.query_and_then([org.as_uuid().as_bytes()], member)?;
    rows.collect()
}

/// Reads an organization out of [`COLUMNS`].
pub(super) fn organization(row: &Row<'_>) -> Result<Organization> {
    let columns = Columns::new("organizations", row);
    Ok(Organization {
        id: OrgId::new(columns.uuid("org_id")?),
        name: columns.get("org_name")?,
        slug: columns.read("org_slug", |text: String| Slug::parse(&text))?,
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
pub(super) fn member(row: &Row<'_>) -> Result<Member> {
    let columns = Columns::new("members", row);
    Ok(Member {
        org_id: OrgId::new(columns.uuid("member_org_id")?),
        user_id: UserId::new(columns.uuid("member_user_id")?),
        role: columns.parse("member_role")?,
        name: columns.get("member_name")?,
        email: columns.read("member_email", |text: String| Email::parse(&text))?,
        joined_at: columns.time("member_joined_at")?,
    })
}
