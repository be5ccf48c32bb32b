-- Issues, what they own, and what is counted of them.

-- Facts about the whole store, such as the digest of its schema.
create table meta (
    key text collate "C" not null primary key,
    value text collate "C" not null
);

-- Names the database in the data folders of its nodes, so that none takes another's payloads for
-- its own.
insert into meta (key, value) values ('database', gen_random_uuid()::text);

create table issues (
    -- Project in the high half, number in the low half: one range per project.
    id bigint not null primary key,
    project_id bigint not null,
    -- The deciding hash of the first event.
    fingerprint bytea not null check (octet_length(fingerprint) = 16),
    title text collate "C" not null,
    error_type text collate "C",
    culprit text collate "C" not null,
    level text collate "C" not null,
    platform text collate "C" not null,
    status text collate "C" not null check (status in ('OPEN', 'RESOLVED', 'IGNORED')),
    is_regressed boolean not null,
    events_count bigint not null,
    -- Of events_count, those that retention has dropped.
    evicted_count bigint not null default 0,
    users_affected bigint not null,
    first_seen bigint not null,
    last_seen bigint not null,
    first_release text collate "C",
    last_release text collate "C"
);

-- One for each order of a list; the id tells equal ones apart. Lists are of a status nearly always.
create index issues_by_last_seen on issues (project_id, status, last_seen, id);
create index issues_by_first_seen on issues (project_id, first_seen, id);
create index issues_by_events on issues (project_id, events_count, id);
create index issues_by_users on issues (project_id, users_affected, id);

create table issue_hashes (
    project_id bigint not null,
    hash bytea not null check (octet_length(hash) = 16),
    issue_id bigint not null,
    primary key (project_id, hash)
);

create index issue_hashes_by_issue on issue_hashes (issue_id);

-- Empty text where an event has no environment or release.
create table issue_hours (
    issue_id bigint not null,
    hour bigint not null,
    environment text collate "C" not null,
    release text collate "C" not null,
    events bigint not null,
    primary key (issue_id, hour, environment, release)
);

create table issue_users (
    issue_id bigint not null,
    identity text collate "C" not null,
    primary key (issue_id, identity)
);

create table issue_tag_keys (
    issue_id bigint not null,
    key text collate "C" not null,
    -- Events that have the key.
    events bigint not null,
    -- Of these, events whose value is beyond the limit of distinct values.
    other bigint not null,
    -- Distinct values in issue_tags.
    listed bigint not null,
    primary key (issue_id, key)
);

create table issue_tags (
    issue_id bigint not null,
    key text collate "C" not null,
    value text collate "C" not null,
    events bigint not null,
    primary key (issue_id, key, value)
);

-- What else an issue can be found by; taken from its first event, each once. Messages are longer
-- than an index may hold.
create table issue_terms (
    issue_id bigint not null,
    key text collate "C" not null,
    value text collate "C" not null
);

create index issue_terms_by_issue on issue_terms (issue_id, key);

-- Events of issues that people have deleted: accepted, and in no issue any more.
alter table projects add column deleted_events bigint not null default 0;

-- All accepted events of a project by the hour in which they happened, those of deleted issues too.
create table project_hours (
    project_id bigint not null,
    hour bigint not null,
    events bigint not null,
    primary key (project_id, hour)
);

-- Where a project's events came from.
create table project_environments (
    project_id bigint not null,
    environment text collate "C" not null,
    primary key (project_id, environment)
);
