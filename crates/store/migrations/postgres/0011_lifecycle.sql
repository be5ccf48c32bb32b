-- What organizations allow their members, how they were called before, and which are to go.

alter table organizations add column viewers_see_raw boolean not null default true;
alter table organizations add column members_delete_issues boolean not null default false;
alter table organizations add column members_create_projects boolean not null default false;
alter table organizations add column members_invite boolean not null default false;

-- When it was deleted: it can be taken back for a while, and nobody gets to it meanwhile.
alter table organizations add column deleted_at bigint;

create index organizations_by_deletion on organizations (deleted_at) where deleted_at is not null;

-- Slugs that an organization had before. Somebody else may have them by now.
create table old_slugs (
    org_id uuid not null references organizations (id) on delete cascade,
    slug text collate "C" not null,
    -- The later it was given up, the higher.
    number bigint not null,
    primary key (org_id, slug)
);

create index old_slugs_by_slug on old_slugs (slug);
