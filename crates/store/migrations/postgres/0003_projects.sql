-- Where events come from, and the keys that let them in.

create table projects (
    -- Small, because SDKs parse it as a number; from a sequence, because an id that was ever in a
    -- DSN must not come to mean another project.
    id bigint not null generated always as identity primary key check (id between 1 and 2147483647),
    org_id uuid not null references organizations (id),
    name text collate "C" not null,
    slug text collate "C" not null,
    platform text collate "C",
    -- The number of the next issue, as short ids show it. Never goes down.
    next_issue_number bigint not null default 1,
    -- When the first event was recorded; null until then.
    first_event_at bigint,
    created_at bigint not null,
    unique (org_id, slug),
    -- What the composite foreign keys of children point at: a wrong join fails instead of leaking.
    unique (org_id, id)
);

create table client_keys (
    id uuid not null primary key,
    org_id uuid not null,
    project_id bigint not null,
    public_key text collate "C" not null unique check (length(public_key) = 32),
    label text collate "C" not null,
    is_active boolean not null,
    created_at bigint not null,
    -- On update: a project that moves to another organization takes its keys along.
    foreign key (org_id, project_id) references projects (org_id, id)
        on update cascade on delete cascade
);

create index client_keys_by_project on client_keys (org_id, project_id, created_at);
