//! Tokens of organizations, and members' tokens that they do not take.

use async_trait::async_trait;
use copal_model::policy::Refused;
use copal_model::{OrgId, Role, Timestamp, TokenId, UserId};
use tokio_postgres::Row;
use uuid::Uuid;

use super::tokens::FoundToken;
use super::{Columns, PostgresStore, Tx, count, execute, find, list, organizations, tokens};
use crate::access::{Bearer, OrgBearer, SecretHash};
use crate::invitations::Answer;
use crate::org_tokens::{
    Creator, MemberToken, NewOrgToken, OrgToken, OrgTokens, check_new, check_shut_out,
};
use crate::{Error, OrgScope, Result};

#[async_trait]
impl OrgTokens for PostgresStore {
    async fn create_org_token(
        &self,
        scope: &OrgScope,
        new: NewOrgToken,
    ) -> Result<Answer<(), Refused>> {
        let org = scope.org();
        self.engine
            .write(move |tx| {
                let new = new.clone();
                Box::pin(async move { create_org_token(tx, org, &new).await })
            })
            .await
    }

    async fn list_org_tokens(&self, scope: &OrgScope, now: Timestamp) -> Result<Vec<OrgToken>> {
        let org = scope.org();
        self.engine
            .read(move |tx| Box::pin(list_org_tokens(tx, org, now)))
            .await
    }

    async fn delete_org_token(&self, scope: &OrgScope, token: TokenId) -> Result<()> {
        let org = scope.org();
        self.engine
            .write(move |tx| Box::pin(delete_org_token(tx, org, token)))
            .await
    }

    async fn list_member_tokens(
        &self,
        scope: &OrgScope,
        now: Timestamp,
    ) -> Result<Vec<MemberToken>> {
        let org = scope.org();
        self.engine
            .read(move |tx| Box::pin(list_member_tokens(tx, org, now)))
            .await
    }

    async fn shut_out_token(
        &self,
        scope: &OrgScope,
        actor: UserId,
        token: TokenId,
        now: Timestamp,
    ) -> Result<Answer<(), Refused>> {
        let org = scope.org();
        self.engine
            .write(move |tx| Box::pin(shut_out_token(tx, org, actor, token, now)))
            .await
    }
}

async fn create_org_token(
    tx: &Tx<'_>,
    org: OrgId,
    new: &NewOrgToken,
) -> Result<Answer<(), Refused>> {
    // Locked: nobody makes another one, or changes a role, between the count and the commit.
    organizations::require(tx, org).await?;
    let creator = organizations::require_member(tx, org, new.creator).await?;
    let count = count(
        tx,
        "select count(*) from org_tokens where org_id = $1",
        &[&org.as_uuid()],
    )
    .await?;
    if let Err(refused) = check_new(creator.role, count)? {
        return Ok(Err(refused));
    }
    execute(
        tx,
        "insert into org_tokens
            (id, org_id, name, prefix, secret_hash, scopes, creator_id, created_at, expires_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        &[
            &new.id.as_uuid(),
            &org.as_uuid(),
            &new.name,
            &new.prefix,
            &&new.secret[..],
            &new.scopes.join(" "),
            &new.creator.as_uuid(),
            &new.now.as_microsecond(),
            &new.expires_at.as_microsecond(),
        ],
    )
    .await?;
    Ok(Ok(()))
}

async fn list_org_tokens(tx: &Tx<'_>, org: OrgId, now: Timestamp) -> Result<Vec<OrgToken>> {
    let rows = list(
        tx,
        "select t.id, t.name, t.prefix, t.scopes, t.creator_id, u.name as creator_name,
            m.role as creator_role, t.created_at, t.last_used_at, t.expires_at
        from org_tokens t
        left join users u on u.id = t.creator_id
        left join members m on m.org_id = t.org_id and m.user_id = t.creator_id
        where t.org_id = $1
          and t.expires_at > $2
        order by t.created_at desc, t.id desc",
        &[&org.as_uuid(), &now.as_microsecond()],
    )
    .await?;
    rows.iter().map(org_token).collect()
}

async fn delete_org_token(tx: &Tx<'_>, org: OrgId, token: TokenId) -> Result<()> {
    let deleted = execute(
        tx,
        "delete from org_tokens where org_id = $1 and id = $2",
        &[&org.as_uuid(), &token.as_uuid()],
    )
    .await?;
    match deleted {
        0 => Err(Error::NotFound { what: "token" }),
        _ => Ok(()),
    }
}

async fn list_member_tokens(tx: &Tx<'_>, org: OrgId, now: Timestamp) -> Result<Vec<MemberToken>> {
    let rows = list(
        tx,
        "select t.id, t.user_id, u.name as user_name, m.role, t.prefix, t.scopes, t.created_at,
            t.expires_at, s.token_id is not null as is_shut_out
        from members m
        join users u on u.id = m.user_id
        join tokens t on t.user_id = m.user_id
        left join shut_out_tokens s on s.token_id = t.id and s.org_id = m.org_id
        where m.org_id = $1
          and (t.expires_at is null or t.expires_at > $2)
        order by
            case m.role when 'OWNER' then 0 when 'ADMIN' then 1 when 'MEMBER' then 2 else 3 end,
            lower(u.name),
            u.id,
            t.created_at desc,
            t.id desc",
        &[&org.as_uuid(), &now.as_microsecond()],
    )
    .await?;
    rows.iter().map(member_token).collect()
}

async fn shut_out_token(
    tx: &Tx<'_>,
    org: OrgId,
    actor: UserId,
    token: TokenId,
    now: Timestamp,
) -> Result<Answer<(), Refused>> {
    // Locked: nobody changes a role before this is committed.
    organizations::require(tx, org).await?;
    let actor = organizations::require_member(tx, org, actor).await?;
    let Some(holder) = find_holder(tx, org, token).await? else {
        return Err(Error::NotFound { what: "token" });
    };
    if let Err(refused) = check_shut_out(actor.role, holder) {
        return Ok(Err(refused));
    }
    execute(
        tx,
        "insert into shut_out_tokens (org_id, token_id, created_at)
        values ($1, $2, $3)
        on conflict do nothing",
        &[&org.as_uuid(), &token.as_uuid(), &now.as_microsecond()],
    )
    .await?;
    Ok(Ok(()))
}

/// The role of the member whose token it is.
async fn find_holder(tx: &Tx<'_>, org: OrgId, token: TokenId) -> Result<Option<Role>> {
    // Locked: its user does not revoke it before this is committed.
    let found = find(
        tx,
        "select m.role
        from tokens t
        join members m on m.user_id = t.user_id
        where m.org_id = $1
          and t.id = $2
        for key share of t",
        &[&org.as_uuid(), &token.as_uuid()],
    )
    .await?;
    let role = found.map(|row| Columns::new("members", &row).parse("role"));
    role.transpose()
}

/// The token of an organization with this secret, if it lives.
pub(super) async fn find_token(
    tx: &Tx<'_>,
    secret: SecretHash,
    now: Timestamp,
) -> Result<Option<FoundToken>> {
    let found = find(
        tx,
        "select t.id, t.org_id, t.scopes, t.last_used_at
        from org_tokens t
        join organizations o on o.id = t.org_id
        where t.secret_hash = $1
          and t.expires_at > $2
          and o.deleted_at is null",
        &[&&secret[..], &now.as_microsecond()],
    )
    .await?;
    let token = found.map(|row| {
        let columns = Columns::new("org_tokens", &row);
        let id = TokenId::new(columns.uuid("id")?);
        Ok(FoundToken {
            id,
            bearer: Bearer::Organization(OrgBearer {
                token: id,
                org: OrgId::new(columns.uuid("org_id")?),
                scopes: tokens::scopes(&columns)?.unwrap_or_default(),
            }),
            last_used_at: columns.optional_time("last_used_at")?,
        })
    });
    token.transpose()
}

fn org_token(row: &Row) -> Result<OrgToken> {
    let columns = Columns::new("org_tokens", row);
    let creator = match columns.get::<Option<Uuid>>("creator_id")? {
        Some(creator) => Some(Creator {
            user: UserId::new(creator),
            name: columns.get("creator_name")?,
            role: match columns.get::<Option<&str>>("creator_role")? {
                Some(_) => Some(columns.parse("creator_role")?),
                None => None,
            },
        }),
        None => None,
    };
    Ok(OrgToken {
        id: TokenId::new(columns.uuid("id")?),
        name: columns.get("name")?,
        prefix: columns.get("prefix")?,
        scopes: tokens::scopes(&columns)?.unwrap_or_default(),
        creator,
        created_at: columns.time("created_at")?,
        last_used_at: columns.optional_time("last_used_at")?,
        expires_at: columns.time("expires_at")?,
    })
}

fn member_token(row: &Row) -> Result<MemberToken> {
    let columns = Columns::new("tokens", row);
    Ok(MemberToken {
        id: TokenId::new(columns.uuid("id")?),
        user: UserId::new(columns.uuid("user_id")?),
        user_name: columns.get("user_name")?,
        role: columns.parse("role")?,
        prefix: columns.get("prefix")?,
        scopes: tokens::scopes(&columns)?,
        created_at: columns.time("created_at")?,
        expires_at: columns.optional_time("expires_at")?,
        is_shut_out: columns.get("is_shut_out")?,
    })
}
