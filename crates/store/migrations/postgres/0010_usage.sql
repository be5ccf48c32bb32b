-- How many events organizations recorded in each calendar month (UTC).

create table usage (
    -- No foreign key: it would lock the organization after its projects, which is the wrong order.
    org_id uuid not null,
    -- Months since the year 0.
    month bigint not null,
    events bigint not null,
    -- Events that there was no room for.
    events_refused bigint not null,
    -- Percent of the limit that the owners have been warned of.
    warned_percent bigint not null default 0,
    primary key (month, org_id)
);

create index usage_by_org on usage (org_id, month);
