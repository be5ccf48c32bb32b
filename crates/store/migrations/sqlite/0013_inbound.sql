-- What a project wants done with events on their way in. A project without a row has the defaults.

create table project_inbound (
    project_id integer not null primary key,
    org_id blob not null,
    -- Which events it does not want.
    filters_browser_extensions integer not null check (filters_browser_extensions in (0, 1)),
    filters_web_crawlers integer not null check (filters_web_crawlers in (0, 1)),
    filters_legacy_browsers integer not null check (filters_legacy_browsers in (0, 1)),
    filters_localhost integer not null check (filters_localhost in (0, 1)),
    -- Lists have one entry a line.
    filtered_releases text not null,
    filtered_messages text not null,
    filtered_addresses text not null,
    -- What is taken out of the others.
    scrubs_secrets integer not null check (scrubs_secrets in (0, 1)),
    scrubs_addresses integer not null check (scrubs_addresses in (0, 1)),
    scrubbed_fields text not null,
    safe_fields text not null,
    updated_at integer not null,
    -- On update: a project that moves to another organization takes its settings along.
    foreign key (org_id, project_id) references projects (org_id, id)
        on update cascade on delete cascade
) strict;

create index project_inbound_by_org on project_inbound (org_id, project_id);
