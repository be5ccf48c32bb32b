//! What holds when somebody is to be invited.

use copal_model::{InvitationId, OrgId, Timestamp};
use rusqlite::types::Value;
use rusqlite::{Connection, params};

use crate::invitations::{Facts, InvitationLimit, NewInvitation};
use crate::sqlite::{Columns, organizations};
use crate::{Error, Result};

/// What holds when somebody is to be invited, by an invitation that counts as none itself.
pub(super) fn facts(db: &Connection, org: OrgId, new: &NewInvitation) -> Result<Facts> {
    let org = org.as_uuid().into_bytes();
    // Question marks, because SQLite counts `$2` as the first where it stands first.
    let mut find = db.prepare_cached(&format!(
        "select {},
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
        organizations::COLUMNS
    ))?;
    let mut found = find.query_and_then(
        params![org, new.inviter.as_uuid().as_bytes(), new.email.as_str()],
        |row| {
            let columns = Columns::new("organizations", row);
            let inviter = match columns.get::<Option<String>>("inviter_role")? {
                Some(_) => Some(columns.parse("inviter_role")?),
                None => None,
            };
            Ok::<_, Error>(Facts {
                organization: organizations::organization(row)?,
                inviter,
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
