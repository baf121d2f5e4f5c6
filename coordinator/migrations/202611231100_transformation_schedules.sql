-- Schedules that run transformations: either of the two targets is set. SQLite takes no `not null` back, so the table is made
-- anew, and with it the one that refers to it.

create table target_schedule (
    id text primary key,
    organization text not null references organization (id),
    pipeline text references stored_pipeline (id),
    transformation text references transformation (id),
    -- Of a transformation: whether its runs make what it needs first.
    with_upstream bigint not null,
    cron text not null,
    timezone text not null,
    missed text not null,
    -- Of a pipeline: only this block and what it needs.
    until text,
    -- What it tells its runs, by the names of parameters; null for nothing.
    params text,
    is_active bigint not null,
    -- Whether it stands in the pipeline's file.
    of_file bigint not null,
    -- When it comes next; null while it is not active.
    next_at bigint,
    created_at bigint not null,
    updated_at bigint not null
);
insert into target_schedule (id, organization, pipeline, transformation, with_upstream, cron, timezone, missed, until, params,
    is_active, of_file, next_at, created_at, updated_at)
    select id, organization, pipeline, null, 0, cron, timezone, missed, until, params, is_active, of_file, next_at, created_at,
        updated_at from schedule;

create table target_tick (
    schedule text not null references target_schedule (id),
    at bigint not null,
    -- When to try it; later than now where it has failed to begin.
    try_at bigint not null,
    primary key (schedule, at)
);
insert into target_tick (schedule, at, try_at) select schedule, at, try_at from tick;

drop table tick;
drop table schedule;
alter table target_schedule rename to schedule;
alter table target_tick rename to tick;
create index schedule_by_time on schedule (next_at);
create index schedule_by_pipeline on schedule (pipeline);
create index schedule_by_transformation on schedule (transformation);
create index schedule_by_organization on schedule (organization, id);

-- Whether a run of a transformation is under way, and which was the last.
create index run_by_transformation on run (transformation, id) where transformation is not null;
