-- Stored events: a table per partition (events_p1, …), made and dropped with it.

create table partitions (
    -- From a sequence: the number names a table and a folder, which must not come to mean another.
    id bigint not null generated always as identity primary key,
    -- Days since 1970-01-01, UTC, of when the events were received.
    day bigint not null,
    retention_days bigint not null,
    unique (day, retention_days)
);

create table events (
    partition_id bigint not null,
    project_id bigint not null,
    event_id uuid not null,
    issue_id bigint not null,
    grouping_id bigint not null,
    occurred_at bigint not null,
    received_at bigint not null,
    segment_id bigint not null,
    start bigint not null,
    length bigint not null,
    ordinal bigint not null,
    primary key (project_id, event_id, partition_id)
) partition by list (partition_id);

create index events_by_issue on events (issue_id, received_at, event_id);

-- How many events of an issue are stored where. Rows outlive their partition until they have been
-- added to the evicted counts of their issues.
create table issue_partitions (
    issue_id bigint not null,
    partition_id bigint not null,
    stored bigint not null,
    primary key (issue_id, partition_id)
);

create index issue_partitions_by_partition on issue_partitions (partition_id);

-- Files of payload frames. Bytes beyond the length are of no transaction.
create table segments (
    id bigint not null generated always as identity primary key,
    partition_id bigint not null references partitions (id),
    -- The journal whose process writes the file, and nobody else; its node alone has it.
    journal uuid not null,
    -- Whether it was made by compaction: nobody appends to it.
    is_compacted boolean not null,
    length bigint not null,
    -- Of the length, frames whose events have been deleted.
    dead_bytes bigint not null default 0,
    -- When compaction first saw dead bytes.
    dead_since bigint
);

create index segments_by_partition on segments (partition_id, journal);

-- How events of an issue were grouped: hashes of all contributing variants, the deciding one first.
create table groupings (
    id bigint not null generated always as identity primary key,
    issue_id bigint not null,
    version text collate "C" not null,
    hashes bytea not null,
    unique (issue_id, version, hashes)
);

create table dictionaries (
    id bigint not null generated always as identity primary key,
    -- How many stored events there were when it was trained.
    trained_at_events bigint not null,
    -- Whether events have been deleted since, some of which it may know pieces of.
    knows_deleted boolean not null default false,
    -- When compaction first saw that.
    stale_since bigint,
    bytes bytea not null
);

-- Which dictionaries the frames of a partition need.
create table partition_dictionaries (
    partition_id bigint not null references partitions (id),
    dictionary_id bigint not null references dictionaries (id),
    primary key (partition_id, dictionary_id)
);
