-- What a project wants done with events on their way in. A project without a row has the defaults.

create table project_inbound (
    project_id bigint not null primary key,
    org_id uuid not null,
    -- Which events it does not want.
    filters_browser_extensions boolean not null,
    filters_web_crawlers boolean not null,
    filters_legacy_browsers boolean not null,
    filters_localhost boolean not null,
    -- Lists have one entry a line.
    filtered_releases text collate "C" not null,
    filtered_messages text collate "C" not null,
    filtered_addresses text collate "C" not null,
    -- What is taken out of the others.
    scrubs_secrets boolean not null,
    scrubs_addresses boolean not null,
    scrubbed_fields text collate "C" not null,
    safe_fields text collate "C" not null,
    updated_at bigint not null,
    -- On update: a project that moves to another organization takes its settings along.
    foreign key (org_id, project_id) references projects (org_id, id)
        on update cascade on delete cascade
);

create index project_inbound_by_org on project_inbound (org_id, project_id);
