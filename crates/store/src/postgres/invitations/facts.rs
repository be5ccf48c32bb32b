//! What holds when somebody is to be invited.

use copal_model::{InvitationId, OrgId, Timestamp};
use tokio_postgres::types::ToSql;

use crate::invitations::{Facts, InvitationLimit, NewInvitation};
use crate::postgres::{Columns, Tx, find, organizations};
use crate::{Error, Result};

/// What holds when somebody is to be invited, by an invitation that counts as none itself.
pub(super) async fn facts(tx: &Tx<'_>, org: OrgId, new: &NewInvitation) -> Result<Facts> {
    let found = find(
        tx,
        &format!(
            "select {},
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
            organizations::COLUMNS
        ),
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
        organization: organizations::organization(&row)?,
        inviter,
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
