//! Browser sessions.

use async_trait::async_trait;

use super::{PostgresStore, Tx, execute};
use crate::Result;
use crate::access::SecretHash;
use crate::sessions::{NewSession, Sessions};

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
}

async fn create_session(tx: &Tx<'_>, session: &NewSession) -> Result<()> {
    execute(
        tx,
        "insert into sessions
            (secret_hash, user_id, user_agent, authenticated_at, created_at, expires_at)
        values ($1, $2, $3, $4, $4, $5)",
        &[
            &&session.secret[..],
            &session.user.as_uuid(),
            &session.user_agent,
            &session.now.as_microsecond(),
            &session.expires_at.as_microsecond(),
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
