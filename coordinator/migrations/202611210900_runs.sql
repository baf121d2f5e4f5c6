-- Runs and all that belongs to them. Times are milliseconds since 1970, documents are JSON as text, flags are 0 or 1,
-- so that SQLite and PostgreSQL take the same statements.

-- Numbers that only grow: `token` fences attempts, `term` fences the process that owns a run.
create table serial (
    name text primary key,
    value bigint not null
);
insert into serial (name, value) values ('token', 0), ('term', 0);

create table pipeline (
    name text primary key,
    created_at bigint not null
);

-- Immutable: a pipeline's canonical JSON by the SHA-256 of that text.
create table pipeline_version (
    pipeline text not null references pipeline (name),
    hash text not null,
    definition text not null,
    created_at bigint not null,
    primary key (pipeline, hash)
);

create table run (
    id text primary key,
    pipeline text not null,
    hash text not null,
    options text not null,
    state text not null,
    failure text,
    -- Whoever claimed the run last; every write names it.
    term bigint not null,
    -- Number of the run's newest event.
    seq bigint not null,
    created_at bigint not null,
    started_at bigint not null,
    finished_at bigint,
    -- Whether its boundaries may still lie in object storage.
    kept bigint not null,
    foreign key (pipeline, hash) references pipeline_version (pipeline, hash)
);
create index run_by_pipeline on run (pipeline, id);
-- One active run per pipeline, whoever asks.
create unique index run_active on run (pipeline) where state in ('running', 'failing', 'cancelling');

create table segment (
    run text not null references run (id),
    id text not null,
    -- Place in topological order.
    place bigint not null,
    spec text not null,
    state text not null,
    failures bigint not null,
    next_try_at bigint,
    winner bigint,
    primary key (run, id)
);

create table attempt (
    token bigint primary key,
    run text not null,
    segment text not null,
    number bigint not null,
    state text not null,
    failure text,
    -- Manifest, staging notes, test results, positions and meters; see proto's `Prepared`.
    prepared text,
    started_at bigint not null,
    ended_at bigint,
    -- Whether everything it staged is known to be gone.
    discarded bigint not null,
    foreign key (run, segment) references segment (run, id)
);
create index attempt_by_run on attempt (run, token);

-- What was or is being published: `intent` before the target is asked, `done` after it answered.
create table sink_commit (
    pipeline text not null,
    block text not null,
    run text not null references run (id),
    token bigint not null,
    state text not null,
    at bigint not null,
    primary key (pipeline, block, run)
);

-- Where the next incremental read of a block starts.
create table source_position (
    pipeline text not null,
    block text not null,
    position text not null,
    -- The run that moved it; null where a person did.
    run text,
    moved_at bigint not null,
    primary key (pipeline, block)
);

-- Append-only: every decision with what caused it, written in the same transaction.
create table event (
    run text not null references run (id),
    seq bigint not null,
    at bigint not null,
    kind text not null,
    detail text not null,
    primary key (run, seq)
);
