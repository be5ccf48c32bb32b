//! How somebody answers an invitation: opens, accepts, signs up by it, declines.

use copal_model::{InvitationStatus, OrgId, Plans, Role, Timestamp, User, UserId};
use uuid::Uuid;

use super::{COLUMNS, end, invitation};
use crate::Result;
use crate::access::SecretHash;
use crate::invitations::{
    Acceptance, AddressProof, Answer, Decline, Joined, NotAccepted, OpenInvitation, Verdict,
    may_invite,
};
use crate::postgres::{Columns, Tx, execute, find, organizations, usage, users};
use crate::users::{NewUser, SignedUp};

pub(super) async fn open_invitation(
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
              and i.expires_at > $2
              and o.deleted_at is null",
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
            is_backed: may_invite(inviter, invitation.role, &organization).is_ok(),
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
    // Before its members, as everybody does who changes who is in it.
    organizations::require(tx, OrgId::new(columns.uuid("org_id")?)).await?;
    find(
        tx,
        "select 1 from members where org_id = $1 and user_id = $2 for share",
        &[&columns.uuid("org_id")?, &columns.uuid("inviter_id")?],
    )
    .await?;
    open_invitation(tx, secret, now).await
}

pub(super) async fn accept_invitation(
    tx: &Tx<'_>,
    acceptance: &Acceptance,
    plans: &Plans,
) -> Result<Answer<Joined, NotAccepted>> {
    let Some(open) = lock_open(tx, &acceptance.secret, acceptance.now).await? else {
        return Ok(Err(NotAccepted::Gone));
    };
    let user = users::require(tx, acceptance.user).await?;
    conclude(tx, open, (&user, acceptance.proof), plans, acceptance.now).await
}

pub(super) async fn sign_up_invited(
    tx: &Tx<'_>,
    new: NewUser,
    secret: &SecretHash,
    plans: &Plans,
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
    let joined = {
        let person = (&signed_up.user, AddressProof::Waived);
        conclude(tx, open, person, plans, now).await?
    };
    signed_up.user = users::land_in(tx, signed_up.user.id, org).await?;
    Ok(joined.map(|joined| (signed_up, joined)))
}

pub(super) async fn decline_invitation(
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

/// Lets somebody in, or does not: in the transaction in which all of it was read.
async fn conclude(
    tx: &Tx<'_>,
    open: OpenInvitation,
    (user, proof): (&User, AddressProof),
    plans: &Plans,
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
            usage::require_member_room(tx, org, plans).await?;
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
