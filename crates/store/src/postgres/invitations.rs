//! Invitations into organizations.

mod answer;
mod facts;

use async_trait::async_trait;
use copal_model::{
    Email, Invitation, InvitationId, InvitationStatus, MailId, MailState, OrgId, Timestamp, UserId,
};
use tokio_postgres::Row;

use self::answer::{accept_invitation, decline_invitation, open_invitation, sign_up_invited};
use self::facts::facts;
use super::{Columns, PostgresStore, Tx, execute, find, list, mails};
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
        let plans = self.plans;
        self.engine
            .write(move |tx| {
                let acceptance = acceptance.clone();
                Box::pin(async move { accept_invitation(tx, &acceptance, &plans).await })
            })
            .await
    }

    async fn sign_up_invited(
        &self,
        user: NewUser,
        secret: &SecretHash,
    ) -> Result<Answer<(SignedUp, Joined), NotAccepted>> {
        let (secret, plans) = (*secret, self.plans);
        self.engine
            .write(move |tx| {
                let user = user.clone();
                Box::pin(async move { sign_up_invited(tx, user, &secret, &plans).await })
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
    if let Err(refused) = decide(tx, org, new).await? {
        return Ok(Err(refused));
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
    if let Err(refused) = decide(tx, org, new).await? {
        return Ok(Err(refused));
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

/// Whether somebody may be invited; another invitation of theirs whose time is over ends then.
async fn decide(tx: &Tx<'_>, org: OrgId, new: &NewInvitation) -> Result<Answer<(), NotInvited>> {
    let facts = facts(tx, org, new).await?;
    let decided = facts.check(new.role, new.now);
    if let (Ok(()), Some((over, _))) = (decided, facts.pending) {
        end(tx, over, InvitationStatus::Expired, new.now).await?;
    }
    Ok(decided)
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

/// Takes back what a member has sent who leaves (rule D-11).
pub(super) async fn revoke_sent_by(
    tx: &Tx<'_>,
    org: OrgId,
    inviter: UserId,
    now: Timestamp,
) -> Result<()> {
    let rows = list(
        tx,
        "select id from invitations
        where org_id = $1 and inviter_id = $2 and status = 'PENDING'
        order by id for update",
        &[&org.as_uuid(), &inviter.as_uuid()],
    )
    .await?;
    for row in rows {
        let id = InvitationId::new(Columns::new("invitations", &row).uuid("id")?);
        end(tx, id, InvitationStatus::Revoked, now).await?;
    }
    Ok(())
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

/// Puts the mail into the outbox, and lets what the inviter is shown open its link.
async fn send(tx: &Tx<'_>, scope: OrgScope, new: &NewInvitation) -> Result<()> {
    mails::insert(tx, &new.mail(scope)).await?;
    if let Some(shown) = &new.shown {
        mails::insert_link(tx, new.mail_id, shown, false).await?;
    }
    Ok(())
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
