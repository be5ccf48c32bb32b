//! Personal API tokens.

use async_trait::async_trait;
use copal_model::{OrgId, Timestamp, TokenId, UserId};
use tokio_postgres::Row;

use super::{Columns, PostgresStore, Tx, count, execute, find, list, users};
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
impl Tokens for PostgresStore {
    async fn create_token(&self, token: Token, secret: SecretHash) -> Result<()> {
        self.engine
            .write(move |tx| {
                let token = token.clone();
                Box::pin(async move { create_token(tx, &token, secret).await })
            })
            .await
    }

    async fn list_tokens(&self, user: UserId) -> Result<Vec<Token>> {
        self.engine
            .ask(move |tx| Box::pin(list_tokens(tx, user)))
            .await
    }

    async fn delete_token(&self, user: UserId, token: TokenId) -> Result<()> {
        self.engine
            .write(move |tx| Box::pin(delete_token(tx, user, token)))
            .await
    }
}

async fn create_token(tx: &Tx<'_>, token: &Token, secret: SecretHash) -> Result<()> {
    // Locked: nobody makes another one for this user between the count and the commit.
    find(
        tx,
        "select 1 from users where id = $1 for no key update",
        &[&token.user.as_uuid()],
    )
    .await?;
    let count = count(
        tx,
        "select count(*) from tokens where user_id = $1",
        &[&token.user.as_uuid()],
    )
    .await?;
    require_room(count)?;
    execute(
        tx,
        "insert into tokens
            (id, user_id, name, prefix, secret_hash, scopes, created_at, last_used_at, expires_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        &[
            &token.id.as_uuid(),
            &token.user.as_uuid(),
            &token.name,
            &token.prefix,
            &&secret[..],
            &join_scopes(token.scopes.as_ref()),
            &token.created_at.as_microsecond(),
            &token.last_used_at.map(Timestamp::as_microsecond),
            &token.expires_at.map(Timestamp::as_microsecond),
        ],
    )
    .await?;
    Ok(())
}

async fn list_tokens(tx: &Tx<'_>, user: UserId) -> Result<Vec<Token>> {
    let rows = list(
        tx,
        "select id, user_id, name, prefix, scopes, created_at, last_used_at, expires_at
        from tokens
        where user_id = $1
        order by created_at desc, id desc",
        &[&user.as_uuid()],
    )
    .await?;
    rows.iter().map(token).collect()
}

async fn delete_token(tx: &Tx<'_>, user: UserId, token: TokenId) -> Result<()> {
    let deleted = execute(
        tx,
        "delete from tokens where user_id = $1 and id = $2",
        &[&user.as_uuid(), &token.as_uuid()],
    )
    .await?;
    match deleted {
        0 => Err(Error::NotFound { what: "token" }),
        _ => Ok(()),
    }
}

/// The personal token with this secret, if it lives.
pub(super) async fn find_token(
    tx: &Tx<'_>,
    secret: SecretHash,
    now: Timestamp,
) -> Result<Option<FoundToken>> {
    let found = find(
        tx,
        &format!(
            "select {}, t.id, t.scopes, t.last_used_at
            from tokens t
            join users u on u.id = t.user_id
            where t.secret_hash = $1
              and (t.expires_at is null or t.expires_at > $2)",
            users::COLUMNS
        ),
        &[&&secret[..], &now.as_microsecond()],
    )
    .await?;
    let Some(row) = found else {
        return Ok(None);
    };
    let columns = Columns::new("tokens", &row);
    let id = TokenId::new(columns.uuid("id")?);
    Ok(Some(FoundToken {
        id,
        bearer: Bearer::Person(Principal {
            user: users::user(&row)?,
            credential: Credential::Token {
                id,
                scopes: scopes(&columns)?,
                shut_out: list_shut_out(tx, id).await?,
            },
        }),
        last_used_at: columns.optional_time("last_used_at")?,
    }))
}

async fn list_shut_out(tx: &Tx<'_>, token: TokenId) -> Result<Vec<OrgId>> {
    let rows = list(
        tx,
        "select org_id
        from shut_out_tokens
        where token_id = $1",
        &[&token.as_uuid()],
    )
    .await?;
    rows.iter()
        .map(|row| {
            let columns = Columns::new("shut_out_tokens", row);
            columns.uuid("org_id").map(OrgId::new)
        })
        .collect()
}

fn token(row: &Row) -> Result<Token> {
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
    Ok(split_scopes(columns.get("scopes")?))
}

/// Notes the minute in which a token of a person or an organization was used.
pub(super) async fn note_use(tx: &Tx<'_>, token: TokenId, minute: Timestamp) -> Result<()> {
    // In one of the two: ids are unique among all tokens.
    for statement in [
        "update tokens
        set last_used_at = greatest(last_used_at, $1)
        where id = $2",
        "update org_tokens
        set last_used_at = greatest(last_used_at, $1)
        where id = $2",
    ] {
        execute(tx, statement, &[&minute.as_microsecond(), &token.as_uuid()]).await?;
    }
    Ok(())
}
