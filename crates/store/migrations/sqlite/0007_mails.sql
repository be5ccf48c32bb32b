-- Mails until they are sent and a while longer, the links in them, and who has proved an address.

-- When the person proved to read mail that is sent to the address; null until then.
alter table users add column email_verified_at integer;

create table mails (
    id blob not null primary key check (length(id) = 16),
    kind text not null,
    -- What it is about and who caused it; null for nobody, or for who is gone.
    org_id blob references organizations (id) on delete set null,
    sender_id blob references users (id) on delete set null,
    recipient text not null,
    subject text not null,
    -- With a mark where the secret of its link will be. Both are erased once they are of no use.
    text text,
    html text,
    state text not null check (state in ('WAITING', 'SENT', 'FAILED', 'CANCELLED')),
    attempts integer not null,
    last_error text,
    created_at integer not null,
    -- When it is tried next; while it is being sent, when who sends it is taken for dead.
    next_attempt_at integer not null,
    -- When it is of no use any more.
    expires_at integer not null,
    finished_at integer
) strict, without rowid;

create index mails_due on mails (next_attempt_at, id) where state = 'WAITING';
create index mails_by_recipient on mails (recipient, created_at);
create index mails_by_sender on mails (sender_id, created_at);
create index mails_by_org on mails (org_id, created_at);

-- What opens the link of a mail: SHA-256 of each secret that was handed out with it.
create table mail_links (
    secret_hash blob not null primary key check (length(secret_hash) = 32),
    mail_id blob not null references mails (id) on delete cascade,
    -- Whether the secret was only ever in a mail: who shows it reads mail sent to that address.
    is_mailed integer not null check (is_mailed in (0, 1))
) strict, without rowid;

create index mail_links_by_mail on mail_links (mail_id);
