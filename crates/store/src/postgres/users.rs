//! People and their accounts.

use async_trait::async_trait;
use copal_model::policy::OrgSettings;
use copal_model::{Email, Member, OrgId, Organization, Role, Timestamp, User, UserId};
use tokio_postgres::Row;

use super::{Columns, PostgresStore, Tx, count, execute, find, organizations, slugs};
use crate::users::{LoginRecord, NewUser, SignedUp, UserPatch, Users};
use crate::{Error, Result};

/// The columns of [`user`]; `u` is the table.
pub(super) const COLUMNS: &str = "u.id as user_id, u.email as user_email, u.name as user_name, \
    u.default_org_id as user_default_org_id, u.is_instance_admin as user_is_instance_admin, \
    u.email_verified_at is not null as user_is_verified, \
    u.created_at as user_created_at";

#[async_trait]
impl Users for PostgresStore {
    async fn sign_up(&self, user: NewUser) -> Result<SignedUp> {
        self.engine
            .write(move |tx| {
                let user = user.clone();
                Box::pin(async move { sign_up(tx, &user).await })
            })
            .await
    }

    async fn count_users(&self) -> Result<u64> {
        self.engine
            .read(|tx| Box::pin(count(tx, "select count(*) from users", &[])))
            .await
    }

    async fn find_login(&self, email: &Email) -> Result<Option<LoginRecord>> {
        self.engine
            .ask(move |tx| {
                let email = email.clone();
                Box::pin(async move { find_login(tx, &email).await })
            })
            .await
    }

    async fn update_user(&self, user: UserId, patch: UserPatch) -> Result<User> {
        self.engine
            .write(move |tx| {
                let patch = patch.clone();
                Box::pin(async move { update_user(tx, user, &patch).await })
            })
            .await
    }
}

/// Makes a user with a personal organization.
pub(super) async fn sign_up(tx: &Tx<'_>, new: &NewUser) -> Result<SignedUp> {
    organizations::queue(tx).await?;
    if find_login(tx, &new.email).await?.is_some() {
        return Err(Error::Conflict { what: "email" });
    }
    let name = Organization::personal_name(&new.name);
    let slug = slugs::free_slug(tx, &Organization::wanted_slug(&name)).await?;
    insert_user(tx, new).await?;
    let organization = Organization {
        id: new.org_id,
        name,
        slug,
        plan: new.plan,
        is_personal: true,
        settings: OrgSettings::STANDARD,
        created_at: new.now,
    };
    organizations::insert(tx, &organization, new.id).await?;
    Ok(SignedUp {
        user: require(tx, new.id).await?,
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

async fn insert_user(tx: &Tx<'_>, new: &NewUser) -> Result<()> {
    // Who is first: of two that race, the queue lets one in after the other.
    execute(
        tx,
        "insert into users
            (id, email, name, password_hash, default_org_id, is_instance_admin, created_at,
            email_verified_at)
        values ($1, $2, $3, $4, $5, not exists (select 1 from users), $6, $7)",
        &[
            &new.id.as_uuid(),
            &new.email.as_str(),
            &new.name,
            &new.password_hash,
            &new.org_id.as_uuid(),
            &new.now.as_microsecond(),
            &new.is_verified.then_some(new.now.as_microsecond()),
        ],
    )
    .await?;
    Ok(())
}

async fn find_login(tx: &Tx<'_>, email: &Email) -> Result<Option<LoginRecord>> {
    let found = find(
        tx,
        &format!(
            "select {COLUMNS}, u.password_hash
            from users u
            where u.email = $1"
        ),
        &[&email.as_str()],
    )
    .await?;
    let login = found.map(|row| {
        Ok(LoginRecord {
            user: user(&row)?,
            password_hash: row.try_get("password_hash")?,
        })
    });
    login.transpose()
}

async fn update_user(tx: &Tx<'_>, id: UserId, patch: &UserPatch) -> Result<User> {
    if let Some(org) = patch.default_org {
        // Locked: nobody deletes the organization before this is committed.
        let theirs = find(
            tx,
            "select 1 from members where org_id = $1 and user_id = $2 for key share",
            &[&org.as_uuid(), &id.as_uuid()],
        )
        .await?;
        if theirs.is_none() {
            return Err(Error::NotFound {
                what: "organization",
            });
        }
        // Looked at once nobody can delete it any more.
        organizations::find_organization(tx, org).await?;
    }
    execute(
        tx,
        "update users
        set name = coalesce($1, name), default_org_id = coalesce($2, default_org_id)
        where id = $3",
        &[
            &patch.name,
            &patch.default_org.map(OrgId::as_uuid),
            &id.as_uuid(),
        ],
    )
    .await?;
    require(tx, id).await
}

/// The user lands in this organization, of which they are a member, from now on.
pub(super) async fn land_in(tx: &Tx<'_>, id: UserId, org: OrgId) -> Result<User> {
    let lands_there = UserPatch {
        default_org: Some(org),
        ..UserPatch::default()
    };
    update_user(tx, id, &lands_there).await
}

/// Notes that the user has proved to read mail sent to their address.
pub(super) async fn verify(tx: &Tx<'_>, id: UserId, now: Timestamp) -> Result<()> {
    execute(
        tx,
        "update users
        set email_verified_at = coalesce(email_verified_at, $1)
        where id = $2",
        &[&now.as_microsecond(), &id.as_uuid()],
    )
    .await?;
    Ok(())
}

/// The user, who must be there.
pub(super) async fn require(tx: &Tx<'_>, id: UserId) -> Result<User> {
    let found = find_user(tx, id).await?;
    found.ok_or(Error::NotFound { what: "user" })
}

async fn find_user(tx: &Tx<'_>, id: UserId) -> Result<Option<User>> {
    let found = find(
        tx,
        &format!(
            "select {COLUMNS}
            from users u
            where u.id = $1"
        ),
        &[&id.as_uuid()],
    )
    .await?;
    found.as_ref().map(user).transpose()
}

/// Reads a user out of [`COLUMNS`].
pub(super) fn user(row: &Row) -> Result<User> {
    let columns = Columns::new("users", row);
    Ok(User {
        id: UserId::new(columns.uuid("user_id")?),
        email: columns.read("user_email", Email::parse)?,
        name: columns.get("user_name")?,
        default_org: OrgId::new(columns.uuid("user_default_org_id")?),
        is_instance_admin: columns.get("user_is_instance_admin")?,
        is_verified: columns.get("user_is_verified")?,
        created_at: columns.time("user_created_at")?,
    })
}
