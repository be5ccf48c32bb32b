-- What people show to get in. Secrets are random; only their SHA-256 is kept.

create table sessions (
    secret_hash bytea not null primary key check (octet_length(secret_hash) = 32),
    user_id uuid not null references users (id) on delete cascade,
    user_agent text collate "C" not null,
    -- When the person last proved who they are.
    authenticated_at bigint not null,
    created_at bigint not null,
    expires_at bigint not null
);

create index sessions_by_user on sessions (user_id);
create index sessions_by_expiry on sessions (expires_at);

create table tokens (
    id uuid not null primary key,
    user_id uuid not null references users (id) on delete cascade,
    name text collate "C" not null,
    -- The first characters of the secret, to tell tokens apart.
    prefix text collate "C" not null,
    secret_hash bytea not null unique check (octet_length(secret_hash) = 32),
    -- Scopes with blanks between them; null = all its user's rights.
    scopes text collate "C",
    created_at bigint not null,
    -- To the minute, so that a busy token costs one write a minute.
    last_used_at bigint,
    expires_at bigint
);

create index tokens_by_user on tokens (user_id, created_at);
create index tokens_by_expiry on tokens (expires_at) where expires_at is not null;
