//! Tokens of organizations, and members' tokens that they do not take.

use async_trait::async_trait;
use copal_model::policy::Refused;
use copal_model::{OrgId, Role, Timestamp, TokenId, UserId};
use rusqlite::{Connection, Row, params};

use super::tokens::FoundToken;
use super::{Columns, SqliteStore, organizations, tokens};
use crate::access::{Bearer, OrgBearer, SecretHash};
use crate::invitations::Answer;
use crate::org_tokens::{
    Creator, MemberToken, NewOrgToken, OrgToken, OrgTokens, check_new, check_shut_out,
};
use crate::{Error, OrgScope, Result};

#[async_trait]
impl OrgTokens for SqliteStore {
    async fn create_org_token(
        &self,
        scope: &OrgScope,
        new: NewOrgToken,
    ) -> Result<Answer<(), Refused>> {
        let org = scope.org();
        self.engine
            .write(move |db| create_org_token(db, org, &new))
            .await
    }

    async fn list_org_tokens(&self, scope: &OrgScope, now: Timestamp) -> Result<Vec<OrgToken>> {
        let org = scope.org();
        self.engine
            .read(move |db| list_org_tokens(db, org, now))
            .await
    }

    async fn delete_org_token(&self, scope: &OrgScope, token: TokenId) -> Result<()> {
        let org = scope.org();
        self.engine
            .write(move |db| delete_org_token(db, org, token))
            .await
    }

    async fn list_member_tokens(
        &self,
        scope: &OrgScope,
        now: Timestamp,
    ) -> Result<Vec<MemberToken>> {
        let org = scope.org();
        self.engine
            .read(move |db| list_member_tokens(db, org, now))
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
            .write(move |db| shut_out_token(db, org, actor, token, now))
            .await
    }
}

fn create_org_token(db: &Connection, org: OrgId, new: &NewOrgToken) -> Result<Answer<(), Refused>> {
    let creator = organizations::require_member(db, org, new.creator)?;
    let count: u64 = db
        .prepare_cached("select count(*) from org_tokens where org_id = $1")?
        .query_row([org.as_uuid().as_bytes()], |row| row.get(0))?;
    if let Err(refused) = check_new(creator.role, count)? {
        return Ok(Err(refused));
    }
    db.prepare_cached(
        "insert into org_tokens
            (id, org_id, name, prefix, secret_hash, scopes, creator_id, created_at, expires_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )?
    .execute(params![
        new.id.as_uuid().as_bytes(),
        org.as_uuid().as_bytes(),
        new.name,
        new.prefix,
        new.secret,
        new.scopes.join(" "),
        new.creator.as_uuid().as_bytes(),
        new.now.as_microsecond(),
        new.expires_at.as_microsecond(),
    ])?;
    Ok(Ok(()))
}

fn list_org_tokens(db: &Connection, org: OrgId, now: Timestamp) -> Result<Vec<OrgToken>> {
    let mut list = db.prepare_cached(
        "select t.id, t.name, t.prefix, t.scopes, t.creator_id, u.name as creator_name,
            m.role as creator_role, t.created_at, t.last_used_at, t.expires_at
        from org_tokens t
        left join users u on u.id = t.creator_id
        left join members m on m.org_id = t.org_id and m.user_id = t.creator_id
        where t.org_id = $1
          and t.expires_at > $2
        order by t.created_at desc, t.id desc",
    )?;
    let rows = list.query_and_then(
        params![org.as_uuid().as_bytes(), now.as_microsecond()],
        org_token,
    )?;
    rows.collect()
}

fn delete_org_token(db: &Connection, org: OrgId, token: TokenId) -> Result<()> {
    let deleted = db
        .prepare_cached("delete from org_tokens where org_id = $1 and id = $2")?
        .execute([org.as_uuid().as_bytes(), token.as_uuid().as_bytes()])?;
    match deleted {
        0 => Err(Error::NotFound { what: "token" }),
        _ => Ok(()),
    }
}

fn list_member_tokens(db: &Connection, org: OrgId, now: Timestamp) -> Result<Vec<MemberToken>> {
    let mut list = db.prepare_cached(
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
            u.name collate nocase,
            u.id,
            t.created_at desc,
            t.id desc",
    )?;
    let rows = list.query_and_then(
        params![org.as_uuid().as_bytes(), now.as_microsecond()],
        member_token,
    )?;
    rows.collect()
}

fn shut_out_token(
    db: &Connection,
    org: OrgId,
    actor: UserId,
    token: TokenId,
    now: Timestamp,
) -> Result<Answer<(), Refused>> {
    let actor = organizations::require_member(db, org, actor)?;
    let Some(holder) = find_holder(db, org, token)? else {
        return Err(Error::NotFound { what: "token" });
    };
    if let Err(refused) = check_shut_out(actor.role, holder) {
        return Ok(Err(refused));
    }
    db.prepare_cached(
        "insert into shut_out_tokens (org_id, token_id, created_at)
        values ($1, $2, $3)
        on conflict do nothing",
    )?
    .execute(params![
        org.as_uuid().as_bytes(),
        token.as_uuid().as_bytes(),
        now.as_microsecond(),
    ])?;
    Ok(Ok(()))
}

/// The role of the member whose token it is.
fn find_holder(db: &Connection, org: OrgId, token: TokenId) -> Result<Option<Role>> {
    let mut find = db.prepare_cached(
        "select m.role
        from tokens t
        join members m on m.user_id = t.user_id
        where m.org_id = $1
          and t.id = $2",
    )?;
    let mut found = find.query_and_then(
        [org.as_uuid().as_bytes(), token.as_uuid().as_bytes()],
        |row| Columns::new("members", row).parse("role"),
    )?;
    found.next().transpose()
}

/// The token of an organization with this secret, if it lives.
pub(super) fn find_token(
    db: &Connection,
    secret: &SecretHash,
    now: Timestamp,
) -> Result<Option<FoundToken>> {
    let mut find = db.prepare_cached(
        "select t.id, t.org_id, t.scopes, t.last_used_at
        from org_tokens t
        join organizations o on o.id = t.org_id
        where t.secret_hash = $1
          and t.expires_at > $2
          and o.deleted_at is null",
    )?;
    let mut found = find.query_and_then(params![secret, now.as_microsecond()], |row| {
        let columns = Columns::new("org_tokens", row);
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
    })?;
    found.next().transpose()
}

fn org_token(row: &Row<'_>) -> Result<OrgToken> {
    let columns = Columns::new("org_tokens", row);
    let creator = match columns.get::<Option<[u8; 16]>>("creator_id")? {
        Some(_) => Some(Creator {
            user: UserId::new(columns.uuid("creator_id")?),
            name: columns.get("creator_name")?,
            role: match columns.get::<Option<String>>("creator_role")? {
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

fn member_token(row: &Row<'_>) -> Result<MemberToken> {
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
