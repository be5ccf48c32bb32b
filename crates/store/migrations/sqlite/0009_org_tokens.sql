-- What organizations show to get in, tokens of people that some do not take, and when sessions live.

create table org_tokens (
    id blob not null primary key check (length(id) = 16),
    org_id blob not null references organizations (id) on delete cascade,
    name text not null,
    -- The first characters of the secret, to tell tokens apart.
    prefix text not null,
    secret_hash blob not null unique check (length(secret_hash) = 32),
    -- Scopes with blanks between them.
    scopes text not null,
    -- Who made it; null once their account is gone.
    creator_id blob references users (id) on delete set null,
    created_at integer not null,
    -- To the minute, so that a busy token costs one write a minute.
    last_used_at integer,
    expires_at integer not null
) strict, without rowid;

create index org_tokens_by_org on org_tokens (org_id, created_at);
create index org_tokens_by_creator on org_tokens (creator_id);
create index org_tokens_by_expiry on org_tokens (expires_at);

-- Personal tokens that an organization does not take, although their user is a member.
create table shut_out_tokens (
    org_id blob not null references organizations (id) on delete cascade,
    token_id blob not null references tokens (id) on delete cascade,
    created_at integer not null,
    primary key (token_id, org_id)
) strict, without rowid;

create index shut_out_tokens_by_org on shut_out_tokens (org_id);

-- To the hour; null where it was not used since its first.
alter table sessions add column last_seen_at integer;
