-- Who did, or tried to do, what matters in an organization. Lines are added and never changed.

create table audit (
    id blob not null primary key check (length(id) = 16),
    org_id blob not null references organizations (id) on delete cascade,
    at integer not null,
    -- No reference: lines outlive people.
    actor_id blob check (length(actor_id) = 16),
    actor_name text not null,
    credential text not null,
    ip text,
    request_id text not null,
    action text not null,
    target text not null,
    result text not null check (result in ('ALLOWED', 'DENIED')),
    before text,
    after text
) strict, without rowid;

create index audit_by_org on audit (org_id, id);
