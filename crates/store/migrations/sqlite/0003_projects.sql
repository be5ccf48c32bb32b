-- Where events come from, and the keys that let them in.

create table projects (
    -- Small, because SDKs parse it as a number; autoincrement, because an id that was ever in a DSN
    -- must not come to mean another project.
    id integer not null primary key autoincrement check (id between 1 and 2147483647),
    org_id blob not null references organizations (id),
    name text not null,
    slug text not null,
    platform text,
    -- The number of the next issue, as short ids show it. Never goes down.
    next_issue_number integer not null default 1,
    -- When the first event was recorded; null until then.
    first_event_at integer,
    created_at integer not null,
    unique (org_id, slug),
    -- What the composite foreign keys of children point at: a wrong join fails instead of leaking.
    unique (org_id, id)
) strict;

create table client_keys (
    id blob not null primary key check (length(id) = 16),
    org_id blob not null,
    project_id integer not null,
    public_key text not null unique check (length(public_key) = 32),
    label text not null,
    is_active integer not null check (is_active in (0, 1)),
    created_at integer not null,
    -- On update: a project that moves to another organization takes its keys along.
    foreign key (org_id, project_id) references projects (org_id, id)
        on update cascade on delete cascade
) strict, without rowid;

create index client_keys_by_project on client_keys (org_id, project_id, created_at);
