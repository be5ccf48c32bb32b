-- People, the organizations they are in, and what they may do there.

create table users (
    id blob not null primary key check (length(id) = 16),
    -- In normal form (model::Email), so that binary equality is equality of addresses.
    email text not null unique,
    name text not null,
    -- Argon2id, PHC format.
    password_hash text not null,
    default_org_id blob not null,
    is_instance_admin integer not null check (is_instance_admin in (0, 1)),
    created_at integer not null,
    -- Nobody lands in an organization they are not in. Deferred, because a person, the personal
    -- organization and the membership are made together and point at each other.
    foreign key (default_org_id, id) references members (org_id, user_id)
        deferrable initially deferred
) strict, without rowid;

create table organizations (
    id blob not null primary key check (length(id) = 16),
    name text not null,
    slug text not null unique,
    plan text not null check (plan in ('FREE', 'PRO', 'ENTERPRISE')),
    -- Whose personal organization it is; null for a shared one. A person has one.
    personal_user_id blob unique references users (id) deferrable initially deferred,
    created_at integer not null
) strict, without rowid;

create table members (
    org_id blob not null references organizations (id),
    user_id blob not null references users (id),
    role text not null check (role in ('OWNER', 'ADMIN', 'MEMBER', 'VIEWER')),
    joined_at integer not null,
    primary key (org_id, user_id)
) strict, without rowid;

create index members_by_user on members (user_id, org_id);
