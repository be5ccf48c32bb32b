-- Who did, or tried to do, what matters in an organization. Lines are added and never changed.

create table audit (
    id uuid not null primary key,
    org_id uuid not null references organizations (id) on delete cascade,
    at bigint not null,
    -- No reference: lines outlive people.
    actor_id uuid,
    actor_name text collate "C" not null,
    credential text collate "C" not null,
    ip text collate "C",
    request_id text collate "C" not null,
    action text collate "C" not null,
    target text collate "C" not null,
    result text collate "C" not null check (result in ('ALLOWED', 'DENIED')),
    before text collate "C",
    after text collate "C"
);

create index audit_by_org on audit (org_id, id);
