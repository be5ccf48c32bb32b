-- Issues, what they own, and what is counted of them.

-- Facts about the whole store, such as the digest of its schema.
create table meta (
    key text not null primary key,
    value text not null
) strict, without rowid;

create table issues (
    -- Project in the high half, number in the low half: one range per project.
    id integer not null primary key,
    project_id integer not null,
    -- The deciding hash of the first event.
    fingerprint blob not null check (length(fingerprint) = 16),
    title text not null,
    error_type text,
    culprit text not null,
    level text not null,
    platform text not null,
    status text not null check (status in ('OPEN', 'RESOLVED', 'IGNORED')),
    is_regressed integer not null check (is_regressed in (0, 1)),
    events_count integer not null,
    -- Of events_count, those that retention has dropped.
    evicted_count integer not null default 0,
    users_affected integer not null,
    first_seen integer not null,
    last_seen integer not null,
    first_release text,
    last_release text
) strict;

-- One for each order of a list; the id, which comes next, is in every index. Lists are of a status
-- nearly always.
create index issues_by_last_seen on issues (project_id, status, last_seen);
create index issues_by_first_seen on issues (project_id, first_seen);
create index issues_by_events on issues (project_id, events_count);
create index issues_by_users on issues (project_id, users_affected);

create table issue_hashes (
    project_id integer not null,
    hash blob not null check (length(hash) = 16),
    issue_id integer not null,
    primary key (project_id, hash)
) strict, without rowid;

create index issue_hashes_by_issue on issue_hashes (issue_id);

-- Empty text where an event has no environment or release.
create table issue_hours (
    issue_id integer not null,
    hour integer not null,
    environment text not null,
    release text not null,
    events integer not null,
    primary key (issue_id, hour, environment, release)
) strict, without rowid;

create table issue_users (
    issue_id integer not null,
    identity text not null,
    primary key (issue_id, identity)
) strict, without rowid;

create table issue_tag_keys (
    issue_id integer not null,
    key text not null,
    -- Events that have the key.
    events integer not null,
    -- Of these, events whose value is beyond the limit of distinct values.
    other integer not null,
    -- Distinct values in issue_tags.
    listed integer not null,
    primary key (issue_id, key)
) strict, without rowid;

create table issue_tags (
    issue_id integer not null,
    key text not null,
    value text not null,
    events integer not null,
    primary key (issue_id, key, value)
) strict, without rowid;

-- What else an issue can be found by; taken from its first event.
create table issue_terms (
    issue_id integer not null,
    key text not null,
    value text not null,
    primary key (issue_id, key, value)
) strict, without rowid;

-- Events of issues that people have deleted: accepted, and in no issue any more.
alter table projects add column deleted_events integer not null default 0;

-- All accepted events of a project by the hour in which they happened, those of deleted issues too.
create table project_hours (
    project_id integer not null,
    hour integer not null,
    events integer not null,
    primary key (project_id, hour)
) strict, without rowid;

-- Where a project's events came from.
create table project_environments (
    project_id integer not null,
    environment text not null,
    primary key (project_id, environment)
) strict, without rowid;
