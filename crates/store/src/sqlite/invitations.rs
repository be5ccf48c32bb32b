//! Invitations into organizations.

use async_trait::async_trait;
use copal_model::{
    Email, Invitation, InvitationId, InvitationStatus, MailId, MailState, OrgId, Role, Timestamp,
    User, UserId,
};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use super::{Columns, SqliteStore, mails, organizations, users};
use crate::access::SecretHash;
use crate::invitations::{
    Acceptance, AddressProof, Answer, Decline, Facts, InvitationLimit, Invitations, Joined,
    NewInvitation, NotAccepted, NotInvited, OpenInvitation, Verdict, forgotten_before, may_invite,
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
        self.engine
            .write(move |db| accept_invitation(db, &acceptance))
            .await
    }

    async fn sign_up_invited(
        &self,
        user: NewUser,
        secret: &SecretHash,
    ) -> Result<Answer<(SignedUp, Joined), NotAccepted>> {
        let secret = *secret;
        self.engine
            .write(move |db| sign_up_invited(db, user, &secret))
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
    let facts = facts(db, org, new)?;
    if let Err(refused) = facts.check(new.role, new.now) {
        return Ok(Err(refused));
    }
    if let Some((over, _)) = facts.pending {
        end(db, over, InvitationStatus::Expired, new.now)?;
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
    let facts = facts(db, org, new)?;
    if let Err(refused) = facts.check(new.role, new.now) {
        return Ok(Err(refused));
    }
    if let Some((over, _)) = facts.pending {
        end(db, over, InvitationStatus::Expired, new.now)?;
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

fn open_invitation(
    db: &Connection,
    secret: &SecretHash,
    now: Timestamp,
) -> Result<Option<OpenInvitation>> {
    let mut find = db.prepare_cached(&format!(
        "select {COLUMNS}, {}, l.is_mailed, a.id as account_id,
            n.user_id is not null as is_member, b.role as inviter_role
        from mail_links l
        join invitations i on i.mail_id = l.mail_id
        join organizations o on o.id = i.org_id
        join users u on u.id = i.inviter_id
        left join mails m on m.id = i.mail_id
        left join users a on a.email = i.email
        left join members n on n.org_id = i.org_id and n.user_id = a.id
        left join members b on b.org_id = i.org_id and b.user_id = i.inviter_id
        where l.secret_hash = $1
          and i.status = 'PENDING'
          and i.expires_at > $2",
        organizations::COLUMNS
    ))?;
    let mut found = find.query_and_then(params![secret, now.as_microsecond()], |row| {
        let columns = Columns::new("invitations", row);
        let invitation = invitation(row, now)?;
        let account: Option<[u8; 16]> = columns.get("account_id")?;
        let inviter = match columns.get::<Option<String>>("inviter_role")? {
            Some(_) => Some(columns.parse::<Role>("inviter_role")?),
            None => None,
        };
        let organization = organizations::organization(row)?;
        Ok(OpenInvitation {
            is_mailed: columns.get("is_mailed")?,
            account: account.map(|bytes| UserId::new(Uuid::from_bytes(bytes))),
            is_member: columns.get("is_member")?,
            is_backed: !organization.is_personal && may_invite(inviter, invitation.role),
            organization,
            invitation,
        })
    })?;
    found.next().transpose()
}

fn accept_invitation(
    db: &Connection,
    acceptance: &Acceptance,
) -> Result<Answer<Joined, NotAccepted>> {
    let Some(open) = open_invitation(db, &acceptance.secret, acceptance.now)? else {
        return Ok(Err(NotAccepted::Gone));
    };
    let user = users::require(db, acceptance.user)?;
    conclude(db, open, &user, acceptance.proof, acceptance.now)
}

fn sign_up_invited(
    db: &Connection,
    new: NewUser,
    secret: &SecretHash,
) -> Result<Answer<(SignedUp, Joined), NotAccepted>> {
    let now = new.now;
    let Some(open) = open_invitation(db, secret, now)? else {
        return Ok(Err(NotAccepted::Gone));
    };
    if !open.is_backed {
        let ended = InvitationStatus::Superseded;
        end(db, open.invitation.id, ended, now)?;
        return Ok(Err(NotAccepted::Superseded));
    }
    if new.email != open.invitation.email {
        return Ok(Err(NotAccepted::WrongAccount));
    }
    let new = NewUser {
        is_verified: open.is_mailed,
        ..new
    };
    let mut signed_up = users::sign_up(db, &new)?;
    let org = open.organization.id;
    let joined = conclude(db, open, &signed_up.user, AddressProof::Waived, now)?;
    signed_up.user = users::land_in(db, signed_up.user.id, org)?;
    Ok(joined.map(|joined| (signed_up, joined)))
}

fn decline_invitation(
    db: &Connection,
    secret: &SecretHash,
    decline: Decline,
    now: Timestamp,
) -> Result<bool> {
    let Some(open) = open_invitation(db, secret, now)? else {
        return Ok(false);
    };
    end(db, open.invitation.id, InvitationStatus::Declined, now)?;
    if decline == Decline::ForEver {
        db.prepare_cached(
            "insert into invitation_blocks (email, created_at)
            values ($1, $2)
            on conflict do nothing",
        )?
        .execute(params![
            open.invitation.email.as_str(),
            now.as_microsecond()
        ])?;
    }
    Ok(true)
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

/// What holds when somebody is to be invited, by an invitation that counts as none itself.
fn facts(db: &Connection, org: OrgId, new: &NewInvitation) -> Result<Facts> {
    let org = org.as_uuid().into_bytes();
    // Question marks, because SQLite counts `$2` as the first where it stands first.
    let mut find = db.prepare_cached(
        "select o.personal_user_id is not null as is_personal,
            (select role from members where org_id = o.id and user_id = ?2) as inviter_role,
            exists (
                select 1
                from members n
                join users a on a.id = n.user_id
                where n.org_id = o.id and a.email = ?3
            ) as is_member,
            exists (select 1 from invitation_blocks where email = ?3) as is_blocked
        from organizations o
        where o.id = ?1",
    )?;
    let mut found = find.query_and_then(
        params![org, new.inviter.as_uuid().as_bytes(), new.email.as_str()],
        |row| {
            let columns = Columns::new("organizations", row);
            let inviter = match columns.get::<Option<String>>("inviter_role")? {
                Some(_) => Some(columns.parse("inviter_role")?),
                None => None,
            };
            Ok::<_, Error>(Facts {
                inviter,
                is_personal: columns.get("is_personal")?,
                is_member: columns.get("is_member")?,
                pending: None,
                is_blocked: columns.get("is_blocked")?,
                filled_at: [None; 3],
            })
        },
    )?;
    let mut facts = found.next().transpose()?.ok_or(Error::NotFound {
        what: "organization",
    })?;
    facts.pending = find_pending(db, &org, new)?;
    for (limit, filled_at) in InvitationLimit::ALL.into_iter().zip(&mut facts.filled_at) {
        *filled_at = find_filled(db, limit, &org, new)?;
    }
    Ok(facts)
}

fn find_pending(
    db: &Connection,
    org: &[u8; 16],
    new: &NewInvitation,
) -> Result<Option<(InvitationId, Timestamp)>> {
    let mut find = db.prepare_cached(
        "select id, expires_at
        from invitations
        where org_id = $1
          and email = $2
          and status = 'PENDING'
          and id <> $3",
    )?;
    let mut found = find.query_and_then(
        params![org, new.email.as_str(), new.id.as_uuid().as_bytes()],
        |row| {
            let columns = Columns::new("invitations", row);
            let id = InvitationId::new(columns.uuid("id")?);
            Ok((id, columns.time("expires_at")?))
        },
    )?;
    found.next().transpose()
}

/// When the mail was written that fills a limit.
fn find_filled(
    db: &Connection,
    limit: InvitationLimit,
    org: &[u8; 16],
    new: &NewInvitation,
) -> Result<Option<Timestamp>> {
    let (column, value) = match limit {
        InvitationLimit::Inviter => {
            let inviter = new.inviter.as_uuid().as_bytes().to_vec();
            ("sender_id", Value::Blob(inviter))
        }
        InvitationLimit::Organization => ("org_id", Value::Blob(org.to_vec())),
        InvitationLimit::Address => ("recipient", Value::Text(new.email.to_string())),
    };
    let mut find = db.prepare_cached(&format!(
        "select created_at
        from mails
        where {column} = $1
          and kind = 'INVITATION'
          and created_at > $2
        order by created_at desc
        limit 1 offset $3"
    ))?;
    let since = (new.now - limit.within()).as_microsecond();
    let mut found = find.query_and_then(params![value, since, limit.count() - 1], |row| {
        Columns::new("mails", row).time("created_at")
    })?;
    found.next().transpose()
}

/// Puts the mail into the outbox, and lets what the inviter is shown open its link.
fn send(db: &Connection, scope: OrgScope, new: &NewInvitation) -> Result<()> {
    mails::insert(db, &new.mail(scope))?;
    if let Some(shown) = &new.shown {
        mails::insert_link(db, new.mail_id, shown, false)?;
    }
    Ok(())
}

/// Lets somebody in, or does not: in the transaction in which all of it was read.
fn conclude(
    db: &Connection,
    open: OpenInvitation,
    user: &User,
    proof: AddressProof,
    now: Timestamp,
) -> Result<Answer<Joined, NotAccepted>> {
    let (org, id) = (open.organization.id, open.invitation.id);
    match open.verdict(user, proof) {
        Verdict::Refuse(why) => return Ok(Err(why)),
        Verdict::End(why) => {
            end(db, id, InvitationStatus::Superseded, now)?;
            return Ok(Err(why));
        }
        Verdict::KeepMembership => end(db, id, InvitationStatus::Superseded, now)?,
        Verdict::Join => {
            end(db, id, InvitationStatus::Accepted, now)?;
            organizations::insert_member(db, org, user.id, open.invitation.role, now)?;
        }
    }
    if open.is_mailed {
        users::verify(db, user.id, now)?;
    }
    let member = organizations::require_member(db, org, user.id)?;
    Ok(Ok(Joined {
        organization: open.organization,
        member,
    }))
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
