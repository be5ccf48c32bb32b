-- Who is invited into an organization. What opens an invitation is in mail_links.

insert into queues (name) values ('invitations');

create table invitations (
    id uuid not null primary key,
    org_id uuid not null references organizations (id) on delete cascade,
    email text collate "C" not null,
    role text collate "C" not null check (role in ('ADMIN', 'MEMBER', 'VIEWER')),
    -- Who answers for it: who made it, or had it sent again last.
    inviter_id uuid not null references users (id) on delete cascade,
    status text collate "C" not null check
        (status in ('PENDING', 'ACCEPTED', 'REVOKED', 'DECLINED', 'EXPIRED', 'SUPERSEDED')),
    -- The mail that carries its link: another one each time it is sent.
    mail_id uuid unique references mails (id) on delete set null,
    created_at bigint not null,
    expires_at bigint not null,
    ended_at bigint
);

create unique index invitations_open on invitations (org_id, email) where status = 'PENDING';
create index invitations_by_org on invitations (org_id, id);
create index invitations_by_inviter on invitations (inviter_id);

-- Addresses whose owners do not want to be invited any more.
create table invitation_blocks (
    email text collate "C" not null primary key,
    created_at bigint not null
);
