-- What people show beside their password, and log-ins that wait for it.

create table second_factors (
    user_id blob not null primary key references users (id) on delete cascade,
    -- As it is: codes are computed from it. docs/security.md says why.
    secret blob not null check (length(secret) = 20),
    -- When its person showed to have it; null until then, and until then nobody is asked for it.
    confirmed_at integer,
    -- The step of the last code that counted: none counts twice.
    last_step integer,
    -- When all tries are there again.
    tries_full_at integer not null,
    created_at integer not null
) strict, without rowid;

-- SHA-256 of codes that help once, when the app is lost.
create table recovery_codes (
    user_id blob not null references second_factors (user_id) on delete cascade,
    code_hash blob not null check (length(code_hash) = 32),
    primary key (user_id, code_hash)
) strict, without rowid;

-- Log-ins whose password was right.
create table log_in_steps (
    secret_hash blob not null primary key check (length(secret_hash) = 32),
    user_id blob not null references users (id) on delete cascade,
    expires_at integer not null
) strict, without rowid;

create index log_in_steps_by_user on log_in_steps (user_id);
create index log_in_steps_by_expiry on log_in_steps (expires_at);
