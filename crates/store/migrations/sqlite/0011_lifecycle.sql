-- What organizations allow their members, how they were called before, and which are to go.

alter table organizations add column viewers_see_raw integer not null default 1
    check (viewers_see_raw in (0, 1));
alter table organizations add column members_delete_issues integer not null default 0
    check (members_delete_issues in (0, 1));
alter table organizations add column members_create_projects integer not null default 0
    check (members_create_projects in (0, 1));
alter table organizations add column members_invite integer not null default 0
    check (members_invite in (0, 1));

-- When it was deleted: it can be taken back for a while, and nobody gets to it meanwhile.
alter table organizations add column deleted_at integer;

create index organizations_by_deletion on organizations (deleted_at) where deleted_at is not null;

-- Slugs that an organization had before. Somebody else may have them by now.
create table old_slugs (
    org_id blob not null references organizations (id) on delete cascade,
    slug text not null,
    -- The later it was given up, the higher.
    number integer not null,
    primary key (org_id, slug)
) strict, without rowid;

create index old_slugs_by_slug on old_slugs (slug);
