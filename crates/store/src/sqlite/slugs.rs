//! Slugs of organizations: which are free, and which an organization had before.

use copal_model::limits::OLD_SLUGS_PER_ORG_MAX;
use copal_model::{OrgId, Slug};
use rusqlite::{Connection, OptionalExtension, params};

use super::Columns;
use crate::organizations::GONE;
use crate::{Error, Result};

/// The first slug of the candidates that no organization has.
pub(super) fn free_slug(db: &Connection, wanted: &Slug) -> Result<Slug> {
    for slug in wanted.candidates() {
        if slug_owner(db, &slug)?.is_none() {
            return Ok(slug);
        }
    }
    Err(Error::Conflict { what: "slug" })
}

/// Makes sure that an organization may have a slug, and notes the one that it gives up for it.
pub(super) fn change(db: &Connection, org: OrgId, slug: &Slug) -> Result<()> {
    if slug_owner(db, slug)?.is_some_and(|owner| owner != org) {
        return Err(Error::Conflict { what: "slug" });
    }
    let org = org.as_uuid().into_bytes();
    let old: Option<String> = db
        .prepare_cached("select slug from organizations where id = $1 and deleted_at is null")?
        .query_row([org], |row| row.get(0))
        .optional()?;
    let old = old.ok_or(GONE)?;
    if old == slug.as_str() {
        return Ok(());
    }
    db.prepare_cached("delete from old_slugs where org_id = $1 and slug in ($2, $3)")?
        .execute(params![org, old, slug.as_str()])?;
    db.prepare_cached(
        "insert into old_slugs (org_id, slug, number)
        select $1, $2, coalesce(max(number), 0) + 1
        from old_slugs
        where org_id = $1",
    )?
    .execute(params![org, old])?;
    db.prepare_cached(
        "delete from old_slugs
        where org_id = $1
          and number <= (select max(number) from old_slugs where org_id = $1) - $2",
    )?
    .execute(params![org, OLD_SLUGS_PER_ORG_MAX])?;
    Ok(())
}

fn slug_owner(db: &Connection, slug: &Slug) -> Result<Option<OrgId>> {
    let mut find = db.prepare_cached("select id from organizations where slug = $1")?;
    let mut found = find.query_and_then([slug.as_str()], |row| {
        Columns::new("organizations", row)
            .uuid("id")
            .map(OrgId::new)
    })?;
    found.next().transpose()
}
