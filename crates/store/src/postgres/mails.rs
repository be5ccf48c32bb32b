//! The outbox.

use async_trait::async_trait;
use copal_model::{Email, Letter, Mail, MailId, MailState, OrgId, Timestamp, UserId};
use tokio_postgres::Row;
use uuid::Uuid;

use super::{Columns, PostgresStore, Tx, count, execute, find, list};
use crate::access::SecretHash;
use crate::mails::{Delivery, Mails, NEVER_TRIED, NewMail, Outgoing, forgotten_before};
use crate::{Error, Page, PageRequest, Result};

/// The columns of [`mail`]; `m` is the table.
const COLUMNS: &str = "m.id, m.kind, m.org_id, m.recipient, m.subject, m.state, m.attempts, \
    m.last_error, m.created_at, m.next_attempt_at, m.expires_at, m.finished_at";

#[async_trait]
impl Mails for PostgresStore {
    async fn take_mail(
        &self,
        secret: &SecretHash,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Outgoing>> {
        let secret = *secret;
        self.engine
            .record(move |tx| Box::pin(async move { take_mail(tx, &secret, now, until).await }))
            .await
    }

    async fn settle_mail(
        &self,
        mail: MailId,
        attempt: u32,
        delivery: Delivery,
        now: Timestamp,
    ) -> Result<()> {
        self.engine
            .record(move |tx| {
                let delivery = delivery.clone();
                Box::pin(async move { settle_mail(tx, mail, attempt, &delivery, now).await })
            })
            .await
    }

    async fn list_mails(&self, state: Option<MailState>, page: &PageRequest) -> Result<Page<Mail>> {
        self.engine
            .read(move |tx| {
                let page = page.clone();
                Box::pin(async move { list_mails(tx, state, &page).await })
            })
            .await
    }

    async fn find_mail(&self, mail: MailId) -> Result<Option<(Mail, Option<Letter>)>> {
        self.engine
            .read(move |tx| Box::pin(find_mail(tx, mail)))
            .await
    }

    async fn retry_mail(&self, mail: MailId, now: Timestamp) -> Result<()> {
        self.engine
            .record(move |tx| Box::pin(retry_mail(tx, mail, now)))
            .await
    }

    async fn count_waiting_mails(&self) -> Result<u64> {
        self.engine
            .read(|tx| {
                Box::pin(count(
                    tx,
                    "select count(*) from mails where state = 'WAITING'",
                    &[],
                ))
            })
            .await
    }

    async fn forget_mails(&self, now: Timestamp) -> Result<()> {
        self.engine
            .record(move |tx| Box::pin(forget_mails(tx, now)))
            .await
    }
}

/// Puts a mail into the outbox, in the transaction of its cause.
pub(super) async fn insert(tx: &Tx<'_>, new: &NewMail) -> Result<()> {
    execute(
        tx,
        "insert into mails
            (id, kind, org_id, sender_id, recipient, subject, text, html, state, attempts,
            created_at, next_attempt_at, expires_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, 'WAITING', 0, $9, $9, $10)",
        &[
            &new.id.as_uuid(),
            &new.kind.as_str(),
            &new.org.map(OrgId::as_uuid),
            &new.sender.map(UserId::as_uuid),
            &new.recipient.as_str(),
            &new.letter.subject,
            &new.letter.text,
            &new.letter.html,
            &new.now.as_microsecond(),
            &new.expires_at.as_microsecond(),
        ],
    )
    .await?;
    Ok(())
}

/// Lets a secret open the link of a mail.
pub(super) async fn insert_link(
    tx: &Tx<'_>,
    mail: MailId,
    secret: &SecretHash,
    is_mailed: bool,
) -> Result<()> {
    execute(
        tx,
        "insert into mail_links (secret_hash, mail_id, is_mailed)
        values ($1, $2, $3)",
        &[&&secret[..], &mail.as_uuid(), &is_mailed],
    )
    .await?;
    Ok(())
}

/// What a mail was about is over: it is not sent any more, and its links open nothing.
pub(super) async fn close(tx: &Tx<'_>, mail: MailId, now: Timestamp) -> Result<()> {
    let mail = mail.as_uuid();
    execute(tx, "delete from mail_links where mail_id = $1", &[&mail]).await?;
    execute(
        tx,
        "update mails
        set state = 'CANCELLED', text = null, html = null, finished_at = $1
        where id = $2
          and state in ('WAITING', 'FAILED')",
        &[&now.as_microsecond(), &mail],
    )
    .await?;
    Ok(())
}

async fn find_due(tx: &Tx<'_>, now: Timestamp) -> Result<Option<MailId>> {
    // Locked, and past what others have locked: those are being taken.
    let found = find(
        tx,
        "select m.id
        from mails m
        where m.state = 'WAITING'
          and m.next_attempt_at <= $1
          and m.expires_at > $1
        order by m.next_attempt_at, m.id
        limit 1
        for update skip locked",
        &[&now.as_microsecond()],
    )
    .await?;
    let due = found.map(|row| Ok(MailId::new(Columns::new("mails", &row).uuid("id")?)));
    due.transpose()
}

async fn take_mail(
    tx: &Tx<'_>,
    secret: &SecretHash,
    now: Timestamp,
    until: Timestamp,
) -> Result<Option<Outgoing>> {
    let Some(due) = find_due(tx, now).await? else {
        return Ok(None);
    };
    execute(
        tx,
        "update mails
        set attempts = attempts + 1, next_attempt_at = $1
        where id = $2",
        &[&until.as_microsecond(), &due.as_uuid()],
    )
    .await?;
    let Some((mail, Some(letter))) = find_mail(tx, due).await? else {
        return Err(Error::Broken(
            format!("mail {due} waits without a letter").into(),
        ));
    };
    if letter.has_link() {
        insert_link(tx, due, secret, true).await?;
    }
    Ok(Some(Outgoing {
        id: mail.id,
        kind: mail.kind,
        recipient: mail.recipient,
        letter,
        attempt: mail.attempts,
    }))
}

async fn settle_mail(
    tx: &Tx<'_>,
    mail: MailId,
    attempt: u32,
    delivery: &Delivery,
    now: Timestamp,
) -> Result<()> {
    let outcome = delivery.outcome(now);
    execute(
        tx,
        "update mails
        set state = $1, last_error = $2, next_attempt_at = $3, finished_at = $4,
            text = case when $5 then null else text end,
            html = case when $5 then null else html end
        where id = $6
          and state = 'WAITING'
          and attempts = $7",
        &[
            &outcome.state.as_str(),
            &outcome.error,
            &outcome.next_attempt_at.as_microsecond(),
            &outcome.finished_at.map(Timestamp::as_microsecond),
            &outcome.erases(),
            &mail.as_uuid(),
            &i64::from(attempt),
        ],
    )
    .await?;
    Ok(())
}

async fn list_mails(
    tx: &Tx<'_>,
    state: Option<MailState>,
    page: &PageRequest,
) -> Result<Page<Mail>> {
    let before = page.cursor.as_deref().map(str::parse::<MailId>);
    let before = before.transpose().map_err(|_| Error::BadCursor)?;
    let rows = list(
        tx,
        &format!(
            "select {COLUMNS}
            from mails m
            where ($1::text is null or m.state = $1)
              and ($2::uuid is null or m.id < $2)
            order by m.id desc
            limit $3"
        ),
        &[
            &state.map(MailState::as_str),
            &before.map(MailId::as_uuid),
            &i64::try_from(page.limit + 1).unwrap_or(i64::MAX),
        ],
    )
    .await?;
    let rows = rows.iter().map(mail).collect::<Result<Vec<_>>>()?;
    Ok(Page::of(rows, page.limit, |last| last.id.to_string()))
}

async fn find_mail(tx: &Tx<'_>, id: MailId) -> Result<Option<(Mail, Option<Letter>)>> {
    let found = find(
        tx,
        &format!(
            "select {COLUMNS}, m.text, m.html
            from mails m
            where m.id = $1"
        ),
        &[&id.as_uuid()],
    )
    .await?;
    let found = found.map(|row| {
        let columns = Columns::new("mails", &row);
        let mail = mail(&row)?;
        let text: Option<String> = columns.get("text")?;
        let html: Option<String> = columns.get("html")?;
        let letter = text.zip(html).map(|(text, html)| Letter {
            subject: mail.subject.clone(),
            text,
            html,
        });
        Ok((mail, letter))
    });
    found.transpose()
}

async fn retry_mail(tx: &Tx<'_>, mail: MailId, now: Timestamp) -> Result<()> {
    let retried = execute(
        tx,
        "update mails
        set state = 'WAITING', next_attempt_at = $1, finished_at = null
        where id = $2
          and state in ('WAITING', 'FAILED')
          and text is not null
          and expires_at > $1",
        &[&now.as_microsecond(), &mail.as_uuid()],
    )
    .await?;
    match retried {
        0 => Err(Error::NotFound { what: "mail" }),
        _ => Ok(()),
    }
}

async fn forget_mails(tx: &Tx<'_>, now: Timestamp) -> Result<()> {
    execute(
        tx,
        "update mails
        set state = 'FAILED', finished_at = $1, last_error = coalesce(last_error, $2)
        where state = 'WAITING'
          and expires_at <= $1",
        &[&now.as_microsecond(), &NEVER_TRIED],
    )
    .await?;
    execute(
        tx,
        "update mails
        set text = null, html = null
        where text is not null
          and expires_at <= $1",
        &[&now.as_microsecond()],
    )
    .await?;
    execute(
        tx,
        "delete from mails
        where finished_at <= $1
          and expires_at <= $1",
        &[&forgotten_before(now).as_microsecond()],
    )
    .await?;
    Ok(())
}

fn mail(row: &Row) -> Result<Mail> {
    let columns = Columns::new("mails", row);
    let org: Option<Uuid> = columns.get("org_id")?;
    Ok(Mail {
        id: MailId::new(columns.uuid("id")?),
        kind: columns.parse("kind")?,
        org: org.map(OrgId::new),
        recipient: columns.read("recipient", Email::parse)?,
        subject: columns.get("subject")?,
        state: columns.parse("state")?,
        attempts: columns.read("attempts", |attempts: i64| u32::try_from(attempts))?,
        last_error: columns.get("last_error")?,
        created_at: columns.time("created_at")?,
        next_attempt_at: columns.time("next_attempt_at")?,
        expires_at: columns.time("expires_at")?,
        finished_at: columns.optional_time("finished_at")?,
    })
}
