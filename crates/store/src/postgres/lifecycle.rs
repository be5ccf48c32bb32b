//! Organizations and accounts that become something else, go, and come back.

use async_trait::async_trait;
use copal_model::policy::Case;
use copal_model::policy::membership::{Departure, convert_org, delete_org};
use copal_model::{OrgId, Organization, Role, Timestamp, UserId};

use super::{Columns, PostgresStore, Tx, access, execute, find, invitations, list, mails, members};
use super::{organizations, projects, slugs, users};
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
impl Lifecycle for PostgresStore {
    async fn convert_organization(
        &self,
        scope: &OrgScope,
        actor: Actor,
        home: NewHome,
    ) -> Result<Answer<Organization, NotChanged>> {
        let org = scope.org();
        self.engine
            .write(move |tx| {
                let actor = actor.clone();
                Box::pin(async move { convert_organization(tx, org, &actor, home).await })
            })
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
            .write(move |tx| {
                let (actor, mails) = (actor.clone(), mails.clone());
                Box::pin(async move { delete_organization(tx, org, &actor, &mails).await })
            })
            .await
    }

    async fn list_deleted_organizations(&self, owner: UserId) -> Result<Vec<DeletedOrganization>> {
        self.engine
            .read(move |tx| Box::pin(list_deleted_organizations(tx, owner)))
            .await
    }

    async fn restore_organization(
        &self,
        scope: &OrgScope,
        by: RestoredBy,
    ) -> Result<Answer<Organization, NotChanged>> {
        let org = scope.org();
        self.engine
            .write(move |tx| {
                let by = by.clone();
                Box::pin(async move { restore_organization(tx, org, &by).await })
            })
            .await
    }

    async fn purge_organizations(&self, now: Timestamp) -> Result<usize> {
        let mut purged = 0;
        let next = || self.engine.write(move |tx| Box::pin(purge_next(tx, now)));
        while next().await? {
            self.codec.bases.forget();
            purged += 1;
        }
        Ok(purged)
    }

    async fn list_holding(&self, user: UserId, proof: AddressProof) -> Result<Vec<Organization>> {
        let all = self
            .engine
            .read(move |tx| Box::pin(list_leaving(tx, user, proof)))
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
            .write(move |tx| Box::pin(delete_account(tx, user, proof, now)))
            .await;
        self.codec.bases.forget();
        deleted
    }
}

async fn convert_organization(
    tx: &Tx<'_>,
    org: OrgId,
    actor: &Actor,
    home: NewHome,
) -> Result<Answer<Organization, NotChanged>> {
    organizations::queue(tx).await?;
    let Case {
        actor: role,
        is_personal,
        ..
    } = own_case(tx, org, actor).await?;
    if let Err(why) = actor.conclude(convert_org(role, is_personal)) {
        return Ok(Err(why));
    }
    let user = users::require(tx, actor.user).await?;
    let slug = slugs::free_slug(tx, &NewHome::wanted_slug(&user)).await?;
    execute(
        tx,
        "update organizations set personal_user_id = null where id = $1",
        &[&org.as_uuid()],
    )
    .await?;
    organizations::insert(tx, &home.organization(&user, slug, actor.now), user.id).await?;
    organizations::find_organization(tx, org).await.map(Ok)
}

async fn delete_organization(
    tx: &Tx<'_>,
    org: OrgId,
    actor: &Actor,
    notices: &[NewMail],
) -> Result<Answer<(), NotChanged>> {
    let Case {
        actor: role,
        is_personal,
        ..
    } = own_case(tx, org, actor).await?;
    if let Err(why) = actor.conclude(delete_org(role, is_personal)) {
        return Ok(Err(why));
    }
    land_at_home(tx, org).await?;
    for statement in [
        // Kept, because they count towards the limits of who was written to.
        "update mails
        set state = 'CANCELLED', text = null, html = null, finished_at = $1
        where org_id = $2 and state in ('WAITING', 'FAILED')",
        "update organizations set deleted_at = $1 where id = $2",
    ] {
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 2] =
            [&actor.now.as_microsecond(), &org.as_uuid()];
        execute(tx, statement, &values).await?;
    }
    for notice in notices {
        mails::insert(tx, notice).await?;
    }
    Ok(Ok(()))
}

async fn list_deleted_organizations(
    tx: &Tx<'_>,
    owner: UserId,
) -> Result<Vec<DeletedOrganization>> {
    let rows = list(
        tx,
        &format!(
            "select {}, o.deleted_at
            from members m
            join organizations o on o.id = m.org_id
            where m.user_id = $1
              and m.role = 'OWNER'
              and o.deleted_at is not null
            order by o.deleted_at desc, o.id",
            organizations::COLUMNS
        ),
        &[&owner.as_uuid()],
    )
    .await?;
    let rows = rows.iter().map(|row| {
        Ok(DeletedOrganization {
            organization: organizations::organization(row)?,
            deleted_at: Columns::new("organizations", row).time("deleted_at")?,
        })
    });
    rows.collect()
}

async fn restore_organization(
    tx: &Tx<'_>,
    org: OrgId,
    by: &RestoredBy,
) -> Result<Answer<Organization, NotChanged>> {
    let deleted = find(
        tx,
        "select 1 from organizations where id = $1 and deleted_at is not null for update",
        &[&org.as_uuid()],
    )
    .await?;
    if deleted.is_none() {
        return Err(GONE);
    }
    if let RestoredBy::Owner(actor) = by {
        let role = role_of(tx, org, actor.user).await?.ok_or(GONE)?;
        if let Err(why) = actor.conclude(delete_org(role, false)) {
            return Ok(Err(why));
        }
    }
    execute(
        tx,
        "update organizations set deleted_at = null where id = $1",
        &[&org.as_uuid()],
    )
    .await?;
    organizations::find_organization(tx, org).await.map(Ok)
}

/// Purges the organization that was deleted first; whether there was one.
async fn purge_next(tx: &Tx<'_>, now: Timestamp) -> Result<bool> {
    // Locked: nobody takes it back meanwhile.
    let found = find(
        tx,
        "select id
        from organizations
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
    let org = OrgId::new(Columns::new("organizations", &row).uuid("id")?);
    purge(tx, access::scope_to_purge(org)).await?;
    Ok(true)
}

async fn delete_account(
    tx: &Tx<'_>,
    user: UserId,
    proof: AddressProof,
    now: Timestamp,
) -> Result<Answer<(), NotDeleted>> {
    users::require(tx, user).await?;
    // Locked, in the order of ids: nobody leaves meanwhile, or gets another role.
    list(
        tx,
        "select 1
        from organizations
        where id in (select org_id from members where user_id = $1)
        order by id
        for update",
        &[&user.as_uuid()],
    )
    .await?;
    // And nobody lets the person in anywhere.
    find(
        tx,
        "select 1 from users where id = $1 for update",
        &[&user.as_uuid()],
    )
    .await?;
    let all = list_leaving(tx, user, proof).await?;
    let held = holding(&all);
    if !held.is_empty() {
        return Ok(Err(NotDeleted::LastOwnerOf(held)));
    }
    for (org, leaving) in all {
        match leaving.fate() {
            Fate::Goes => purge(tx, access::scope_to_purge(org.id)).await?,
            _ => invitations::revoke_sent_by(tx, org.id, user, now).await?,
        }
    }
    for statement in [
        "delete from members where user_id = $1",
        "delete from users where id = $1",
    ] {
        execute(tx, statement, &[&user.as_uuid()]).await?;
    }
    Ok(Ok(()))
}

/// The organizations that somebody is in, and what leaving would mean for each.
async fn list_leaving(
    tx: &Tx<'_>,
    user: UserId,
    proof: AddressProof,
) -> Result<Vec<(Organization, Leaving)>> {
    let rows = list(
        tx,
        &format!(
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
            order by lower(o.name), o.id",
            organizations::COLUMNS
        ),
        &[&user.as_uuid(), &(proof == AddressProof::Waived)],
    )
    .await?;
    let rows = rows.iter().map(|row| {
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
    });
    rows.collect()
}

/// Deletes an organization with its projects and all that was recorded of them. It is locked:
/// nobody makes a project in it any more.
async fn purge(tx: &Tx<'_>, scope: OrgScope) -> Result<()> {
    let org = scope.org().as_uuid();
    // In the order in which batches lock them too.
    list(
        tx,
        "select 1 from projects where org_id = $1 order by id for update",
        &[&org],
    )
    .await?;
    for project in projects::list_all(tx, scope.org()).await? {
        projects::delete_project(tx, scope.project(project)).await?;
    }
    land_at_home(tx, scope.org()).await?;
    for statement in [
        "delete from members where org_id = $1",
        "delete from usage where org_id = $1",
        // Kept, because they count towards the limits of who was written to.
        "update mails
        set state = 'CANCELLED', text = null, html = null, finished_at = created_at
        where org_id = $1 and state in ('WAITING', 'FAILED')",
        "delete from organizations where id = $1",
    ] {
        execute(tx, statement, &[&org]).await?;
    }
    Ok(())
}

/// Whose default it was lands in the personal organization from now on.
async fn land_at_home(tx: &Tx<'_>, org: OrgId) -> Result<()> {
    // Locked before users are looked at: nobody makes it the default any more.
    list(
        tx,
        "select 1 from members where org_id = $1 for update",
        &[&org.as_uuid()],
    )
    .await?;
    execute(
        tx,
        "update users
        set default_org_id = (select o.id from organizations o where o.personal_user_id = users.id)
        where default_org_id = $1",
        &[&org.as_uuid()],
    )
    .await?;
    Ok(())
}

/// What holds of the organization and its actor. Locked as [`members::facts`].
async fn own_case(tx: &Tx<'_>, org: OrgId, actor: &Actor) -> Result<Case> {
    let facts = members::facts(tx, org, actor, actor.user).await?;
    facts.case(actor.user, actor.user)
}

pub(super) async fn role_of(tx: &Tx<'_>, org: OrgId, user: UserId) -> Result<Option<Role>> {
    let found = find(
        tx,
        "select role from members where org_id = $1 and user_id = $2",
        &[&org.as_uuid(), &user.as_uuid()],
    )
    .await?;
    let role = found.map(|row| Columns::new("members", &row).parse("role"));
    role.transpose()
}
