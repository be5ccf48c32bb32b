-- How everything that was received ended, and how far the journals are recorded.

-- All items that were received, counted apart from what became of them.
create table received (
    project_id bigint not null,
    hour bigint not null,
    category text collate "C" not null,
    quantity bigint not null,
    primary key (project_id, hour, category)
);

create table outcomes (
    project_id bigint not null,
    hour bigint not null,
    category text collate "C" not null,
    outcome text collate "C" not null,
    reason text collate "C" not null,
    quantity bigint not null,
    primary key (project_id, hour, category, outcome, reason)
);

create table journals (
    id uuid not null primary key,
    position bigint not null
);

create table quarantine (
    journal uuid not null,
    sequence bigint not null,
    project_id bigint,
    received_at bigint not null,
    error text collate "C" not null,
    record bytea not null,
    primary key (journal, sequence)
);

-- What people are to be told of, in order.
create table outbox (
    id bigint not null generated always as identity primary key,
    project_id bigint not null,
    issue_id bigint not null,
    event_id uuid not null,
    kind text collate "C" not null check (kind in ('NEW', 'REGRESSED'))
);

create index outbox_by_issue on outbox (issue_id);
