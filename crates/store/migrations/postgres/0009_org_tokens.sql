-- What organizations show to get in, tokens of people that some do not take, and when sessions live.

create table org_tokens (
    id uuid not null primary key,
    org_id uuid not null references organizations (id) on delete cascade,
    name text collate "C" not null,
    -- The first characters of the secret, to tell tokens apart.
    prefix text collate "C" not null,
    secret_hash bytea not null unique check (octet_length(secret_hash) = 32),
    -- Scopes with blanks between them.
    scopes text collate "C" not null,
    -- Who made it; null once their account is gone.
    creator_id uuid references users (id) on delete set null,
    created_at bigint not null,
    -- To the minute, so that a busy token costs one write a minute.
    last_used_at bigint,
    expires_at bigint not null
);

create index org_tokens_by_org on org_tokens (org_id, created_at);
create index org_tokens_by_creator on org_tokens (creator_id);
create index org_tokens_by_expiry on org_tokens (expires_at);

-- Personal tokens that an organization does not take, although their user is a member.
create table shut_out_tokens (
    org_id uuid not null references organizations (id) on delete cascade,
    token_id uuid not null references tokens (id) on delete cascade,
    created_at bigint not null,
    primary key (token_id, org_id)
);

create index shut_out_tokens_by_org on shut_out_tokens (org_id);

-- To the hour; null where it was not used since its first.
alter table sessions add column last_seen_at bigint;
