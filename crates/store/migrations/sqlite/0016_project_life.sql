-- Projects that were deleted and can be taken back for a while.

-- When it was deleted: nobody gets to it meanwhile, and its keys are unknown.
alter table projects add column deleted_at integer;

create index projects_by_deletion on projects (deleted_at) where deleted_at is not null;
