//! Browser sessions.

use async_trait::async_trait;
use copal_model::{Timestamp, UserId};
use rusqlite::{Connection, params};

use super::{Columns, SqliteStore, users};
use crate::access::{Credential, Principal, SecretHash};
use crate::sessions::{NewSession, Session, SessionId, Sessions, to_the_hour};
use crate::{Error, Result};

#[async_trait]
impl Sessions for SqliteStore {
    async fn create_session(
        &self,
        session: NewSession,
        replaces: Option<SecretHash>,
    ) -> Result<()> {
        self.engine
            .write(move |db| {
                if let Some(old) = &replaces {
                    delete_session(db, old)?;
                }
                create_session(db, &session)
            })
            .await
    }

    async fn delete_session(&self, secret: &SecretHash) -> Result<()> {
        let secret = *secret;
        self.engine
            .write(move |db| delete_session(db, &secret))
            .await
    }

    async fn list_sessions(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>> {
        self.engine
            .read(move |db| list_sessions(db, user, now))
            .await
    }

    async fn end_session(&self, user: UserId, session: SessionId) -> Result<()> {
        self.engine
            .write(move |db| end_session(db, user, session))
            .await
    }

    async fn end_other_sessions(&self, user: UserId, kept: Option<SecretHash>) -> Result<u64> {
        self.engine
            .write(move |db| end_other_sessions(db, user, kept))
            .await
    }
}

fn create_session(db: &Connection, session: &NewSession) -> Result<()> {
    db.prepare_cached(
        "insert into sessions
            (secret_hash, user_id, user_agent, authenticated_at, created_at, expires_at,
            last_seen_at)
        values ($1, $2, $3, $4, $4, $5, $6)",
    )?
    .execute(params![
        session.secret,
        session.user.as_uuid().as_bytes(),
        session.user_agent,
        session.now.as_microsecond(),
        session.expires_at.as_microsecond(),
        to_the_hour(session.now).as_microsecond(),
    ])?;
    Ok(())
}

fn delete_session(db: &Connection, secret: &SecretHash) -> Result<()> {
    db.prepare_cached("delete from sessions where secret_hash = $1")?
        .execute([secret])?;
    Ok(())
}

fn list_sessions(db: &Connection, user: UserId, now: Timestamp) -> Result<Vec<Session>> {
    let mut list = db.prepare_cached(
        "select secret_hash, user_agent, created_at,
            coalesce(last_seen_at, created_at) as last_seen_at, expires_at
        from sessions
        where user_id = $1
          and expires_at > $2
        order by coalesce(last_seen_at, created_at) desc, created_at desc, secret_hash",
    )?;
    let rows = list.query_and_then(
        params![user.as_uuid().as_bytes(), now.as_microsecond()],
        |row| {
            let columns = Columns::new("sessions", row);
            Ok(Session {
                id: SessionId::of(&columns.get("secret_hash")?),
                user_agent: columns.get("user_agent")?,
                created_at: columns.time("created_at")?,
                last_seen_at: columns.time("last_seen_at")?,
                expires_at: columns.time("expires_at")?,
            })
        },
    )?;
    rows.collect()
}

fn end_session(db: &Connection, user: UserId, session: SessionId) -> Result<()> {
    let ended = db
        .prepare_cached(
            "delete from sessions
            where user_id = $1
              and substr(secret_hash, 1, 16) = $2",
        )?
        .execute(params![user.as_uuid().as_bytes(), session.bytes()])?;
    match ended {
        0 => Err(Error::NotFound { what: "session" }),
        _ => Ok(()),
    }
}

/// Ends all sessions of a user but one.
pub(super) fn end_other_sessions(
    db: &Connection,
    user: UserId,
    kept: Option<SecretHash>,
) -> Result<u64> {
    let ended = db
        .prepare_cached(
            "delete from sessions
            where user_id = $1
              and ($2 is null or secret_hash <> $2)",
        )?
        .execute(params![user.as_uuid().as_bytes(), kept])?;
    Ok(ended as u64)
}

/// Whom the session with this secret speaks for, if it lives, and when it was last seen.
pub(super) fn find_session(
    db: &Connection,
    secret: &SecretHash,
    now: Timestamp,
) -> Result<Option<(Principal, Timestamp)>> {
    let mut find = db.prepare_cached(&format!(
        "select {}, s.authenticated_at, s.expires_at,
            coalesce(s.last_seen_at, s.created_at) as last_seen_at
        from sessions s
        join users u on u.id = s.user_id
        where s.secret_hash = $1
          and s.expires_at > $2",
        users::COLUMNS
    ))?;
    let mut found = find.query_and_then(params![secret, now.as_microsecond()], |row| {
        let columns = Columns::new("sessions", row);
        let principal = Principal {
            user: users::user(row)?,
            credential: Credential::Session {
                hash: *secret,
                authenticated_at: columns.time("authenticated_at")?,
                expires_at: columns.time("expires_at")?,
            },
        };
        Ok((principal, columns.time("last_seen_at")?))
    })?;
    found.next().transpose()
}

/// Notes that a session was used.
pub(super) fn note_seen(db: &Connection, secret: &SecretHash, hour: Timestamp) -> Result<()> {
    db.prepare_cached(
        "update sessions
        set last_seen_at = max(coalesce(last_seen_at, 0), $1)
        where secret_hash = $2",
    )?
    .execute(params![hour.as_microsecond(), secret])?;
    Ok(())
}
