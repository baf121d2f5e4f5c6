-- What begins runs beside schedules and people: calls from outside, and the success of other pipelines.

create table start_trigger (
    id text primary key,
    organization text not null references organization (id),
    -- The stored pipeline that it runs.
    pipeline text not null references stored_pipeline (id),
    -- webhook or upstream.
    kind text not null,
    -- Of a webhook: the SHA-256 of the secret in its address.
    secret_hash text unique,
    -- Only this block and what it needs.
    until text,
    -- What its runs are told, by the names of parameters.
    params text not null,
    is_active bigint not null,
    created_at bigint not null,
    updated_at bigint not null
);
create index start_trigger_by_pipeline on start_trigger (pipeline);
create index start_trigger_by_organization on start_trigger (organization, id);

-- What a trigger waits for: each upstream has to succeed once before it fires, and then again.
create table dependency (
    start_trigger text not null references start_trigger (id),
    -- Always pipeline.
    upstream_type text not null,
    upstream_id text not null,
    downstream_type text not null,
    downstream_id text not null,
    -- The upstream's newest success since the trigger fired last.
    run text,
    primary key (start_trigger, upstream_type, upstream_id)
);
create index dependency_by_upstream on dependency (upstream_type, upstream_id);

-- Events: each begins one run. Kept for a while after that, so that one which is told again is known.
create table firing (
    id text primary key,
    start_trigger text not null references start_trigger (id),
    -- What the event is known by: the caller's own key, or the run that succeeded last.
    key text not null,
    -- What its run is told beside what the trigger says.
    params text not null,
    at bigint not null,
    -- When to try it; later than now where it has failed to begin.
    try_at bigint not null,
    -- Its run; null while it waits.
    run text,
    -- Why it can never begin one.
    error text,
    unique (start_trigger, key)
);
create index firing_by_time on firing (start_trigger, at);
