-- From where events may come, how many of a key, and how long a project keeps them.

alter table projects add column allowed_origins text not null default '*';
-- Null: as long as the plan of its organization says.
alter table projects add column retention_days integer;

-- Events within one window; null = any number.
alter table client_keys add column limit_events integer;
alter table client_keys add column limit_secs integer;
