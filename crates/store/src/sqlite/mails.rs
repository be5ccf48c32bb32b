//! The outbox.

use async_trait::async_trait;
use copal_model::{Email, Letter, Mail, MailId, MailState, OrgId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{Columns, SqliteStore};
use crate::access::SecretHash;
use crate::mails::{Delivery, Mails, NEVER_TRIED, NewMail, Outgoing, forgotten_before};
use crate::{Error, Page, PageRequest, Result};

/// The columns of [`mail`]; `m` is the table.
const COLUMNS: &str = "m.id, m.kind, m.org_id, m.recipient, m.subject, m.state, m.attempts, \
    m.last_error, m.created_at, m.next_attempt_at, m.expires_at, m.finished_at";

#[async_trait]
impl Mails for SqliteStore {
    async fn take_mail(
        &self,
        secret: &SecretHash,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Outgoing>> {
        let secret = *secret;
        // Most times nothing is due: that costs no write.
        if self
            .engine
            .read(move |db| find_due(db, now))
            .await?
            .is_none()
        {
            return Ok(None);
        }
        self.in_transaction(move |tx| take_mail(tx, &secret, now, until))
            .await
    }

    async fn settle_mail(
        &self,
        mail: MailId,
        attempt: u32,
        delivery: Delivery,
        now: Timestamp,
    ) -> Result<()> {
        self.in_transaction(move |tx| settle_mail(tx, mail, attempt, &delivery, now))
            .await
    }

    async fn list_mails(&self, state: Option<MailState>, page: &PageRequest) -> Result<Page<Mail>> {
        let page = page.clone();
        self.engine
            .read(move |db| list_mails(db, state, &page))
            .await
    }

    async fn find_mail(&self, mail: MailId) -> Result<Option<(Mail, Option<Letter>)>> {
        self.engine.read(move |db| find_mail(db, mail)).await
    }

    async fn retry_mail(&self, mail: MailId, now: Timestamp) -> Result<()> {
        self.in_transaction(move |tx| retry_mail(tx, mail, now))
            .await
    }

    async fn count_waiting_mails(&self) -> Result<u64> {
        self.engine.read(count_waiting_mails).await
    }

    async fn forget_mails(&self, now: Timestamp) -> Result<()> {
        self.in_transaction(move |tx| forget_mails(tx, now)).await
    }
}

/// Puts a mail into the outbox, in the transaction of its cause.
pub(super) fn insert(db: &Connection, new: &NewMail) -> Result<()> {
    db.prepare_cached(
        "insert into mails
            (id, kind, org_id, sender_id, recipient, subject, text, html, state, attempts,
            created_at, next_attempt_at, expires_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, 'WAITING', 0, $9, $9, $10)",
    )?
    .execute(params![
        new.id.as_uuid().as_bytes(),
        new.kind.as_str(),
        new.org.map(|org| org.as_uuid().into_bytes()),
        new.sender.map(|sender| sender.as_uuid().into_bytes()),
        new.recipient.as_str(),
        new.letter.subject,
        new.letter.text,
        new.letter.html,
        new.now.as_microsecond(),
        new.expires_at.as_microsecond(),
    ])?;
    Ok(())
}

/// Lets a secret open the link of a mail.
pub(super) fn insert_link(
    db: &Connection,
    mail: MailId,
    secret: &SecretHash,
    is_mailed: bool,
) -> Result<()> {
    db.prepare_cached(
        "insert into mail_links (secret_hash, mail_id, is_mailed)
        values ($1, $2, $3)",
    )?
    .execute(params![secret, mail.as_uuid().as_bytes(), is_mailed])?;
    Ok(())
}

/// What a mail was about is over: it is not sent any more, and its links open nothing.
pub(super) fn close(db: &Connection, mail: MailId, now: Timestamp) -> Result<()> {
    let mail = mail.as_uuid().into_bytes();
    db.prepare_cached("delete from mail_links where mail_id = $1")?
        .execute([mail])?;
    db.prepare_cached(
        "update mails
        set state = 'CANCELLED', text = null, html = null, finished_at = $1
        where id = $2
          and state in ('WAITING', 'FAILED')",
    )?
    .execute(params![now.as_microsecond(), mail])?;
    Ok(())
}

fn find_due(db: &Connection, now: Timestamp) -> Result<Option<MailId>> {
    let mut find = db.prepare_cached(
        "select m.id
        from mails m
        where m.state = 'WAITING'
          and m.next_attempt_at <= $1
          and m.expires_at > $1
        order by m.next_attempt_at, m.id
        limit 1",
    )?;
    let mut found = find.query_and_then([now.as_microsecond()], |row| {
        Ok(MailId::new(Columns::new("mails", row).uuid("id")?))
    })?;
    found.next().transpose()
}

fn take_mail(
    db: &Connection,
    secret: &SecretHash,
    now: Timestamp,
    until: Timestamp,
) -> Result<Option<Outgoing>> {
    let Some(due) = find_due(db, now)? else {
        return Ok(None);
    };
    db.prepare_cached(
        "update mails
        set attempts = attempts + 1, next_attempt_at = $1
        where id = $2",
    )?
    .execute(params![until.as_microsecond(), due.as_uuid().as_bytes()])?;
    let Some((mail, Some(letter))) = find_mail(db, due)? else {
        return Err(Error::Broken(
            format!("mail {due} waits without a letter").into(),
        ));
    };
    if letter.has_link() {
        insert_link(db, due, secret, true)?;
    }
    Ok(Some(Outgoing {
        id: mail.id,
        kind: mail.kind,
        recipient: mail.recipient,
        letter,
        attempt: mail.attempts,
    }))
}

fn settle_mail(
    db: &Connection,
    mail: MailId,
    attempt: u32,
    delivery: &Delivery,
    now: Timestamp,
) -> Result<()> {
    let outcome = delivery.outcome(now);
    db.prepare_cached(
        "update mails
        set state = $1, last_error = $2, next_attempt_at = $3, finished_at = $4,
            text = case when $5 then null else text end,
            html = case when $5 then null else html end
        where id = $6
          and state = 'WAITING'
          and attempts = $7",
    )?
    .execute(params![
        outcome.state.as_str(),
        outcome.error,
        outcome.next_attempt_at.as_microsecond(),
        outcome.finished_at.map(Timestamp::as_microsecond),
        outcome.erases(),
        mail.as_uuid().as_bytes(),
        attempt,
    ])?;
    Ok(())
}

fn list_mails(db: &Connection, state: Option<MailState>, page: &PageRequest) -> Result<Page<Mail>> {
    let before = page.cursor.as_deref().map(str::parse::<MailId>);
    let before = before.transpose().map_err(|_| Error::BadCursor)?;
    let mut list = db.prepare_cached(&format!(
        "select {COLUMNS}
        from mails m
        where ($1 is null or m.state = $1)
          and ($2 is null or m.id < $2)
        order by m.id desc
        limit $3"
    ))?;
    let rows = list.query_and_then(
        params![
            state.map(MailState::as_str),
            before.map(|id| id.as_uuid().into_bytes()),
            i64::try_from(page.limit + 1).unwrap_or(i64::MAX),
        ],
        mail,
    )?;
    let rows = rows.collect::<Result<Vec<_>>>()?;
    Ok(Page::of(rows, page.limit, |last| last.id.to_string()))
}

fn find_mail(db: &Connection, id: MailId) -> Result<Option<(Mail, Option<Letter>)>> {
    let mut find = db.prepare_cached(&format!(
        "select {COLUMNS}, m.text, m.html
        from mails m
        where m.id = $1"
    ))?;
    let mut found = find.query_and_then([id.as_uuid().as_bytes()], |row| {
        let columns = Columns::new("mails", row);
        let mail = mail(row)?;
        let text: Option<String> = columns.get("text")?;
        let html: Option<String> = columns.get("html")?;
        let letter = text.zip(html).map(|(text, html)| Letter {
            subject: mail.subject.clone(),
            text,
            html,
        });
        Ok((mail, letter))
    })?;
    found.next().transpose()
}

fn retry_mail(db: &Connection, mail: MailId, now: Timestamp) -> Result<()> {
    let retried = db
        .prepare_cached(
            "update mails
            set state = 'WAITING', next_attempt_at = $1, finished_at = null
            where id = $2
              and state in ('WAITING', 'FAILED')
              and text is not null
              and expires_at > $1",
        )?
        .execute(params![now.as_microsecond(), mail.as_uuid().as_bytes()])?;
    match retried {
        0 => Err(Error::NotFound { what: "mail" }),
        _ => Ok(()),
    }
}

fn count_waiting_mails(db: &Connection) -> Result<u64> {
    let mut count = db.prepare_cached("select count(*) from mails where state = 'WAITING'")?;
    let waiting: Option<i64> = count.query_row((), |row| row.get(0)).optional()?;
    Ok(waiting.map_or(0, i64::unsigned_abs))
}

fn forget_mails(db: &Connection, now: Timestamp) -> Result<()> {
    db.prepare_cached(
        "update mails
        set state = 'FAILED', finished_at = $1, last_error = coalesce(last_error, $2)
        where state = 'WAITING'
          and expires_at <= $1",
    )?
    .execute(params![now.as_microsecond(), NEVER_TRIED])?;
    db.prepare_cached(
        "update mails
        set text = null, html = null
        where text is not null
          and expires_at <= $1",
    )?
    .execute([now.as_microsecond()])?;
    db.prepare_cached(
        "delete from mails
        where finished_at <= $1
          and expires_at <= $1",
    )?
    .execute([forgotten_before(now).as_microsecond()])?;
    Ok(())
}

fn mail(row: &Row<'_>) -> Result<Mail> {
    let columns = Columns::new("mails", row);
    let org: Option<[u8; 16]> = columns.get("org_id")?;
    Ok(Mail {
        id: MailId::new(columns.uuid("id")?),
        kind: columns.parse("kind")?,
        org: org.map(|bytes| OrgId::new(uuid::Uuid::from_bytes(bytes))),
        recipient: columns.read("recipient", |text: String| Email::parse(&text))?,
        subject: columns.get("subject")?,
        state: columns.parse("state")?,
        attempts: columns.get("attempts")?,
        last_error: columns.get("last_error")?,
        created_at: columns.time("created_at")?,
        next_attempt_at: columns.time("next_attempt_at")?,
        expires_at: columns.time("expires_at")?,
        finished_at: columns.optional_time("finished_at")?,
    })
}
