//! Second factors, and log-ins that wait for them.

use async_trait::async_trait;
use copal_model::totp::TotpSecret;
use copal_model::{Timestamp, User, UserId};
use rusqlite::{Connection, params};

use super::{Columns, SqliteStore, users};
use crate::access::SecretHash;
use crate::invitations::Answer;
use crate::second_factors::{
    NewLogInStep, NotProven, SecondFactor, SecondFactors, Shown, Stored, Tried,
};
use crate::{Error, Result};

#[async_trait]
impl SecondFactors for SqliteStore {
    async fn find_second_factor(&self, user: UserId) -> Result<Option<SecondFactor>> {
        self.engine
            .read(move |db| find_second_factor(db, user))
            .await
    }

    async fn begin_second_factor(
        &self,
        user: UserId,
        secret: TotpSecret,
        now: Timestamp,
    ) -> Result<()> {
        self.engine
            .write(move |db| begin_second_factor(db, user, secret, now))
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
            .write(move |db| confirm_second_factor(db, user, &code, &recovery_codes, now))
            .await
    }

    async fn prove_second_factor(
        &self,
        user: UserId,
        shown: Shown,
        now: Timestamp,
    ) -> Result<Answer<(), NotProven>> {
        self.engine
            .write(move |db| prove_second_factor(db, user, &shown, now))
            .await
    }

    async fn replace_recovery_codes(
        &self,
        user: UserId,
        recovery_codes: Vec<SecretHash>,
    ) -> Result<()> {
        self.engine
            .write(move |db| {
                stored(db, user)?
                    .filter(|stored| stored.is_confirmed)
                    .ok_or(MISSING)?;
                replace_recovery_codes(db, user, &recovery_codes)
            })
            .await
    }

    async fn remove_second_factor(&self, user: UserId) -> Result<()> {
        self.engine
            .write(move |db| remove_second_factor(db, user))
            .await
    }

    async fn create_log_in_step(&self, step: NewLogInStep) -> Result<()> {
        self.engine
            .write(move |db| create_log_in_step(db, &step))
            .await
    }

    async fn find_log_in_step(&self, secret: &SecretHash, now: Timestamp) -> Result<Option<User>> {
        let secret = *secret;
        self.engine
            .read(move |db| find_log_in_step(db, &secret, now))
            .await
    }

    async fn delete_log_in_step(&self, secret: &SecretHash) -> Result<()> {
        let secret = *secret;
        self.engine
            .write(move |db| delete_log_in_step(db, &secret))
            .await
    }
}

/// There is none.
const MISSING: Error = Error::NotFound {
    what: "second factor",
};

fn find_second_factor(db: &Connection, user: UserId) -> Result<Option<SecondFactor>> {
    let mut find = db.prepare_cached(
        "select user_id, secret, confirmed_at,
            (select count(*) from recovery_codes r where r.user_id = f.user_id) as left_count
        from second_factors f
        where user_id = $1",
    )?;
    let mut found = find.query_and_then([user.as_uuid().as_bytes()], |row| {
        let columns = Columns::new("second_factors", row);
        Ok(SecondFactor {
            secret: TotpSecret::from_bytes(columns.get("secret")?),
            confirmed_at: columns.optional_time("confirmed_at")?,
            recovery_codes_left: columns.count("left_count")?,
        })
    })?;
    found.next().transpose()
}

fn begin_second_factor(
    db: &Connection,
    user: UserId,
    secret: TotpSecret,
    now: Timestamp,
) -> Result<()> {
    let begun = db
        .prepare_cached(
            "insert into second_factors (user_id, secret, tries_full_at, created_at)
            values ($1, $2, $3, $3)
            on conflict (user_id) do update
            set secret = excluded.secret
            where confirmed_at is null",
        )?
        .execute(params![
            user.as_uuid().as_bytes(),
            secret.as_bytes(),
            now.as_microsecond(),
        ])?;
    match begun {
        0 => Err(Error::Conflict {
            what: "second factor",
        }),
        _ => Ok(()),
    }
}

fn confirm_second_factor(
    db: &Connection,
    user: UserId,
    code: &str,
    recovery_codes: &[SecretHash],
    now: Timestamp,
) -> Result<Answer<(), NotProven>> {
    let stored = stored(db, user)?
        .filter(|stored| !stored.is_confirmed)
        .ok_or(MISSING)?;
    let tried = stored.try_code(code, now);
    note(db, user, tried)?;
    if tried.answer.is_ok() {
        db.prepare_cached("update second_factors set confirmed_at = $1 where user_id = $2")?
            .execute(params![now.as_microsecond(), user.as_uuid().as_bytes()])?;
        replace_recovery_codes(db, user, recovery_codes)?;
    }
    Ok(tried.answer)
}

fn prove_second_factor(
    db: &Connection,
    user: UserId,
    shown: &Shown,
    now: Timestamp,
) -> Result<Answer<(), NotProven>> {
    let stored = stored(db, user)?
        .filter(|stored| stored.is_confirmed)
        .ok_or(MISSING)?;
    let tried = match shown {
        Shown::Code(code) => stored.try_code(code, now),
        Shown::Recovery(code) => stored.judge(has_recovery_code(db, user, code)?, now),
    };
    note(db, user, tried)?;
    if let (Shown::Recovery(code), Ok(())) = (shown, tried.answer) {
        db.prepare_cached("delete from recovery_codes where user_id = $1 and code_hash = $2")?
            .execute(params![user.as_uuid().as_bytes(), code])?;
    }
    Ok(tried.answer)
}

fn replace_recovery_codes(db: &Connection, user: UserId, codes: &[SecretHash]) -> Result<()> {
    db.prepare_cached("delete from recovery_codes where user_id = $1")?
        .execute([user.as_uuid().as_bytes()])?;
    let mut insert =
        db.prepare_cached("insert into recovery_codes (user_id, code_hash) values ($1, $2)")?;
    for code in codes {
        insert.execute(params![user.as_uuid().as_bytes(), code])?;
    }
    Ok(())
}

fn remove_second_factor(db: &Connection, user: UserId) -> Result<()> {
    db.prepare_cached("delete from second_factors where user_id = $1")?
        .execute([user.as_uuid().as_bytes()])?;
    Ok(())
}

fn create_log_in_step(db: &Connection, step: &NewLogInStep) -> Result<()> {
    db.prepare_cached(
        "insert into log_in_steps (secret_hash, user_id, expires_at)
        values ($1, $2, $3)",
    )?
    .execute(params![
        step.secret,
        step.user.as_uuid().as_bytes(),
        step.expires_at.as_microsecond(),
    ])?;
    Ok(())
}

fn find_log_in_step(db: &Connection, secret: &SecretHash, now: Timestamp) -> Result<Option<User>> {
    let mut find = db.prepare_cached(&format!(
        "select {}
        from log_in_steps s
        join users u on u.id = s.user_id
        where s.secret_hash = $1
          and s.expires_at > $2",
        users::COLUMNS
    ))?;
    let mut found = find.query_and_then(params![secret, now.as_microsecond()], users::user)?;
    found.next().transpose()
}

fn delete_log_in_step(db: &Connection, secret: &SecretHash) -> Result<()> {
    db.prepare_cached("delete from log_in_steps where secret_hash = $1")?
        .execute([secret])?;
    Ok(())
}

fn stored(db: &Connection, user: UserId) -> Result<Option<Stored>> {
    let mut find = db.prepare_cached(
        "select user_id, secret, confirmed_at is not null as is_confirmed, last_step,
            tries_full_at
        from second_factors
        where user_id = $1",
    )?;
    let mut found = find.query_and_then([user.as_uuid().as_bytes()], |row| {
        let columns = Columns::new("second_factors", row);
        Ok(Stored {
            secret: TotpSecret::from_bytes(columns.get("secret")?),
            is_confirmed: columns.get("is_confirmed")?,
            last_step: columns.get("last_step")?,
            tries_full_at: columns.time("tries_full_at")?,
        })
    })?;
    found.next().transpose()
}

fn note(db: &Connection, user: UserId, tried: Tried) -> Result<()> {
    db.prepare_cached(
        "update second_factors
        set last_step = $1, tries_full_at = $2
        where user_id = $3",
    )?
    .execute(params![
        tried.last_step,
        tried.tries_full_at.as_microsecond(),
        user.as_uuid().as_bytes(),
    ])?;
    Ok(())
}

fn has_recovery_code(db: &Connection, user: UserId, code: &SecretHash) -> Result<bool> {
    let has = db
        .prepare_cached(
            "select exists (select 1 from recovery_codes where user_id = $1 and code_hash = $2)",
        )?
        .query_row(params![user.as_uuid().as_bytes(), code], |row| row.get(0))?;
    Ok(has)
}
