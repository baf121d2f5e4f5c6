-- What lists of runs show and choose by, so that none reads more than it shows.

-- What began a run: `client` is a command line or a program with a file of its own, `manual` a person, `api` a program with a key.
alter table run add column began_by text not null default 'client';
update run set began_by = 'manual' where stored_pipeline is not null;
update run set began_by = 'schedule' where schedule is not null;

-- What went wrong, as people read it; of older runs the whole document.
alter table run add column error_message text;
update run set error_message = failure;

-- What it has moved and used, as far as it was written.
alter table run add column rows_extracted bigint not null default 0;
alter table run add column rows_loaded bigint not null default 0;
alter table run add column rows_failed bigint not null default 0;
alter table run add column bytes bigint not null default 0;
alter table run add column cpu_ms bigint not null default 0;
alter table run add column peak_bytes bigint not null default 0;

-- Who worked on it; null where the coordinator's own process did.
alter table attempt add column executor text;

-- Every list is read along one of these, newest first: ids of runs grow with time.
create index run_by_organization on run (organization, id);
create index run_by_organization_state on run (organization, state, id);
create index run_by_organization_trigger on run (organization, began_by, id);
create index run_by_pipeline_state on run (pipeline, state, id);
create index run_by_stored_pipeline on run (stored_pipeline, id);
