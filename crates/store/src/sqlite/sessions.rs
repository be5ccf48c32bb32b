//! Browser sessions.

use async_trait::async_trait;
use rusqlite::{Connection, params};

use super::SqliteStore;
use crate::Result;
use crate::access::SecretHash;
use crate::sessions::{NewSession, Sessions};

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
}

fn create_session(db: &Connection, session: &NewSession) -> Result<()> {
    db.prepare_cached(
        "insert into sessions
            (secret_hash, user_id, user_agent, authenticated_at, created_at, expires_at)
        values ($1, $2, $3, $4, $4, $5)",
    )?
    .execute(params![
        session.secret,
        session.user.as_uuid().as_bytes(),
        session.user_agent,
        session.now.as_microsecond(),
        session.expires_at.as_microsecond(),
    ])?;
    Ok(())
}

fn delete_session(db: &Connection, secret: &SecretHash) -> Result<()> {
    db.prepare_cached("delete from sessions where secret_hash = $1")?
        .execute([secret])?;
    Ok(())
}
