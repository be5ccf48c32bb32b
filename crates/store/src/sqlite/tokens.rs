//! Personal API tokens.

use async_trait::async_trait;
use copal_model::{OrgId, Timestamp, TokenId, UserId};
use rusqlite::{Connection, Row, params};

use super::{Columns, SqliteStore, users};
use crate::access::{Bearer, Credential, Principal, SecretHash};
use crate::tokens::{Token, Tokens, join_scopes, require_room, split_scopes};
use crate::{Error, Result};

/// A token that lives, and when it was last used.
pub(super) struct FoundToken {
    pub(super) id: TokenId,
    pub(super) bearer: Bearer,
    pub(super) last_used_at: Option<Timestamp>,
}

#[async_trait]
impl Tokens for SqliteStore {
    async fn create_token(&self, token: Token, secret: SecretHash) -> Result<()> {
        self.engine
            .write(move |db| create_token(db, &token, &secret))
            .await
    }

    async fn list_tokens(&self, user: UserId) -> Result<Vec<Token>> {
        self.engine.read(move |db| list_tokens(db, user)).await
    }

    async fn delete_token(&self, user: UserId, token: TokenId) -> Result<()> {
        self.engine
            .write(move |db| delete_token(db, user, token))
            .await
    }
}

fn create_token(db: &Connection, token: &Token, secret: &SecretHash) -> Result<()> {
    let count: u64 = db
        .prepare_cached("select count(*) from tokens where user_id = $1")?
        .query_row([token.user.as_uuid().as_bytes()], |row| row.get(0))?;
    require_room(count)?;
    db.prepare_cached(
        "insert into tokens
            (id, user_id, name, prefix, secret_hash, scopes, created_at, last_used_at, expires_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )?
    .execute(params![
        token.id.as_uuid().as_bytes(),
        token.user.as_uuid().as_bytes(),
        token.name,
        token.prefix,
        secret,
        join_scopes(token.scopes.as_ref()),
        token.created_at.as_microsecond(),
        token.last_used_at.map(Timestamp::as_microsecond),
        token.expires_at.map(Timestamp::as_microsecond),
    ])?;
    Ok(())
}

fn list_tokens(db: &Connection, user: UserId) -> Result<Vec<Token>> {
    let mut list = db.prepare_cached(
        "select id, user_id, name, prefix, scopes, created_at, last_used_at, expires_at
        from tokens
        where user_id = $1
        order by created_at desc, id desc",
    )?;
    let rows = list.query_and_then([user.as_uuid().as_bytes()], token)?;
    rows.collect()
}

fn delete_token(db: &Connection, user: UserId, token: TokenId) -> Result<()> {
    let deleted = db
        .prepare_cached("delete from tokens where user_id = $1 and id = $2")?
        .execute([user.as_uuid().as_bytes(), token.as_uuid().as_bytes()])?;
    match deleted {
        0 => Err(Error::NotFound { what: "token" }),
        _ => Ok(()),
    }
}

/// The personal token with this secret, if it lives.
pub(super) fn find_token(
    db: &Connection,
    secret: &SecretHash,
    now: Timestamp,
) -> Result<Option<FoundToken>> {
    let mut find = db.prepare_cached(&format!(
        "select {}, t.id, t.scopes, t.last_used_at
        from tokens t
        join users u on u.id = t.user_id
        where t.secret_hash = $1
          and (t.expires_at is null or t.expires_at > $2)",
        users::COLUMNS
    ))?;
    let mut found = find.query_and_then(params![secret, now.as_microsecond()], |row| {
        let columns = Columns::new("tokens", row);
        let id = TokenId::new(columns.uuid("id")?);
        Ok(FoundToken {
            id,
            bearer: Bearer::Person(Principal {
                user: users::user(row)?,
                credential: Credential::Token {
                    id,
                    scopes: scopes(&columns)?,
                    shut_out: list_shut_out(db, id)?,
                },
            }),
            last_used_at: columns.optional_time("last_used_at")?,
        })
    })?;
    found.next().transpose()
}

fn list_shut_out(db: &Connection, token: TokenId) -> Result<Vec<OrgId>> {
    let mut list = db.prepare_cached(
        "select org_id
        from shut_out_tokens
        where token_id = $1",
    )?;
    let rows = list.query_and_then([token.as_uuid().as_bytes()], |row| {
        let columns = Columns::new("shut_out_tokens", row);
        columns.uuid("org_id").map(OrgId::new)
    })?;
    rows.collect()
}

fn token(row: &Row<'_>) -> Result<Token> {
    let columns = Columns::new("tokens", row);
    Ok(Token {
        id: TokenId::new(columns.uuid("id")?),
        user: UserId::new(columns.uuid("user_id")?),
        name: columns.get("name")?,
        prefix: columns.get("prefix")?,
        scopes: scopes(&columns)?,
        created_at: columns.time("created_at")?,
        last_used_at: columns.optional_time("last_used_at")?,
        expires_at: columns.optional_time("expires_at")?,
    })
}

/// The scopes a token is narrowed to.
pub(super) fn scopes(columns: &Columns<'_>) -> Result<Option<Vec<String>>> {
    let stored: Option<String> = columns.get("scopes")?;
    Ok(split_scopes(stored.as_deref()))
}

/// Notes the minute in which a token of a person or an organization was used.
pub(super) fn note_use(db: &Connection, token: TokenId, minute: Timestamp) -> Result<()> {
    // In one of the two: ids are unique among all tokens.
    for statement in [
        "update tokens
        set last_used_at = $1
        where id = $2",
        "update org_tokens
        set last_used_at = $1
        where id = $2",
    ] {
        db.prepare_cached(statement)?
            .execute(params![minute.as_microsecond(), token.as_uuid().as_bytes()])?;
    }
    Ok(())
}
