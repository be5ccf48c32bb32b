//! Organizations and accounts that become something else, go, and come back.

use async_trait::async_trait;
use copal_model::policy::Case;
use copal_model::policy::membership::{Departure, convert_org, delete_org};
use copal_model::{OrgId, Organization, Role, Timestamp, UserId};
use rusqlite::{Connection, params};

use super::{Columns, SqliteStore, access, invitations, mails, members, organizations, projects};
use super::{slugs, users};
use crate::invitations::{AddressProof, Answer};
use crate::lifecycle::{
    DeletedOrganization, Fate, Leaving, Lifecycle, NewHome, NotDeleted, RestoredBy, holding,
    purged_until,
};
use crate::mails::NewMail;
use crate::members::{Actor, NotChanged};
use crate::organizations::GONE;
use crate::{OrgScope, Result};

#[async_trait]
impl Lifecycle for SqliteStore {
    async fn convert_organization(
        &self,
        scope: &OrgScope,
        actor: Actor,
        home: NewHome,
    ) -> Result<Answer<Organization, NotChanged>> {
        let org = scope.org();
        self.engine
            .write(move |db| convert_organization(db, org, &actor, home))
            .await
    }

    async fn delete_organization(
        &self,
        scope: &OrgScope,
        actor: Actor,
        mails: Vec<NewMail>,
    ) -> Result<Answer<(), NotChanged>> {
        let org = scope.org();
        self.engine
            .write(move |db| delete_organization(db, org, &actor, &mails))
            .await
    }

    async fn list_deleted_organizations(&self, owner: UserId) -> Result<Vec<DeletedOrganization>> {
        self.engine
            .read(move |db| list_deleted_organizations(db, owner))
            .await
    }

    async fn restore_organization(
        &self,
        scope: &OrgScope,
        by: RestoredBy,
    ) -> Result<Answer<Organization, NotChanged>> {
        let org = scope.org();
        self.engine
            .write(move |db| restore_organization(db, org, &by))
            .await
    }

    async fn purge_organizations(&self, now: Timestamp) -> Result<usize> {
        let mut purged = 0;
        while self.engine.write(move |db| purge_next(db, now)).await? {
            self.codec.bases.forget();
            purged += 1;
        }
        Ok(purged)
    }

    async fn list_holding(&self, user: UserId, proof: AddressProof) -> Result<Vec<Organization>> {
        let all = self
            .engine
            .read(move |db| list_leaving(db, user, proof))
            .await?;
        Ok(holding(&all))
    }

    async fn delete_account(
        &self,
        user: UserId,
        proof: AddressProof,
        now: Timestamp,
    ) -> Result<Answer<(), NotDeleted>> {
        let deleted = self
            .engine
            .write(move |db| delete_account(db, user, proof, now))
            .await;
        self.codec.bases.forget();
        deleted
    }
}

fn convert_organization(
    db: &Connection,
    org: OrgId,
    actor: &Actor,
    home: NewHome,
) -> Result<Answer<Organization, NotChanged>> {
    let Case {
        actor: role,
        is_personal,
        ..
    } = own_case(db, org, actor)?;
    if let Err(why) = actor.conclude(convert_org(role, is_personal)) {
        return Ok(Err(why));
    }
    let user = users::require(db, actor.user)?;
    let slug = slugs::free_slug(db, &NewHome::wanted_slug(&user))?;
    db.prepare_cached("update organizations set personal_user_id = null where id = $1")?
        .execute([org.as_uuid().as_bytes()])?;
    organizations::insert(db, &home.organization(&user, slug, actor.now), user.id)?;
    organizations::find_organization(db, org).map(Ok)
}

fn delete_organization(
    db: &Connection,
    org: OrgId,
    actor: &Actor,
    notices: &[NewMail],
) -> Result<Answer<(), NotChanged>> {
    let Case {
        actor: role,
        is_personal,
        ..
    } = own_case(db, org, actor)?;
    if let Err(why) = actor.conclude(delete_org(role, is_personal)) {
        return Ok(Err(why));
    }
    land_at_home(db, org)?;
    for statement in [
        // Kept, because they count towards the limits of who was written to.
        "update mails
        set state = 'CANCELLED', text = null, html = null, finished_at = $1
        where org_id = $2 and state in ('WAITING', 'FAILED')",
        "update organizations set deleted_at = $1 where id = $2",
    ] {
        db.prepare_cached(statement)?.execute(params![
            actor.now.as_microsecond(),
            org.as_uuid().as_bytes(),
        ])?;
    }
    for notice in notices {
        mails::insert(db, notice)?;
    }
    Ok(Ok(()))
}

fn list_deleted_organizations(db: &Connection, owner: UserId) -> Result<Vec<DeletedOrganization>> {
    let mut list = db.prepare_cached(&format!(
        "select {}, o.deleted_at
        from members m
        join organizations o on o.id = m.org_id
        where m.user_id = $1
          and m.role = 'OWNER'
          and o.deleted_at is not null
        order by o.deleted_at desc, o.id",
        organizations::COLUMNS
    ))?;
    let rows = list.query_and_then([owner.as_uuid().as_bytes()], |row| {
        Ok(DeletedOrganization {
            organization: organizations::organization(row)?,
            deleted_at: Columns::new("organizations", row).time("deleted_at")?,
        })
    })?;
    rows.collect()
}

fn restore_organization(
    db: &Connection,
    org: OrgId,
    by: &RestoredBy,
) -> Result<Answer<Organization, NotChanged>> {
    let is_deleted = db
        .prepare_cached("select 1 from organizations where id = $1 and deleted_at is not null")?
        .exists([org.as_uuid().as_bytes()])?;
    if !is_deleted {
        return Err(GONE);
    }
    if let RestoredBy::Owner(actor) = by {
        let role = role_of(db, org, actor.user)?.ok_or(GONE)?;
        if let Err(why) = actor.conclude(delete_org(role, false)) {
            return Ok(Err(why));
        }
    }
    db.prepare_cached("update organizations set deleted_at = null where id = $1")?
        .execute([org.as_uuid().as_bytes()])?;
    organizations::find_organization(db, org).map(Ok)
}

/// Purges the organization that was deleted first; whether there was one.
fn purge_next(db: &Connection, now: Timestamp) -> Result<bool> {
    let mut find = db.prepare_cached(
        "select id
        from organizations
        where deleted_at <= $1
        order by deleted_at, id
        limit 1",
    )?;
    let mut found = find.query_and_then([purged_until(now).as_microsecond()], |row| {
        Columns::new("organizations", row).uuid("id")
    })?;
    let Some(org) = found.next().transpose()? else {
        return Ok(false);
    };
    purge(db, access::scope_to_purge(OrgId::new(org)))?;
    Ok(true)
}

fn delete_account(
    db: &Connection,
    user: UserId,
    proof: AddressProof,
    now: Timestamp,
) -> Result<Answer<(), NotDeleted>> {
    users::require(db, user)?;
    let all = list_leaving(db, user, proof)?;
    let held = holding(&all);
    if !held.is_empty() {
        return Ok(Err(NotDeleted::LastOwnerOf(held)));
    }
    for (org, leaving) in all {
        match leaving.fate() {
            Fate::Goes => purge(db, access::scope_to_purge(org.id))?,
            _ => invitations::revoke_sent_by(db, org.id, user, now)?,
        }
    }
    for statement in [
        "delete from members where user_id = $1",
        "delete from users where id = $1",
    ] {
        db.prepare_cached(statement)?
            .execute([user.as_uuid().as_bytes()])?;
    }
    Ok(Ok(()))
}

/// The organizations that somebody is in, and what leaving would mean for each.
fn list_leaving(
    db: &Connection,
    user: UserId,
    proof: AddressProof,
) -> Result<Vec<(Organization, Leaving)>> {
    let mut list = db.prepare_cached(&format!(
        "select {}, m.role, o.deleted_at is not null as is_deleted,
            (select count(*) from members n where n.org_id = o.id and n.user_id <> $1)
                as other_members,
            (
                select count(*)
                from members n
                join users v on v.id = n.user_id
                where n.org_id = o.id
                  and n.role = 'OWNER'
                  and n.user_id <> $1
                  and ($2 or v.email_verified_at is not null)
            ) as other_owners
        from members m
        join organizations o on o.id = m.org_id
        where m.user_id = $1
        order by o.name collate nocase, o.id",
        organizations::COLUMNS
    ))?;
    let counts_everybody = proof == AddressProof::Waived;
    let user = user.as_uuid().into_bytes();
    let rows = list.query_and_then(params![user, counts_everybody], |row| {
        let organization = organizations::organization(row)?;
        let columns = Columns::new("members", row);
        let leaving = Leaving {
            departure: Departure {
                role: columns.parse("role")?,
                is_personal: organization.is_personal,
                other_owners: columns.count("other_owners")?,
                other_members: columns.count("other_members")?,
            },
            is_deleted: columns.get("is_deleted")?,
        };
        Ok((organization, leaving))
    })?;
    rows.collect()
}

/// Deletes an organization with its projects and all that was recorded of them.
fn purge(db: &Connection, scope: OrgScope) -> Result<()> {
    for project in projects::list_all(db, scope.org())? {
        projects::delete_project(db, scope.project(project))?;
    }
    land_at_home(db, scope.org())?;
    for statement in [
        "delete from members where org_id = $1",
        "delete from usage where org_id = $1",
        // Kept, because they count towards the limits of who was written to.
        "update mails
        set state = 'CANCELLED', text = null, html = null, finished_at = created_at
        where org_id = $1 and state in ('WAITING', 'FAILED')",
        "delete from organizations where id = $1",
    ] {
        db.prepare_cached(statement)?
            .execute([scope.org().as_uuid().as_bytes()])?;
    }
    Ok(())
}

/// Whose default it was lands in the personal organization from now on.
fn land_at_home(db: &Connection, org: OrgId) -> Result<()> {
    db.prepare_cached(
        "update users
        set default_org_id = (select o.id from organizations o where o.personal_user_id = users.id)
        where default_org_id = $1",
    )?
    .execute([org.as_uuid().as_bytes()])?;
    Ok(())
}

/// What holds of the organization and its actor.
fn own_case(db: &Connection, org: OrgId, actor: &Actor) -> Result<Case> {
    let facts = members::facts(db, org, actor, actor.user)?;
    facts.case(actor.user, actor.user)
}

pub(super) fn role_of(db: &Connection, org: OrgId, user: UserId) -> Result<Option<Role>> {
    let mut find =
        db.prepare_cached("select role from members where org_id = $1 and user_id = $2")?;
    let ids = [org.as_uuid().into_bytes(), user.as_uuid().into_bytes()];
    let mut found = find.query_and_then(ids, |row| Columns::new("members", row).parse("role"))?;
    found.next().transpose()
}
