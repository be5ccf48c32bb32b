-- How everything that was received ended, and how far the journals are recorded.

-- All items that were received, counted apart from what became of them.
create table received (
    project_id integer not null,
    hour integer not null,
    category text not null,
    quantity integer not null,
    primary key (project_id, hour, category)
) strict, without rowid;

create table outcomes (
    project_id integer not null,
    hour integer not null,
    category text not null,
    outcome text not null,
    reason text not null,
    quantity integer not null,
    primary key (project_id, hour, category, outcome, reason)
) strict, without rowid;

create table journals (
    id blob not null primary key check (length(id) = 16),
    position integer not null
) strict, without rowid;

create table quarantine (
    journal blob not null,
    sequence integer not null,
    project_id integer,
    received_at integer not null,
    error text not null,
    record blob not null,
    primary key (journal, sequence)
) strict, without rowid;

-- What people are to be told of, in order.
create table outbox (
    id integer not null primary key autoincrement,
    project_id integer not null,
    issue_id integer not null,
    event_id blob not null check (length(event_id) = 16),
    kind text not null check (kind in ('NEW', 'REGRESSED'))
) strict;

create index outbox_by_issue on outbox (issue_id);
