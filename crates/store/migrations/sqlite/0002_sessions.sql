-- What people show to get in. Secrets are random; only their SHA-256 is kept.

create table sessions (
    secret_hash blob not null primary key check (length(secret_hash) = 32),
    user_id blob not null references users (id) on delete cascade,
    user_agent text not null,
    -- When the person last proved who they are.
    authenticated_at integer not null,
    created_at integer not null,
    expires_at integer not null
) strict, without rowid;

create index sessions_by_user on sessions (user_id);
create index sessions_by_expiry on sessions (expires_at);

create table tokens (
    id blob not null primary key check (length(id) = 16),
    user_id blob not null references users (id) on delete cascade,
    name text not null,
    -- The first characters of the secret, to tell tokens apart.
    prefix text not null,
    secret_hash blob not null unique check (length(secret_hash) = 32),
    -- Scopes with blanks between them; null = all its user's rights.
    scopes text,
    created_at integer not null,
    -- To the minute, so that a busy token costs one write a minute.
    last_used_at integer,
    expires_at integer
) strict, without rowid;

create index tokens_by_user on tokens (user_id, created_at);
create index tokens_by_expiry on tokens (expires_at) where expires_at is not null;
