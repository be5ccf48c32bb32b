-- From where events may come, how many of a key, and how long a project keeps them.

alter table projects add column allowed_origins text collate "C" not null default '*';
-- Null: as long as the plan of its organization says.
alter table projects add column retention_days bigint;

-- Events within one window; null = any number.
alter table client_keys add column limit_events bigint;
alter table client_keys add column limit_secs bigint;
