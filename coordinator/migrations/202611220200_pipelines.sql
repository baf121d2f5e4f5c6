-- Pipelines that are kept for an organization, every state they were in, and when they run.

create table stored_pipeline (
    id text primary key,
    organization text not null references organization (id),
    name text not null,
    -- What its runs, positions and remembered columns know it by; the same for ever.
    key text not null unique,
    -- draft, active or paused.
    status text not null,
    description text,
    -- The number of the newest one.
    revision bigint not null,
    -- Where blocks stand on a canvas.
    layout text not null,
    created_at bigint not null,
    updated_at bigint not null,
    unique (organization, name)
);

-- Immutable: the file as it was applied.
create table revision (
    pipeline text not null references stored_pipeline (id),
    number bigint not null,
    source text not null,
    -- The pipeline that the file is; null while it is not right.
    definition text,
    -- Who applied it; null where nobody has to sign in.
    author text,
    message text not null,
    -- The revision that it brought back.
    restored bigint,
    created_at bigint not null,
    primary key (pipeline, number)
);

create table schedule (
    id text primary key,
    organization text not null references organization (id),
    pipeline text not null references stored_pipeline (id),
    cron text not null,
    timezone text not null,
    missed text not null,
    -- Only this block and what it needs.
    until text,
    is_active bigint not null,
    -- Whether it stands in the pipeline's file.
    of_file bigint not null,
    -- When it comes next; null while it is not active.
    next_at bigint,
    created_at bigint not null,
    updated_at bigint not null
);
create index schedule_by_time on schedule (next_at);
create index schedule_by_pipeline on schedule (pipeline);
create index schedule_by_organization on schedule (organization, id);

-- Times that have come and whose runs have not begun.
create table tick (
    schedule text not null references schedule (id),
    at bigint not null,
    -- When to try it; later than now where it has failed to begin.
    try_at bigint not null,
    primary key (schedule, at)
);

-- What a run is of, and what began it; all null for a run of a file that is not kept.
alter table run add column stored_pipeline text;
alter table run add column revision bigint;
alter table run add column schedule text;
alter table run add column tick bigint;
-- One run for each time of a schedule, whoever decides.
create unique index run_by_tick on run (schedule, tick);

-- Answers of calls that make something, for callers who ask again; `scope` is who called what, `body` a hash.
create table idempotency (
    scope text not null,
    key text not null,
    body text not null,
    -- Null until there is an answer.
    status bigint,
    answer text,
    at bigint not null,
    primary key (scope, key)
);
create index idempotency_by_time on idempotency (at);
