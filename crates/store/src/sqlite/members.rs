//! Memberships that change.

use async_trait::async_trait;
use copal_model::{Member, OrgId, Role, UserId};
use rusqlite::{Connection, params};
use uuid::Uuid;

use super::{Columns, SqliteStore, invitations, organizations};
use crate::invitations::Answer;
use crate::members::{Actor, Afterwards, Facts, Members, NotChanged};
use crate::organizations::GONE;
use crate::{OrgScope, Result};

#[async_trait]
impl Members for SqliteStore {
    async fn change_role(
        &self,
        scope: &OrgScope,
        actor: Actor,
        member: UserId,
        role: Role,
    ) -> Result<Answer<Member, NotChanged>> {
        let org = scope.org();
        self.engine
            .write(move |db| change_role(db, org, &actor, member, role))
            .await
    }

    async fn remove_member(
        &self,
        scope: &OrgScope,
        actor: Actor,
        member: UserId,
    ) -> Result<Answer<(), NotChanged>> {
        let org = scope.org();
        self.engine
            .write(move |db| remove_member(db, org, &actor, member))
            .await
    }

    async fn hand_over(
        &self,
        scope: &OrgScope,
        actor: Actor,
        member: UserId,
        afterwards: Afterwards,
    ) -> Result<Answer<Member, NotChanged>> {
        let org = scope.org();
        self.engine
            .write(move |db| hand_over(db, org, &actor, member, afterwards))
            .await
    }
}

fn change_role(
    db: &Connection,
    org: OrgId,
    actor: &Actor,
    member: UserId,
    role: Role,
) -> Result<Answer<Member, NotChanged>> {
    let case = facts(db, org, actor, member)?.case(actor.user, member)?;
    if let Err(why) = actor.conclude(case.change_role(role)) {
        return Ok(Err(why));
    }
    set_role(db, org, member, role)?;
    organizations::require_member(db, org, member).map(Ok)
}

fn remove_member(
    db: &Connection,
    org: OrgId,
    actor: &Actor,
    member: UserId,
) -> Result<Answer<(), NotChanged>> {
    let case = facts(db, org, actor, member)?.case(actor.user, member)?;
    if let Err(why) = actor.conclude(case.remove()) {
        return Ok(Err(why));
    }
    invitations::revoke_sent_by(db, org, member, actor.now)?;
    let ids = [org.as_uuid(), member.as_uuid()].map(Uuid::into_bytes);
    db.prepare_cached(
        "update users
        set default_org_id = (select o.id from organizations o where o.personal_user_id = users.id)
        where default_org_id = $1
          and id = $2",
    )?
    .execute(ids)?;
    db.prepare_cached("delete from members where org_id = $1 and user_id = $2")?
        .execute(ids)?;
    Ok(Ok(()))
}

fn hand_over(
    db: &Connection,
    org: OrgId,
    actor: &Actor,
    member: UserId,
    afterwards: Afterwards,
) -> Result<Answer<Member, NotChanged>> {
    let case = facts(db, org, actor, member)?.case(actor.user, member)?;
    if let Err(why) = actor.conclude(case.hand_over()) {
        return Ok(Err(why));
    }
    set_role(db, org, member, Role::Owner)?;
    set_role(db, org, actor.user, afterwards.role())?;
    organizations::require_member(db, org, member).map(Ok)
}

/// What holds of organization, actor and member.
pub(super) fn facts(db: &Connection, org: OrgId, actor: &Actor, member: UserId) -> Result<Facts> {
    let mut find = db.prepare_cached(
        "select o.personal_user_id is not null as is_personal, a.role as actor_role,
            m.role as member_role, $1 or u.email_verified_at is not null as member_can_act,
            (
                select count(*)
                from members n
                join users v on v.id = n.user_id
                where n.org_id = o.id
                  and n.role = 'OWNER'
                  and n.user_id <> $2
                  and ($1 or v.email_verified_at is not null)
            ) as other_owners
        from organizations o
        left join members a on a.org_id = o.id and a.user_id = $3
        left join members m on m.org_id = o.id and m.user_id = $2
        left join users u on u.id = m.user_id
        where o.id = $4
          and o.deleted_at is null",
    )?;
    let ids = [member.as_uuid(), actor.user.as_uuid(), org.as_uuid()].map(Uuid::into_bytes);
    let values = params![actor.counts_everybody(), ids[0], ids[1], ids[2]];
    let mut found = find.query_and_then(values, |row| {
        let columns = Columns::new("organizations", row);
        Ok(Facts {
            is_personal: columns.get("is_personal")?,
            actor: columns.optional("actor_role")?,
            member: columns.optional("member_role")?,
            member_can_act: columns.get("member_can_act")?,
            other_owners: columns.count("other_owners")?,
        })
    })?;
    found.next().unwrap_or(Err(GONE))
}

fn set_role(db: &Connection, org: OrgId, member: UserId, role: Role) -> Result<()> {
    db.prepare_cached("update members set role = $1 where org_id = $2 and user_id = $3")?
        .execute(params![
            role.as_str(),
            org.as_uuid().as_bytes(),
            member.as_uuid().as_bytes(),
        ])?;
    Ok(())
}
