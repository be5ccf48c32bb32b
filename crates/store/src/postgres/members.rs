//! Memberships that change.

use async_trait::async_trait;
use copal_model::{Member, OrgId, Role, UserId};

use super::{Columns, PostgresStore, Tx, execute, find, invitations, organizations};
use crate::invitations::Answer;
use crate::members::{Actor, Afterwards, Facts, Members, NotChanged};
use crate::organizations::GONE;
use crate::{OrgScope, Result};

#[async_trait]
impl Members for PostgresStore {
    async fn change_role(
        &self,
        scope: &OrgScope,
        actor: Actor,
        member: UserId,
        role: Role,
    ) -> Result<Answer<Member, NotChanged>> {
        let org = scope.org();
        self.engine
            .write(move |tx| {
                let actor = actor.clone();
                Box::pin(async move { change_role(tx, org, &actor, member, role).await })
            })
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
            .write(move |tx| {
                let actor = actor.clone();
                Box::pin(async move { remove_member(tx, org, &actor, member).await })
            })
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
            .write(move |tx| {
                let actor = actor.clone();
                Box::pin(async move { hand_over(tx, org, &actor, member, afterwards).await })
            })
            .await
    }
}

async fn change_role(
    tx: &Tx<'_>,
    org: OrgId,
    actor: &Actor,
    member: UserId,
    role: Role,
) -> Result<Answer<Member, NotChanged>> {
    let facts = facts(tx, org, actor, member).await?;
    let case = facts.case(actor.user, member)?;
    if let Err(why) = actor.conclude(case.change_role(role)) {
        return Ok(Err(why));
    }
    set_role(tx, org, member, role).await?;
    organizations::require_member(tx, org, member).await.map(Ok)
}

async fn remove_member(
    tx: &Tx<'_>,
    org: OrgId,
    actor: &Actor,
    member: UserId,
) -> Result<Answer<(), NotChanged>> {
    let facts = facts(tx, org, actor, member).await?;
    let case = facts.case(actor.user, member)?;
    if let Err(why) = actor.conclude(case.remove()) {
        return Ok(Err(why));
    }
    invitations::revoke_sent_by(tx, org, member, actor.now).await?;
    // The first locks before users are looked at: nobody makes it their default any more.
    for statement in [
        "select 1 from members where org_id = $1 and user_id = $2 for update",
        "update users
        set default_org_id = (select o.id from organizations o where o.personal_user_id = users.id)
        where default_org_id = $1
          and id = $2",
        "delete from members where org_id = $1 and user_id = $2",
    ] {
        execute(tx, statement, &[&org.as_uuid(), &member.as_uuid()]).await?;
    }
    Ok(Ok(()))
}

async fn hand_over(
    tx: &Tx<'_>,
    org: OrgId,
    actor: &Actor,
    member: UserId,
    afterwards: Afterwards,
) -> Result<Answer<Member, NotChanged>> {
    let facts = facts(tx, org, actor, member).await?;
    let case = facts.case(actor.user, member)?;
    if let Err(why) = actor.conclude(case.hand_over()) {
        return Ok(Err(why));
    }
    set_role(tx, org, member, Role::Owner).await?;
    set_role(tx, org, actor.user, afterwards.role()).await?;
    organizations::require_member(tx, org, member).await.map(Ok)
}

/// What holds of organization, actor and member. Locked: nobody changes a role or leaves meanwhile.
pub(super) async fn facts(tx: &Tx<'_>, org: OrgId, actor: &Actor, member: UserId) -> Result<Facts> {
    organizations::require(tx, org).await?;
    let found = find(
        tx,
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
        &[
            &actor.counts_everybody(),
            &member.as_uuid(),
            &actor.user.as_uuid(),
            &org.as_uuid(),
        ],
    )
    .await?;
    let row = found.ok_or(GONE)?;
    let columns = Columns::new("organizations", &row);
    Ok(Facts {
        is_personal: columns.get("is_personal")?,
        actor: columns.optional("actor_role")?,
        member: columns.optional("member_role")?,
        member_can_act: columns.get("member_can_act")?,
        other_owners: columns.count("other_owners")?,
    })
}

async fn set_role(tx: &Tx<'_>, org: OrgId, member: UserId, role: Role) -> Result<()> {
    execute(
        tx,
        "update members set role = $1 where org_id = $2 and user_id = $3",
        &[&role.as_str(), &org.as_uuid(), &member.as_uuid()],
    )
    .await?;
    Ok(())
}
