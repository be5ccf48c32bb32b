//! How somebody answers an invitation: opens, accepts, signs up by it, declines.

use copal_model::{InvitationStatus, Plans, Role, Timestamp, User, UserId};
use rusqlite::{Connection, params};
use uuid::Uuid;

use super::{COLUMNS, end, invitation};
use crate::Result;
use crate::access::SecretHash;
use crate::invitations::{
    Acceptance, AddressProof, Answer, Decline, Joined, NotAccepted, OpenInvitation, Verdict,
    may_invite,
};
use crate::sqlite::{Columns, organizations, usage, users};
use crate::users::{NewUser, SignedUp};

pub(super) fn open_invitation(
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
          and i.expires_at > $2
          and o.deleted_at is null",
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
            is_backed: may_invite(inviter, invitation.role, &organization).is_ok(),
            organization,
            invitation,
        })
    })?;
    found.next().transpose()
}

pub(super) fn accept_invitation(
    db: &Connection,
    acceptance: &Acceptance,
    plans: &Plans,
) -> Result<Answer<Joined, NotAccepted>> {
    let Some(open) = open_invitation(db, &acceptance.secret, acceptance.now)? else {
        return Ok(Err(NotAccepted::Gone));
    };
    let user = users::require(db, acceptance.user)?;
    conclude(db, open, (&user, acceptance.proof), plans, acceptance.now)
}

pub(super) fn sign_up_invited(
    db: &Connection,
    new: NewUser,
    secret: &SecretHash,
    plans: &Plans,
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
    let joined = {
        let person = (&signed_up.user, AddressProof::Waived);
        conclude(db, open, person, plans, now)?
    };
    signed_up.user = users::land_in(db, signed_up.user.id, org)?;
    Ok(joined.map(|joined| (signed_up, joined)))
}

pub(super) fn decline_invitation(
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

/// Lets somebody in, or does not: in the transaction in which all of it was read.
fn conclude(
    db: &Connection,
    open: OpenInvitation,
    (user, proof): (&User, AddressProof),
    plans: &Plans,
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
            usage::require_member_room(db, org, plans)?;
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
