-- People, the organizations they are in, and what they may do there.

-- Counts what was changed other than telemetry: processes that keep something in memory ask for it.
-- Its one row is locked last in every such transaction.
create table changes (
    number bigint not null
);

insert into changes (number) values (0);

-- Who looks at all of the rows of a table before adding one locks the row of its name here first,
-- so that nobody else adds one meanwhile.
create table queues (
    name text collate "C" not null primary key
);

insert into queues (name) values ('organizations');

create table users (
    id uuid not null primary key,
    -- In normal form (model::Email), so that binary equality is equality of addresses.
    email text collate "C" not null unique,
    name text collate "C" not null,
    -- Argon2id, PHC format.
    password_hash text collate "C" not null,
    default_org_id uuid not null,
    is_instance_admin boolean not null,
    created_at bigint not null
);

create table organizations (
    id uuid not null primary key,
    name text collate "C" not null,
    slug text collate "C" not null unique,
    plan text collate "C" not null check (plan in ('FREE', 'PRO', 'ENTERPRISE')),
    -- Whose personal organization it is; null for a shared one. A person has one.
    personal_user_id uuid unique references users (id) deferrable initially deferred,
    created_at bigint not null
);

create table members (
    org_id uuid not null references organizations (id),
    user_id uuid not null references users (id),
    role text collate "C" not null check (role in ('OWNER', 'ADMIN', 'MEMBER', 'VIEWER')),
    joined_at bigint not null,
    primary key (org_id, user_id)
);

create index members_by_user on members (user_id, org_id);

-- Nobody lands in an organization they are not in. Deferred, because a person, the personal
-- organization and the membership are made together and point at each other.
alter table users
    add foreign key (default_org_id, id) references members (org_id, user_id)
        deferrable initially deferred;
