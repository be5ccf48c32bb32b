//! People and their accounts.

use async_trait::async_trait;
use copal_model::policy::OrgSettings;
use copal_model::{Email, Member, OrgId, Organization, Role, Timestamp, User, UserId};
use rusqlite::{Connection, Row, params};

use super::{Columns, SqliteStore, organizations, slugs};
use crate::users::{LoginRecord, NewUser, SignedUp, UserPatch, Users};
use crate::{Error, Result};

/// The columns of [`user`]; `u` is the table.
pub(super) const COLUMNS: &str = "u.id as user_id, u.email as user_email, u.name as user_name, \
    u.default_org_id as user_default_org_id, u.is_instance_admin as user_is_instance_admin, \
    u.email_verified_at is not null as user_is_verified, \
    u.created_at as user_created_at";

#[async_trait]
impl Users for SqliteStore {
    async fn sign_up(&self, user: NewUser) -> Result<SignedUp> {
        self.engine.write(move |db| sign_up(db, &user)).await
    }

    async fn count_users(&self) -> Result<u64> {
        self.engine
            .read(|db| {
                let mut count = db.prepare_cached("select count(*) as users from users")?;
                let mut counted =
                    count.query_and_then([], |row| Columns::new("users", row).count("users"))?;
                counted.next().unwrap_or(Ok(0))
            })
            .await
    }

    async fn find_login(&self, email: &Email) -> Result<Option<LoginRecord>> {
        let email = email.clone();
        self.engine.read(move |db| find_login(db, &email)).await
    }

    async fn update_user(&self, user: UserId, patch: UserPatch) -> Result<User> {
        self.engine
            .write(move |db| update_user(db, user, &patch))
            .await
    }
}

/// Makes a user with a personal organization.
pub(super) fn sign_up(db: &Connection, new: &NewUser) -> Result<SignedUp> {
    if find_login(db, &new.email)?.is_some() {
        return Err(Error::Conflict { what: "email" });
    }
    let name = Organization::personal_name(&new.name);
    let slug = slugs::free_slug(db, &Organization::wanted_slug(&name))?;
    insert_user(db, new)?;
    let organization = Organization {
        id: new.org_id,
        name,
        slug,
        plan: new.plan,
        is_personal: true,
        settings: OrgSettings::STANDARD,
        created_at: new.now,
    };
    organizations::insert(db, &organization, new.id)?;
    Ok(SignedUp {
        user: require(db, new.id)?,
        organization,
        member: Member {
            org_id: new.org_id,
            user_id: new.id,
            role: Role::Owner,
            name: new.name.clone(),
            email: new.email.clone(),
            joined_at: new.now,
        },
    })
}

fn insert_user(db: &Connection, new: &NewUser) -> Result<()> {
    // One statement decides who is first: of two that race, the writer lets one in after the other.
    db.prepare_cached(
        "insert into users
            (id, email, name, password_hash, default_org_id, is_instance_admin, created_at,
            email_verified_at)
        values ($1, $2, $3, $4, $5, not exists (select 1 from users), $6, $7)",
    )?
    .execute(params![
        new.id.as_uuid().as_bytes(),
        new.email.as_str(),
        new.name,
        new.password_hash,
        new.org_id.as_uuid().as_bytes(),
        new.now.as_microsecond(),
        new.is_verified.then_some(new.now.as_microsecond()),
    ])?;
    Ok(())
}

fn find_login(db: &Connection, email: &Email) -> Result<Option<LoginRecord>> {
    let mut find = db.prepare_cached(&format!(
        "select {COLUMNS}, u.password_hash
        from users u
        where u.email = $1"
    ))?;
    let mut found = find.query_and_then([email.as_str()], |row| {
        Ok(LoginRecord {
            user: user(row)?,
            password_hash: row.get("password_hash")?,
        })
    })?;
    found.next().transpose()
}

fn update_user(db: &Connection, id: UserId, patch: &UserPatch) -> Result<User> {
    if let Some(org) = patch.default_org {
        let is_theirs: bool = db
            .prepare_cached(
                "select exists (
                    select 1
                    from members m
                    join organizations o on o.id = m.org_id
                    where m.org_id = $1
                      and m.user_id = $2
                      and o.deleted_at is null
                )",
            )?
            .query_row(
                params![org.as_uuid().as_bytes(), id.as_uuid().as_bytes()],
                |row| row.get(0),
            )?;
        if !is_theirs {
            return Err(Error::NotFound {
                what: "organization",
            });
        }
    }
    db.prepare_cached(
        "update users
        set name = coalesce($1, name), default_org_id = coalesce($2, default_org_id)
        where id = $3",
    )?
    .execute(params![
        patch.name,
        patch.default_org.map(|org| org.as_uuid().into_bytes()),
        id.as_uuid().as_bytes(),
    ])?;
    require(db, id)
}

/// The user lands in this organization, of which they are a member, from now on.
pub(super) fn land_in(db: &Connection, id: UserId, org: OrgId) -> Result<User> {
    let lands_there = UserPatch {
        default_org: Some(org),
        ..UserPatch::default()
    };
    update_user(db, id, &lands_there)
}

/// Notes that the user has proved to read mail sent to their address.
pub(super) fn verify(db: &Connection, id: UserId, now: Timestamp) -> Result<()> {
    db.prepare_cached(
        "update users
        set email_verified_at = coalesce(email_verified_at, $1)
        where id = $2",
    )?
    .execute(params![now.as_microsecond(), id.as_uuid().as_bytes()])?;
    Ok(())
}

/// The user, who must be there.
pub(super) fn require(db: &Connection, id: UserId) -> Result<User> {
    find_user(db, id)?.ok_or(Error::NotFound { what: "user" })
}

fn find_user(db: &Connection, id: UserId) -> Result<Option<User>> {
    let mut find = db.prepare_cached(&format!(
        "select {COLUMNS}
        from users u
        where u.id = $1"
    ))?;
    let mut found = find.query_and_then([id.as_uuid().as_bytes()], user)?;
    found.next().transpose()
}

/// Reads a user out of [`COLUMNS`].
pub(super) fn user(row: &Row<'_>) -> Result<User> {
    let columns = Columns::new("users", row);
    Ok(User {
        id: UserId::new(columns.uuid("user_id")?),
        email: columns.read("user_email", |text: String| Email::parse(&text))?,
        name: columns.get("user_name")?,
        default_org: OrgId::new(columns.uuid("user_default_org_id")?),
        is_instance_admin: columns.get("user_is_instance_admin")?,
        is_verified: columns.get("user_is_verified")?,
        created_at: columns.time("user_created_at")?,
    })
}
