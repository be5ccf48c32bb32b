//! Slugs of organizations: which are free, and which an organization had before.

use copal_model::limits::OLD_SLUGS_PER_ORG_MAX;
use copal_model::{OrgId, Slug};

use super::{Columns, Tx, execute, find};
use crate::organizations::GONE;
use crate::{Error, Result};

/// The first slug of the candidates that no organization has.
pub(super) async fn free_slug(tx: &Tx<'_>, wanted: &Slug) -> Result<Slug> {
    for slug in wanted.candidates() {
        if slug_owner(tx, &slug).await?.is_none() {
            return Ok(slug);
        }
    }
    Err(Error::Conflict { what: "slug" })
}

/// Makes sure that an organization may have a slug, and notes the one that it gives up for it.
/// Whoever calls has waited in the queue of organizations.
pub(super) async fn change(tx: &Tx<'_>, org: OrgId, slug: &Slug) -> Result<()> {
    let owner = slug_owner(tx, slug).await?;
    if owner.is_some_and(|owner| owner != org) {
        return Err(Error::Conflict { what: "slug" });
    }
    let org = org.as_uuid();
    let found = find(
        tx,
        "select slug
        from organizations
        where id = $1
          and deleted_at is null
        for no key update",
        &[&org],
    )
    .await?;
    let old: String = found.ok_or(GONE)?.try_get(0)?;
    if old == slug.as_str() {
        return Ok(());
    }
    execute(
        tx,
        "delete from old_slugs where org_id = $1 and slug in ($2, $3)",
        &[&org, &old, &slug.as_str()],
    )
    .await?;
    execute(
        tx,
        "insert into old_slugs (org_id, slug, number)
        select $1, $2, coalesce(max(number), 0) + 1
        from old_slugs
        where org_id = $1",
        &[&org, &old],
    )
    .await?;
    execute(
        tx,
        "delete from old_slugs
        where org_id = $1
          and number <= (select max(number) from old_slugs where org_id = $1) - $2",
        &[&org, &i64::from(OLD_SLUGS_PER_ORG_MAX)],
    )
    .await?;
    Ok(())
}

async fn slug_owner(tx: &Tx<'_>, slug: &Slug) -> Result<Option<OrgId>> {
    let found = find(
        tx,
        "select id from organizations where slug = $1",
        &[&slug.as_str()],
    )
    .await?;
    let owner = found.map(|row| {
        Columns::new("organizations", &row)
            .uuid("id")
            .map(OrgId::new)
    });
    owner.transpose()
}
