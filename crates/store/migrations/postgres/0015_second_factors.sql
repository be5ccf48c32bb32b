-- What people show beside their password, and log-ins that wait for it.

create table second_factors (
    user_id uuid not null primary key references users (id) on delete cascade,
    -- As it is: codes are computed from it. docs/security.md says why.
    secret bytea not null check (octet_length(secret) = 20),
    -- When its person showed to have it; null until then, and until then nobody is asked for it.
    confirmed_at bigint,
    -- The step of the last code that counted: none counts twice.
    last_step bigint,
    -- When all tries are there again.
    tries_full_at bigint not null,
    created_at bigint not null
);

-- SHA-256 of codes that help once, when the app is lost.
create table recovery_codes (
    user_id uuid not null references second_factors (user_id) on delete cascade,
    code_hash bytea not null check (octet_length(code_hash) = 32),
    primary key (user_id, code_hash)
);

-- Log-ins whose password was right.
create table log_in_steps (
    secret_hash bytea not null primary key check (octet_length(secret_hash) = 32),
    user_id uuid not null references users (id) on delete cascade,
    expires_at bigint not null
);

create index log_in_steps_by_user on log_in_steps (user_id);
create index log_in_steps_by_expiry on log_in_steps (expires_at);
