//! Browser sessions.

use async_trait::async_trait;
use copal_model::{Timestamp, UserId};

use super::{Columns, PostgresStore, Tx, execute, find, list, users};
use crate::access::{Credential, Principal, SecretHash};
use crate::sessions::{NewSession, Session, SessionId, Sessions, to_the_hour};
use crate::{Error, Result};

#[async_trait]
impl Sessions for PostgresStore {
    async fn create_session(
        &self,
        session: NewSession,
        replaces: Option<SecretHash>,
    ) -> Result<()> {
        self.engine
            .write(move |tx| {
                let session = session.clone();
                Box::pin(async move {
                    if let Some(old) = replaces {
                        delete_session(tx, old).await?;
                    }
                    create_session(tx, &session).await
                })
            })
            .await
    }

    async fn delete_session(&self, secret: &SecretHash) -> Result<()> {
        let secret = *secret;
        self.engine
            .write(move |tx| Box::pin(delete_session(tx, secret)))
            .await
    }

    async fn list_sessions(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>> {
        self.engine
            .read(move |tx| Box::pin(list_sessions(tx, user, now)))
            .await
    }

    async fn end_session(&self, user: UserId, session: SessionId) -> Result<()> {
        self.engine
            .write(move |tx| Box::pin(end_session(tx, user, session)))
            .await
    }

    async fn end_other_sessions(&self, user: UserId, kept: Option<SecretHash>) -> Result<u64> {
        self.engine
            .write(move |tx| Box::pin(end_other_sessions(tx, user, kept)))
            .await
    }
}

async fn create_session(tx: &Tx<'_>, session: &NewSession) -> Result<()> {
    execute(
        tx,
        "insert into sessions
            (secret_hash, user_id, user_agent, authenticated_at, created_at, expires_at,
            last_seen_at)
        values ($1, $2, $3, $4, $4, $5, $6)",
        &[
            &&session.secret[..],
            &session.user.as_uuid(),
            &session.user_agent,
            &session.now.as_microsecond(),
            &session.expires_at.as_microsecond(),
            &to_the_hour(session.now).as_microsecond(),
        ],
    )
    .await?;
    Ok(())
}

async fn delete_session(tx: &Tx<'_>, secret: SecretHash) -> Result<()> {
    execute(
        tx,
        "delete from sessions where secret_hash = $1",
        &[&&secret[..]],
    )
    .await?;
    Ok(())
}

async fn list_sessions(tx: &Tx<'_>, user: UserId, now: Timestamp) -> Result<Vec<Session>> {
    let rows = list(
        tx,
        "select secret_hash, user_agent, created_at,
            coalesce(last_seen_at, created_at) as last_seen_at, expires_at
        from sessions
        where user_id = $1
          and expires_at > $2
        order by coalesce(last_seen_at, created_at) desc, created_at desc, secret_hash",
        &[&user.as_uuid(), &now.as_microsecond()],
    )
    .await?;
    rows.iter()
        .map(|row| {
            let columns = Columns::new("sessions", row);
            let secret = columns.read("secret_hash", |bytes: &[u8]| SecretHash::try_from(bytes))?;
            Ok(Session {
                id: SessionId::of(&secret),
                user_agent: columns.get("user_agent")?,
                created_at: columns.time("created_at")?,
                last_seen_at: columns.time("last_seen_at")?,
                expires_at: columns.time("expires_at")?,
            })
        })
        .collect()
}

async fn end_session(tx: &Tx<'_>, user: UserId, session: SessionId) -> Result<()> {
    let ended = execute(
        tx,
        "delete from sessions
        where user_id = $1
          and substr(secret_hash, 1, 16) = $2",
        &[&user.as_uuid(), &session.bytes()],
    )
    .await?;
    match ended {
        0 => Err(Error::NotFound { what: "session" }),
        _ => Ok(()),
    }
}

/// Ends all sessions of a user but one.
pub(super) async fn end_other_sessions(
    tx: &Tx<'_>,
    user: UserId,
    kept: Option<SecretHash>,
) -> Result<u64> {
    execute(
        tx,
        "delete from sessions
        where user_id = $1
          and ($2::bytea is null or secret_hash <> $2)",
        &[&user.as_uuid(), &kept.as_ref().map(|secret| &secret[..])],
    )
    .await
}

/// Whom the session with this secret speaks for, if it lives, and when it was last seen.
pub(super) async fn find_session(
    tx: &Tx<'_>,
    secret: SecretHash,
    now: Timestamp,
) -> Result<Option<(Principal, Timestamp)>> {
    let found = find(
        tx,
        &format!(
            "select {}, s.authenticated_at, s.expires_at,
                coalesce(s.last_seen_at, s.created_at) as last_seen_at
            from sessions s
            join users u on u.id = s.user_id
            where s.secret_hash = $1
              and s.expires_at > $2",
            users::COLUMNS
        ),
        &[&&secret[..], &now.as_microsecond()],
    )
    .await?;
    let principal = found.map(|row| {
        let columns = Columns::new("sessions", &row);
        let principal = Principal {
            user: users::user(&row)?,
            credential: Credential::Session {
                hash: secret,
                authenticated_at: columns.time("authenticated_at")?,
                expires_at: columns.time("expires_at")?,
            },
        };
        Ok((principal, columns.time("last_seen_at")?))
    });
    principal.transpose()
}

/// Notes that a session was used.
pub(super) async fn note_seen(tx: &Tx<'_>, secret: SecretHash, hour: Timestamp) -> Result<()> {
    execute(
        tx,
        "update sessions
        set last_seen_at = greatest(last_seen_at, $1)
        where secret_hash = $2",
        &[&hour.as_microsecond(), &&secret[..]],
    )
    .await?;
    Ok(())
}
