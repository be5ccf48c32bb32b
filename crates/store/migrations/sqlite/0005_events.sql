-- Stored events: a table per partition (events_p1, …), made and dropped with it.

create table partitions (
    -- Autoincrement: the number names a table and a folder, which must not come to mean another.
    id integer not null primary key autoincrement,
    -- Days since 1970-01-01, UTC, of when the events were received.
    day integer not null,
    retention_days integer not null,
    unique (day, retention_days)
) strict;

-- How many events of an issue are stored where. Rows outlive their partition until they have been
-- added to the evicted counts of their issues.
create table issue_partitions (
    issue_id integer not null,
    partition_id integer not null,
    stored integer not null,
    primary key (issue_id, partition_id)
) strict, without rowid;

create index issue_partitions_by_partition on issue_partitions (partition_id);

-- Files of payload frames. Bytes beyond the length are of no transaction.
create table segments (
    id integer not null primary key autoincrement,
    partition_id integer not null references partitions (id),
    -- The journal whose process writes the file, and nobody else.
    journal blob not null check (length(journal) = 16),
    -- Whether it was made by compaction: nobody appends to it.
    is_compacted integer not null check (is_compacted in (0, 1)),
    length integer not null,
    -- Of the length, frames whose events have been deleted.
    dead_bytes integer not null default 0,
    -- When compaction first saw dead bytes.
    dead_since integer
) strict;

create index segments_by_partition on segments (partition_id, journal);

-- How events of an issue were grouped: hashes of all contributing variants, the deciding one first.
create table groupings (
    id integer not null primary key,
    issue_id integer not null,
    version text not null,
    hashes blob not null,
    unique (issue_id, version, hashes)
) strict;

create table dictionaries (
    id integer not null primary key autoincrement,
    -- How many stored events there were when it was trained.
    trained_at_events integer not null,
    -- Whether events have been deleted since, some of which it may know pieces of.
    knows_deleted integer not null default 0 check (knows_deleted in (0, 1)),
    -- When compaction first saw that.
    stale_since integer,
    bytes blob not null
) strict;

-- Which dictionaries the frames of a partition need.
create table partition_dictionaries (
    partition_id integer not null references partitions (id),
    dictionary_id integer not null references dictionaries (id),
    primary key (partition_id, dictionary_id)
) strict, without rowid;
