-- How many events organizations recorded in each calendar month (UTC).

create table usage (
    org_id blob not null check (length(org_id) = 16),
    -- Months since the year 0.
    month integer not null,
    events integer not null,
    -- Events that there was no room for.
    events_refused integer not null,
    -- Percent of the limit that the owners have been warned of.
    warned_percent integer not null default 0,
    primary key (month, org_id)
) strict, without rowid;

create index usage_by_org on usage (org_id, month);
