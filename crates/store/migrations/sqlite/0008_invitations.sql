-- Who is invited into an organization. What opens an invitation is in mail_links.

create table invitations (
    id blob not null primary key check (length(id) = 16),
    org_id blob not null references organizations (id) on delete cascade,
    email text not null,
    role text not null check (role in ('ADMIN', 'MEMBER', 'VIEWER')),
    -- Who answers for it: who made it, or had it sent again last.
    inviter_id blob not null references users (id) on delete cascade,
    status text not null check
        (status in ('PENDING', 'ACCEPTED', 'REVOKED', 'DECLINED', 'EXPIRED', 'SUPERSEDED')),
    -- The mail that carries its link: another one each time it is sent.
    mail_id blob unique references mails (id) on delete set null,
    created_at integer not null,
    expires_at integer not null,
    ended_at integer
) strict, without rowid;

create unique index invitations_open on invitations (org_id, email) where status = 'PENDING';
create index invitations_by_org on invitations (org_id, id);
create index invitations_by_inviter on invitations (inviter_id);

-- Addresses whose owners do not want to be invited any more.
create table invitation_blocks (
    email text not null primary key,
    created_at integer not null
) strict, without rowid;
