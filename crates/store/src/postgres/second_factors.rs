//! Second factors, and log-ins that wait for them.

use async_trait::async_trait;
use copal_model::totp::{SECRET_BYTES, TotpSecret};
use copal_model::{Timestamp, User, UserId};

use super::{Columns, PostgresStore, Tx, execute, find, users};
use crate::access::SecretHash;
use crate::invitations::Answer;
use crate::second_factors::{
    NewLogInStep, NotProven, SecondFactor, SecondFactors, Shown, Stored, Tried,
};
use crate::{Error, Result};

#[async_trait]
impl SecondFactors for PostgresStore {
    async fn find_second_factor(&self, user: UserId) -> Result<Option<SecondFactor>> {
        self.engine
            .read(move |tx| Box::pin(find_second_factor(tx, user)))
            .await
    }

    async fn begin_second_factor(
        &self,
        user: UserId,
        secret: TotpSecret,
        now: Timestamp,
    ) -> Result<()> {
        self.engine
            .write(move |tx| Box::pin(begin_second_factor(tx, user, secret, now)))
            .await
    }

    async fn confirm_second_factor(
        &self,
        user: UserId,
        code: String,
        recovery_codes: Vec<SecretHash>,
        now: Timestamp,
    ) -> Result<Answer<(), NotProven>> {
        self.engine
            .write(move |tx| {
                let (code, codes) = (code.clone(), recovery_codes.clone());
                Box::pin(async move { confirm_second_factor(tx, user, &code, &codes, now).await })
            })
            .await
    }

    async fn prove_second_factor(
        &self,
        user: UserId,
        shown: Shown,
        now: Timestamp,
    ) -> Result<Answer<(), NotProven>> {
        self.engine
            .write(move |tx| {
                let shown = shown.clone();
                Box::pin(async move { prove_second_factor(tx, user, &shown, now).await })
            })
            .await
    }

    async fn replace_recovery_codes(
        &self,
        user: UserId,
        recovery_codes: Vec<SecretHash>,
    ) -> Result<()> {
        self.engine
            .write(move |tx| {
                let codes = recovery_codes.clone();
                Box::pin(async move {
                    stored(tx, user)
                        .await?
                        .filter(|stored| stored.is_confirmed)
                        .ok_or(MISSING)?;
                    replace_recovery_codes(tx, user, &codes).await
                })
            })
            .await
    }

    async fn remove_second_factor(&self, user: UserId) -> Result<()> {
        self.engine
            .write(move |tx| Box::pin(remove_second_factor(tx, user)))
            .await
    }

    async fn create_log_in_step(&self, step: NewLogInStep) -> Result<()> {
        self.engine
            .write(move |tx| {
                let step = step.clone();
                Box::pin(async move { create_log_in_step(tx, &step).await })
            })
            .await
    }

    async fn find_log_in_step(&self, secret: &SecretHash, now: Timestamp) -> Result<Option<User>> {
        let secret = *secret;
        self.engine
            .read(move |tx| Box::pin(find_log_in_step(tx, secret, now)))
            .await
    }

    async fn delete_log_in_step(&self, secret: &SecretHash) -> Result<()> {
        let secret = *secret;
        self.engine
            .write(move |tx| Box::pin(delete_log_in_step(tx, secret)))
            .await
    }
}

/// There is none.
const MISSING: Error = Error::NotFound {
    what: "second factor",
};

async fn find_second_factor(tx: &Tx<'_>, user: UserId) -> Result<Option<SecondFactor>> {
    let found = find(
        tx,
        "select user_id, secret, confirmed_at,
            (select count(*) from recovery_codes r where r.user_id = f.user_id) as left_count
        from second_factors f
        where user_id = $1",
        &[&user.as_uuid()],
    )
    .await?;
    let factor = found.map(|row| {
        let columns = Columns::new("second_factors", &row);
        Ok(SecondFactor {
            secret: secret(&columns)?,
            confirmed_at: columns.optional_time("confirmed_at")?,
            recovery_codes_left: columns.count("left_count")?,
        })
    });
    factor.transpose()
}

async fn begin_second_factor(
    tx: &Tx<'_>,
    user: UserId,
    secret: TotpSecret,
    now: Timestamp,
) -> Result<()> {
    let begun = execute(
        tx,
        "insert into second_factors (user_id, secret, tries_full_at, created_at)
        values ($1, $2, $3, $3)
        on conflict (user_id) do update
        set secret = excluded.secret
        where second_factors.confirmed_at is null",
        &[
            &user.as_uuid(),
            &&secret.as_bytes()[..],
            &now.as_microsecond(),
        ],
    )
    .await?;
    match begun {
        0 => Err(Error::Conflict {
            what: "second factor",
        }),
        _ => Ok(()),
    }
}

async fn confirm_second_factor(
    tx: &Tx<'_>,
    user: UserId,
    code: &str,
    recovery_codes: &[SecretHash],
    now: Timestamp,
) -> Result<Answer<(), NotProven>> {
    let stored = stored(tx, user)
        .await?
        .filter(|stored| !stored.is_confirmed)
        .ok_or(MISSING)?;
    let tried = stored.try_code(code, now);
    note(tx, user, tried).await?;
    if tried.answer.is_ok() {
        execute(
            tx,
            "update second_factors set confirmed_at = $1 where user_id = $2",
            &[&now.as_microsecond(), &user.as_uuid()],
        )
        .await?;
        replace_recovery_codes(tx, user, recovery_codes).await?;
    }
    Ok(tried.answer)
}

async fn prove_second_factor(
    tx: &Tx<'_>,
    user: UserId,
    shown: &Shown,
    now: Timestamp,
) -> Result<Answer<(), NotProven>> {
    let stored = stored(tx, user)
        .await?
        .filter(|stored| stored.is_confirmed)
        .ok_or(MISSING)?;
    let tried = match shown {
        Shown::Code(code) => stored.try_code(code, now),
        Shown::Recovery(code) => stored.judge(has_recovery_code(tx, user, code).await?, now),
    };
    note(tx, user, tried).await?;
    if let (Shown::Recovery(code), Ok(())) = (shown, tried.answer) {
        execute(
            tx,
            "delete from recovery_codes where user_id = $1 and code_hash = $2",
            &[&user.as_uuid(), &&code[..]],
        )
        .await?;
    }
    Ok(tried.answer)
}

async fn replace_recovery_codes(tx: &Tx<'_>, user: UserId, codes: &[SecretHash]) -> Result<()> {
    execute(
        tx,
        "delete from recovery_codes where user_id = $1",
        &[&user.as_uuid()],
    )
    .await?;
    let codes: Vec<&[u8]> = codes.iter().map(|code| &code[..]).collect();
    execute(
        tx,
        "insert into recovery_codes (user_id, code_hash)
        select $1, unnest($2::bytea[])",
        &[&user.as_uuid(), &codes],
    )
    .await?;
    Ok(())
}

async fn remove_second_factor(tx: &Tx<'_>, user: UserId) -> Result<()> {
    execute(
        tx,
        "delete from second_factors where user_id = $1",
        &[&user.as_uuid()],
    )
    .await?;
    Ok(())
}

async fn create_log_in_step(tx: &Tx<'_>, step: &NewLogInStep) -> Result<()> {
    execute(
        tx,
        "insert into log_in_steps (secret_hash, user_id, expires_at)
        values ($1, $2, $3)",
        &[
            &&step.secret[..],
            &step.user.as_uuid(),
            &step.expires_at.as_microsecond(),
        ],
    )
    .await?;
    Ok(())
}

async fn find_log_in_step(tx: &Tx<'_>, secret: SecretHash, now: Timestamp) -> Result<Option<User>> {
    let found = find(
        tx,
        &format!(
            "select {}
            from log_in_steps s
            join users u on u.id = s.user_id
            where s.secret_hash = $1
              and s.expires_at > $2",
            users::COLUMNS
        ),
        &[&&secret[..], &now.as_microsecond()],
    )
    .await?;
    found.as_ref().map(users::user).transpose()
}

async fn delete_log_in_step(tx: &Tx<'_>, secret: SecretHash) -> Result<()> {
    execute(
        tx,
        "delete from log_in_steps where secret_hash = $1",
        &[&&secret[..]],
    )
    .await?;
    Ok(())
}

async fn stored(tx: &Tx<'_>, user: UserId) -> Result<Option<Stored>> {
    // Locked: one try after the other, so that each sees what the one before it took.
    let found = find(
        tx,
        "select user_id, secret, confirmed_at is not null as is_confirmed, last_step,
            tries_full_at
        from second_factors
        where user_id = $1
        for no key update",
        &[&user.as_uuid()],
    )
    .await?;
    let stored = found.map(|row| {
        let columns = Columns::new("second_factors", &row);
        Ok(Stored {
            secret: secret(&columns)?,
            is_confirmed: columns.get("is_confirmed")?,
            last_step: columns.get("last_step")?,
            tries_full_at: columns.time("tries_full_at")?,
        })
    });
    stored.transpose()
}

async fn note(tx: &Tx<'_>, user: UserId, tried: Tried) -> Result<()> {
    execute(
        tx,
        "update second_factors
        set last_step = $1, tries_full_at = $2
        where user_id = $3",
        &[
            &tried.last_step,
            &tried.tries_full_at.as_microsecond(),
            &user.as_uuid(),
        ],
    )
    .await?;
    Ok(())
}

async fn has_recovery_code(tx: &Tx<'_>, user: UserId, code: &SecretHash) -> Result<bool> {
    let found = find(
        tx,
        "select 1 from recovery_codes where user_id = $1 and code_hash = $2",
        &[&user.as_uuid(), &&code[..]],
    )
    .await?;
    Ok(found.is_some())
}

fn secret(columns: &Columns<'_>) -> Result<TotpSecret> {
    let bytes = columns.read("secret", |bytes: &[u8]| {
        <[u8; SECRET_BYTES]>::try_from(bytes)
    })?;
    Ok(TotpSecret::from_bytes(bytes))
}
