//! Invitations into organizations.

use async_trait::async_trait;
use copal_model::{
    Email, Invitation, InvitationId, InvitationStatus, MailId, MailState, OrgId, Role, Timestamp,
    User, UserId,
};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::{Columns, PostgresStore, Tx, execute, find, list, mails, organizations, users};
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
impl Invitations for PostgresStore {
    async fn create_invitation(
        &self,
        scope: &OrgScope,
        new: NewInvitation,
    ) -> Result<Answer<Invitation, NotInvited>> {
        let scope = *scope;
        self.engine
            .write(move |tx| {
                let new = new.clone();
                Box::pin(async move { create_invitation(tx, scope, &new).await })
            })
            .await
    }

    async fn resend_invitation(
        &self,
        scope: &OrgScope,
        new: NewInvitation,
    ) -> Result<Answer<Invitation, NotInvited>> {
        let scope = *scope;
        self.engine
            .write(move |tx| {
                let new = new.clone();
                Box::pin(async move { resend_invitation(tx, scope, &new).await })
            })
            .await
    }

    async fn list_invitations(&self, scope: &OrgScope, now: Timestamp) -> Result<Vec<Invitation>> {
        let org = scope.org();
        self.engine
            .read(move |tx| Box::pin(list_invitations(tx, org, now)))
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
            .write(move |tx| Box::pin(revoke_invitation(tx, org, invitation, now)))
            .await
    }

    async fn open_invitation(
        &self,
        secret: &SecretHash,
        now: Timestamp,
    ) -> Result<Option<OpenInvitation>> {
        let secret = *secret;
        self.engine
            .read(move |tx| Box::pin(async move { open_invitation(tx, &secret, now).await }))
            .await
    }

    async fn accept_invitation(
        &self,
        acceptance: Acceptance,
    ) -> Result<Answer<Joined, NotAccepted>> {
        self.engine
            .write(move |tx| {
                let acceptance = acceptance.clone();
                Box::pin(async move { accept_invitation(tx, &acceptance).await })
            })
            .await
    }

    async fn sign_up_invited(
        &self,
        user: NewUser,
        secret: &SecretHash,
    ) -> Result<Answer<(SignedUp, Joined), NotAccepted>> {
        let secret = *secret;
        self.engine
            .write(move |tx| {
                let user = user.clone();
                Box::pin(async move { sign_up_invited(tx, user, &secret).await })
            })
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
            .write(move |tx| {
                Box::pin(async move { decline_invitation(tx, &secret, decline, now).await })
            })
            .await
    }

    async fn forget_invitations(&self, now: Timestamp) -> Result<()> {
        self.engine
            .record(move |tx| Box::pin(forget_invitations(tx, now)))
            .await
    }
}

async fn create_invitation(
    tx: &Tx<'_>,
    scope: OrgScope,
    new: &NewInvitation,
) -> Result<Answer<Invitation, NotInvited>> {
    let org = scope.org();
    queue(tx).await?;
    let facts = facts(tx, org, new).await?;
    if let Err(refused) = facts.check(new.role, new.now) {
        return Ok(Err(refused));
    }
    if let Some((over, _)) = facts.pending {
        end(tx, over, InvitationStatus::Expired, new.now).await?;
    }
    send(tx, scope, new).await?;
    execute(
        tx,
        "insert into invitations
            (id, org_id, email, role, inviter_id, status, mail_id, created_at, expires_at)
        values ($1, $2, $3, $4, $5, 'PENDING', $6, $7, $8)",
        &[
            &new.id.as_uuid(),
            &org.as_uuid(),
            &new.email.as_str(),
            &new.role.as_str(),
            &new.inviter.as_uuid(),
            &new.mail_id.as_uuid(),
            &new.now.as_microsecond(),
            &new.expires_at.as_microsecond(),
        ],
    )
    .await?;
    require(tx, org, new.id, new.now).await.map(Ok)
}

async fn resend_invitation(
    tx: &Tx<'_>,
    scope: OrgScope,
    new: &NewInvitation,
) -> Result<Answer<Invitation, NotInvited>> {
    let org = scope.org();
    queue(tx).await?;
    let open = find(
        tx,
        "select 1
        from invitations
        where org_id = $1
          and id = $2
          and status in ('PENDING', 'EXPIRED')
        for update",
        &[&org.as_uuid(), &new.id.as_uuid()],
    )
    .await?;
    if open.is_none() {
        return Err(Error::NotFound { what: "invitation" });
    }
    let facts = facts(tx, org, new).await?;
    if let Err(refused) = facts.check(new.role, new.now) {
        return Ok(Err(refused));
    }
    if let Some((over, _)) = facts.pending {
        end(tx, over, InvitationStatus::Expired, new.now).await?;
    }
    close_mail(tx, new.id, new.now).await?;
    send(tx, scope, new).await?;
    execute(
        tx,
        "update invitations
        set role = $1, inviter_id = $2, status = 'PENDING', mail_id = $3, expires_at = $4,
            ended_at = null
        where org_id = $5
          and id = $6",
        &[
            &new.role.as_str(),
            &new.inviter.as_uuid(),
            &new.mail_id.as_uuid(),
            &new.expires_at.as_microsecond(),
            &org.as_uuid(),
            &new.id.as_uuid(),
        ],
    )
    .await?;
    require(tx, org, new.id, new.now).await.map(Ok)
}

async fn list_invitations(tx: &Tx<'_>, org: OrgId, now: Timestamp) -> Result<Vec<Invitation>> {
    let rows = list(
        tx,
        &format!(
            "select {COLUMNS}
            from invitations i
            join users u on u.id = i.inviter_id
            left join mails m on m.id = i.mail_id
            where i.org_id = $1
            order by i.id"
        ),
        &[&org.as_uuid()],
    )
    .await?;
    rows.iter().map(|row| invitation(row, now)).collect()
}

async fn revoke_invitation(
    tx: &Tx<'_>,
    org: OrgId,
    id: InvitationId,
    now: Timestamp,
) -> Result<InvitationStatus> {
    // Locked: nobody accepts it meanwhile.
    find(
        tx,
        "select 1 from invitations where org_id = $1 and id = $2 for update",
        &[&org.as_uuid(), &id.as_uuid()],
    )
    .await?;
    let status = require(tx, org, id, now).await?.status;
    match status {
        InvitationStatus::Pending | InvitationStatus::Expired => {
            end(tx, id, InvitationStatus::Revoked, now).await?;
            Ok(InvitationStatus::Revoked)
        }
        ended => Ok(ended),
    }
}

async fn open_invitation(
    tx: &Tx<'_>,
    secret: &SecretHash,
    now: Timestamp,
) -> Result<Option<OpenInvitation>> {
    let found = find(
        tx,
        &format!(
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
        ),
        &[&&secret[..], &now.as_microsecond()],
    )
    .await?;
    let open = found.map(|row| {
        let columns = Columns::new("invitations", &row);
        let invitation = invitation(&row, now)?;
        let account: Option<Uuid> = columns.get("account_id")?;
        let inviter = match columns.get::<Option<&str>>("inviter_role")? {
            Some(_) => Some(columns.parse::<Role>("inviter_role")?),
            None => None,
        };
        let organization = organizations::organization(&row)?;
        Ok(OpenInvitation {
            is_mailed: columns.get("is_mailed")?,
            account: account.map(UserId::new),
            is_member: columns.get("is_member")?,
            is_backed: !organization.is_personal && may_invite(inviter, invitation.role),
            organization,
            invitation,
        })
    });
    open.transpose()
}

/// The same, locked together with what decides about it: nobody else accepts it meanwhile, or
/// takes the inviter's role away.
async fn lock_open(
    tx: &Tx<'_>,
    secret: &SecretHash,
    now: Timestamp,
) -> Result<Option<OpenInvitation>> {
    let locked = find(
        tx,
        "select i.org_id, i.inviter_id
        from mail_links l
        join invitations i on i.mail_id = l.mail_id
        where l.secret_hash = $1
        for update of i",
        &[&&secret[..]],
    )
    .await?;
    let Some(locked) = locked else {
        return Ok(None);
    };
    let columns = Columns::new("invitations", &locked);
    find(
        tx,
        "select 1 from members where org_id = $1 and user_id = $2 for share",
        &[&columns.uuid("org_id")?, &columns.uuid("inviter_id")?],
    )
    .await?;
    open_invitation(tx, secret, now).await
}

async fn accept_invitation(
    tx: &Tx<'_>,
    acceptance: &Acceptance,
) -> Result<Answer<Joined, NotAccepted>> {
    let Some(open) = lock_open(tx, &acceptance.secret, acceptance.now).await? else {
        return Ok(Err(NotAccepted::Gone));
    };
    let user = users::require(tx, acceptance.user).await?;
    conclude(tx, open, &user, acceptance.proof, acceptance.now).await
}

async fn sign_up_invited(
    tx: &Tx<'_>,
    new: NewUser,
    secret: &SecretHash,
) -> Result<Answer<(SignedUp, Joined), NotAccepted>> {
    let now = new.now;
    let Some(open) = lock_open(tx, secret, now).await? else {
        return Ok(Err(NotAccepted::Gone));
    };
    if !open.is_backed {
        let ended = InvitationStatus::Superseded;
        end(tx, open.invitation.id, ended, now).await?;
        return Ok(Err(NotAccepted::Superseded));
    }
    if new.email != open.invitation.email {
        return Ok(Err(NotAccepted::WrongAccount));
    }
    let new = NewUser {
        is_verified: open.is_mailed,
        ..new
    };
    let mut signed_up = users::sign_up(tx, &new).await?;
    let org = open.organization.id;
    let joined = conclude(tx, open, &signed_up.user, AddressProof::Waived, now).await?;
    signed_up.user = users::land_in(tx, signed_up.user.id, org).await?;
    Ok(joined.map(|joined| (signed_up, joined)))
}

async fn decline_invitation(
    tx: &Tx<'_>,
    secret: &SecretHash,
    decline: Decline,
    now: Timestamp,
) -> Result<bool> {
    let Some(open) = lock_open(tx, secret, now).await? else {
        return Ok(false);
    };
    end(tx, open.invitation.id, InvitationStatus::Declined, now).await?;
    if decline == Decline::ForEver {
        execute(
            tx,
            "insert into invitation_blocks (email, created_at)
            values ($1, $2)
            on conflict do nothing",
            &[&open.invitation.email.as_str(), &now.as_microsecond()],
        )
        .await?;
    }
    Ok(true)
}

async fn forget_invitations(tx: &Tx<'_>, now: Timestamp) -> Result<()> {
    execute(
        tx,
        "update invitations
        set status = 'EXPIRED', ended_at = expires_at
        where status = 'PENDING'
          and expires_at <= $1",
        &[&now.as_microsecond()],
    )
    .await?;
    execute(
        tx,
        "delete from invitations where ended_at <= $1",
        &[&forgotten_before(now).as_microsecond()],
    )
    .await?;
    Ok(())
}

/// Waits for everybody who is inviting somebody: what they do counts towards the limits.
async fn queue(tx: &Tx<'_>) -> Result<()> {
    find(
        tx,
        "select name from queues where name = 'invitations' for update",
        &[],
    )
    .await?;
    Ok(())
}

/// What holds when somebody is to be invited, by an invitation that counts as none itself.
async fn facts(tx: &Tx<'_>, org: OrgId, new: &NewInvitation) -> Result<Facts> {
    let found = find(
        tx,
        "select o.personal_user_id is not null as is_personal,
            (select role from members where org_id = o.id and user_id = $2) as inviter_role,
            exists (
                select 1
                from members n
                join users a on a.id = n.user_id
                where n.org_id = o.id and a.email = $3
            ) as is_member,
            exists (select 1 from invitation_blocks where email = $3) as is_blocked
        from organizations o
        where o.id = $1",
        &[&org.as_uuid(), &new.inviter.as_uuid(), &new.email.as_str()],
    )
    .await?;
    let row = found.ok_or(Error::NotFound {
        what: "organization",
    })?;
    let columns = Columns::new("organizations", &row);
    let inviter = match columns.get::<Option<&str>>("inviter_role")? {
        Some(_) => Some(columns.parse("inviter_role")?),
        None => None,
    };
    let mut facts = Facts {
        inviter,
        is_personal: columns.get("is_personal")?,
        is_member: columns.get("is_member")?,
        pending: find_pending(tx, org, new).await?,
        is_blocked: columns.get("is_blocked")?,
        filled_at: [None; 3],
    };
    for (limit, filled_at) in InvitationLimit::ALL.into_iter().zip(&mut facts.filled_at) {
        *filled_at = find_filled(tx, limit, org, new).await?;
    }
    Ok(facts)
}

async fn find_pending(
    tx: &Tx<'_>,
    org: OrgId,
    new: &NewInvitation,
) -> Result<Option<(InvitationId, Timestamp)>> {
    let found = find(
        tx,
        "select id, expires_at
        from invitations
        where org_id = $1
          and email = $2
          and status = 'PENDING'
          and id <> $3",
        &[&org.as_uuid(), &new.email.as_str(), &new.id.as_uuid()],
    )
    .await?;
    let pending = found.map(|row| {
        let columns = Columns::new("invitations", &row);
        let id = InvitationId::new(columns.uuid("id")?);
        Ok((id, columns.time("expires_at")?))
    });
    pending.transpose()
}

/// When the mail was written that fills a limit.
async fn find_filled(
    tx: &Tx<'_>,
    limit: InvitationLimit,
    org: OrgId,
    new: &NewInvitation,
) -> Result<Option<Timestamp>> {
    let (column, value): (_, Box<dyn ToSql + Sync + Send>) = match limit {
        InvitationLimit::Inviter => ("sender_id", Box::new(new.inviter.as_uuid())),
        InvitationLimit::Organization => ("org_id", Box::new(org.as_uuid())),
        InvitationLimit::Address => ("recipient", Box::new(new.email.to_string())),
    };
    let since = (new.now - limit.within()).as_microsecond();
    let found = find(
        tx,
        &format!(
            "select created_at
            from mails
            where {column} = $1
              and kind = 'INVITATION'
              and created_at > $2
            order by created_at desc
            limit 1 offset $3"
        ),
        &[&*value, &since, &i64::from(limit.count() - 1)],
    )
    .await?;
    let filled = found.map(|row| Columns::new("mails", &row).time("created_at"));
    filled.transpose()
}

/// Puts the mail into the outbox, and lets what the inviter is shown open its link.
async fn send(tx: &Tx<'_>, scope: OrgScope, new: &NewInvitation) -> Result<()> {
    mails::insert(tx, &new.mail(scope)).await?;
    if let Some(shown) = &new.shown {
        mails::insert_link(tx, new.mail_id, shown, false).await?;
    }
    Ok(())
}

/// Lets somebody in, or does not: in the transaction in which all of it was read.
async fn conclude(
    tx: &Tx<'_>,
    open: OpenInvitation,
    user: &User,
    proof: AddressProof,
    now: Timestamp,
) -> Result<Answer<Joined, NotAccepted>> {
    let (org, id) = (open.organization.id, open.invitation.id);
    match open.verdict(user, proof) {
        Verdict::Refuse(why) => return Ok(Err(why)),
        Verdict::End(why) => {
            end(tx, id, InvitationStatus::Superseded, now).await?;
            return Ok(Err(why));
        }
        Verdict::KeepMembership => end(tx, id, InvitationStatus::Superseded, now).await?,
        Verdict::Join => {
            end(tx, id, InvitationStatus::Accepted, now).await?;
            let role = open.invitation.role;
            organizations::insert_member(tx, org, user.id, role, now).await?;
        }
    }
    if open.is_mailed {
        users::verify(tx, user.id, now).await?;
    }
    let member = organizations::require_member(tx, org, user.id).await?;
    Ok(Ok(Joined {
        organization: open.organization,
        member,
    }))
}

/// Ends an invitation that is open: nothing opens it any more.
async fn end(
    tx: &Tx<'_>,
    id: InvitationId,
    status: InvitationStatus,
    now: Timestamp,
) -> Result<()> {
    close_mail(tx, id, now).await?;
    let ended = execute(
        tx,
        "update invitations
        set status = $1, ended_at = $2
        where id = $3
          and status in ('PENDING', 'EXPIRED')",
        &[&status.as_str(), &now.as_microsecond(), &id.as_uuid()],
    )
    .await?;
    match ended {
        0 => Err(Error::NotFound { what: "invitation" }),
        _ => Ok(()),
    }
}

async fn close_mail(tx: &Tx<'_>, id: InvitationId, now: Timestamp) -> Result<()> {
    let found = find(
        tx,
        "select mail_id from invitations where id = $1 and mail_id is not null",
        &[&id.as_uuid()],
    )
    .await?;
    match found {
        Some(row) => {
            let mail = Columns::new("invitations", &row).uuid("mail_id")?;
            mails::close(tx, MailId::new(mail), now).await
        }
        None => Ok(()),
    }
}

async fn require(tx: &Tx<'_>, org: OrgId, id: InvitationId, now: Timestamp) -> Result<Invitation> {
    let found = find(
        tx,
        &format!(
            "select {COLUMNS}
            from invitations i
            join users u on u.id = i.inviter_id
            left join mails m on m.id = i.mail_id
            where i.org_id = $1
              and i.id = $2"
        ),
        &[&org.as_uuid(), &id.as_uuid()],
    )
    .await?;
    let missing = Err(Error::NotFound { what: "invitation" });
    found.as_ref().map_or(missing, |row| invitation(row, now))
}

fn invitation(row: &Row, now: Timestamp) -> Result<Invitation> {
    let columns = Columns::new("invitations", row);
    let expires_at = columns.time("expires_at")?;
    let status: InvitationStatus = columns.parse("status")?;
    let mail = match columns.get::<Option<&str>>("mail_state")? {
        Some(_) => Some(columns.parse::<MailState>("mail_state")?),
        None => None,
    };
    Ok(Invitation {
        id: InvitationId::new(columns.uuid("id")?),
        org_id: OrgId::new(columns.uuid("org_id")?),
        email: columns.read("email", Email::parse)?,
        role: columns.parse("role")?,
        status: status.at(expires_at, now),
        inviter: UserId::new(columns.uuid("inviter_id")?),
        inviter_name: columns.get("inviter_name")?,
        created_at: columns.time("created_at")?,
        expires_at,
        mail,
    })
}
