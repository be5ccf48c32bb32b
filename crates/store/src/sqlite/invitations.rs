//! Invitations into organizations.

mod answer;
mod facts;

use async_trait::async_trait;
use copal_model::{
    Email, Invitation, InvitationId, InvitationStatus, MailId, MailState, OrgId, Timestamp, UserId,
};
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use self::answer::{accept_invitation, decline_invitation, open_invitation, sign_up_invited};
use self::facts::facts;
use super::{Columns, SqliteStore, mails};
use crate::access::SecretHash;
use crate::invitations::{
    Acceptance, Answer, Decline, Invitations, Joined, NewInvitation, NotAccepted, NotInvited,
    OpenInvitation, forgotten_before,
};
use crate::users::{NewUser, SignedUp};
use crate::{Error, OrgScope, Result};

/// The columns of [`invitation`]; `i` is the invitation, `u` who answers for it, `m` its mail.
const COLUMNS: &str = "i.id, i.org_id, i.email, i.role, i.inviter_id, u.name as inviter_name, \
    i.status, i.created_at, i.expires_at, m.state as mail_state";

#[async_trait]
impl Invitations for SqliteStore {
    async fn create_invitation(
        &self,
        scope: &OrgScope,
        new: NewInvitation,
    ) -> Result<Answer<Invitation, NotInvited>> {
        let scope = *scope;
        self.engine
            .write(move |db| create_invitation(db, scope, &new))
            .await
    }

    async fn resend_invitation(
        &self,
        scope: &OrgScope,
        new: NewInvitation,
    ) -> Result<Answer<Invitation, NotInvited>> {
        let scope = *scope;
        self.engine
            .write(move |db| resend_invitation(db, scope, &new))
            .await
    }

    async fn list_invitations(&self, scope: &OrgScope, now: Timestamp) -> Result<Vec<Invitation>> {
        let org = scope.org();
        self.engine
            .read(move |db| list_invitations(db, org, now))
            .await
    }

    async fn revoke_invitation(
        &self,
        scope: &OrgScope,
        invitation: InvitationId,
        now: Timestamp,
    ) -> Result<InvitationStatus> {
        let org = scope.org();
        self.engine
            .write(move |db| revoke_invitation(db, org, invitation, now))
            .await
    }

    async fn open_invitation(
        &self,
        secret: &SecretHash,
        now: Timestamp,
    ) -> Result<Option<OpenInvitation>> {
        let secret = *secret;
        self.engine
            .read(move |db| open_invitation(db, &secret, now))
            .await
    }

    async fn accept_invitation(
        &self,
        acceptance: Acceptance,
    ) -> Result<Answer<Joined, NotAccepted>> {
        let plans = self.plans;
        self.engine
            .write(move |db| accept_invitation(db, &acceptance, &plans))
            .await
    }

    async fn sign_up_invited(
        &self,
        user: NewUser,
        secret: &SecretHash,
    ) -> Result<Answer<(SignedUp, Joined), NotAccepted>> {
        let (secret, plans) = (*secret, self.plans);
        self.engine
            .write(move |db| sign_up_invited(db, user, &secret, &plans))
            .await
    }

    async fn decline_invitation(
        &self,
        secret: &SecretHash,
        decline: Decline,
        now: Timestamp,
    ) -> Result<bool> {
        let secret = *secret;
        self.engine
            .write(move |db| decline_invitation(db, &secret, decline, now))
            .await
    }

    async fn forget_invitations(&self, now: Timestamp) -> Result<()> {
        self.in_transaction(move |tx| forget_invitations(tx, now))
            .await
    }
}

fn create_invitation(
    db: &Connection,
    scope: OrgScope,
    new: &NewInvitation,
) -> Result<Answer<Invitation, NotInvited>> {
    let org = scope.org();
    if let Err(refused) = decide(db, org, new)? {
        return Ok(Err(refused));
    }
    send(db, scope, new)?;
    db.prepare_cached(
        "insert into invitations
            (id, org_id, email, role, inviter_id, status, mail_id, created_at, expires_at)
        values ($1, $2, $3, $4, $5, 'PENDING', $6, $7, $8)",
    )?
    .execute(params![
        new.id.as_uuid().as_bytes(),
        org.as_uuid().as_bytes(),
        new.email.as_str(),
        new.role.as_str(),
        new.inviter.as_uuid().as_bytes(),
        new.mail_id.as_uuid().as_bytes(),
        new.now.as_microsecond(),
        new.expires_at.as_microsecond(),
    ])?;
    require(db, org, new.id, new.now).map(Ok)
}

fn resend_invitation(
    db: &Connection,
    scope: OrgScope,
    new: &NewInvitation,
) -> Result<Answer<Invitation, NotInvited>> {
    let org = scope.org();
    let is_open = db
        .prepare_cached(
            "select 1
            from invitations
            where org_id = $1
              and id = $2
              and status in ('PENDING', 'EXPIRED')",
        )?
        .exists(params![
            org.as_uuid().as_bytes(),
            new.id.as_uuid().as_bytes()
        ])?;
    if !is_open {
        return Err(Error::NotFound { what: "invitation" });
    }
    if let Err(refused) = decide(db, org, new)? {
        return Ok(Err(refused));
    }
    close_mail(db, new.id, new.now)?;
    send(db, scope, new)?;
    db.prepare_cached(
        "update invitations
        set role = $1, inviter_id = $2, status = 'PENDING', mail_id = $3, expires_at = $4,
            ended_at = null
        where org_id = $5
          and id = $6",
    )?
    .execute(params![
        new.role.as_str(),
        new.inviter.as_uuid().as_bytes(),
        new.mail_id.as_uuid().as_bytes(),
        new.expires_at.as_microsecond(),
        org.as_uuid().as_bytes(),
        new.id.as_uuid().as_bytes(),
    ])?;
    require(db, org, new.id, new.now).map(Ok)
}

/// Whether somebody may be invited; another invitation of theirs whose time is over ends then.
fn decide(db: &Connection, org: OrgId, new: &NewInvitation) -> Result<Answer<(), NotInvited>> {
    let facts = facts(db, org, new)?;
    let decided = facts.check(new.role, new.now);
    if let (Ok(()), Some((over, _))) = (decided, facts.pending) {
        end(db, over, InvitationStatus::Expired, new.now)?;
    }
    Ok(decided)
}

fn list_invitations(db: &Connection, org: OrgId, now: Timestamp) -> Result<Vec<Invitation>> {
    let mut list = db.prepare_cached(&format!(
        "select {COLUMNS}
        from invitations i
        join users u on u.id = i.inviter_id
        left join mails m on m.id = i.mail_id
        where i.org_id = $1
        order by i.id"
    ))?;
    let rows = list.query_and_then([org.as_uuid().as_bytes()], |row| invitation(row, now))?;
    rows.collect()
}

fn revoke_invitation(
    db: &Connection,
    org: OrgId,
    id: InvitationId,
    now: Timestamp,
) -> Result<InvitationStatus> {
    let status = require(db, org, id, now)?.status;
    match status {
        InvitationStatus::Pending | InvitationStatus::Expired => {
            end(db, id, InvitationStatus::Revoked, now)?;
            Ok(InvitationStatus::Revoked)
        }
        ended => Ok(ended),
    }
}

/// Takes back what a member has sent who leaves (rule D-11).
pub(super) fn revoke_sent_by(
    db: &Connection,
    org: OrgId,
    inviter: UserId,
    now: Timestamp,
) -> Result<()> {
    let mut list = db.prepare_cached(
        "select id from invitations
        where org_id = $1 and inviter_id = $2 and status = 'PENDING'",
    )?;
    let ids = [org.as_uuid().into_bytes(), inviter.as_uuid().into_bytes()];
    let ids = list.query_and_then(ids, |row| Columns::new("invitations", row).uuid("id"))?;
    for id in ids.collect::<Result<Vec<_>>>()? {
        end(db, InvitationId::new(id), InvitationStatus::Revoked, now)?;
    }
    Ok(())
}

fn forget_invitations(db: &Connection, now: Timestamp) -> Result<()> {
    db.prepare_cached(
        "update invitations
        set status = 'EXPIRED', ended_at = expires_at
        where status = 'PENDING'
          and expires_at <= $1",
    )?
    .execute([now.as_microsecond()])?;
    db.prepare_cached("delete from invitations where ended_at <= $1")?
        .execute([forgotten_before(now).as_microsecond()])?;
    Ok(())
}

/// Puts the mail into the outbox, and lets what the inviter is shown open its link.
fn send(db: &Connection, scope: OrgScope, new: &NewInvitation) -> Result<()> {
    mails::insert(db, &new.mail(scope))?;
    if let Some(shown) = &new.shown {
        mails::insert_link(db, new.mail_id, shown, false)?;
    }
    Ok(())
}

/// Ends an invitation that is open: nothing opens it any more.
fn end(db: &Connection, id: InvitationId, status: InvitationStatus, now: Timestamp) -> Result<()> {
    close_mail(db, id, now)?;
    let ended = db
        .prepare_cached(
            "update invitations
            set status = $1, ended_at = $2
            where id = $3
              and status in ('PENDING', 'EXPIRED')",
        )?
        .execute(params![
            status.as_str(),
            now.as_microsecond(),
            id.as_uuid().as_bytes()
        ])?;
    match ended {
        0 => Err(Error::NotFound { what: "invitation" }),
        _ => Ok(()),
    }
}

fn close_mail(db: &Connection, id: InvitationId, now: Timestamp) -> Result<()> {
    let mail: Option<[u8; 16]> = db
        .prepare_cached("select mail_id from invitations where id = $1")?
        .query_row([id.as_uuid().as_bytes()], |row| row.get(0))
        .optional()?
        .flatten();
    match mail {
        Some(mail) => mails::close(db, MailId::new(Uuid::from_bytes(mail)), now),
        None => Ok(()),
    }
}

fn require(db: &Connection, org: OrgId, id: InvitationId, now: Timestamp) -> Result<Invitation> {
    let mut find = db.prepare_cached(&format!(
        "select {COLUMNS}
        from invitations i
        join users u on u.id = i.inviter_id
        left join mails m on m.id = i.mail_id
        where i.org_id = $1
          and i.id = $2"
    ))?;
    let mut found = find.query_and_then(
        params![org.as_uuid().as_bytes(), id.as_uuid().as_bytes()],
        |row| invitation(row, now),
    )?;
    found
        .next()
        .unwrap_or(Err(Error::NotFound { what: "invitation" }))
}

fn invitation(row: &Row<'_>, now: Timestamp) -> Result<Invitation> {
    let columns = Columns::new("invitations", row);
    let expires_at = columns.time("expires_at")?;
    let status: InvitationStatus = columns.parse("status")?;
    let mail = match columns.get::<Option<String>>("mail_state")? {
        Some(_) => Some(columns.parse::<MailState>("mail_state")?),
        None => None,
    };
    Ok(Invitation {
        id: InvitationId::new(columns.uuid("id")?),
        org_id: OrgId::new(columns.uuid("org_id")?),
        email: columns.read("email", |text: String| Email::parse(&text))?,
        role: columns.parse("role")?,
        status: status.at(expires_at, now),
        inviter: UserId::new(columns.uuid("inviter_id")?),
        inviter_name: columns.get("inviter_name")?,
        created_at: columns.time("created_at")?,
        expires_at,
        mail,
    })
}
