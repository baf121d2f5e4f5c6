-- What connections were found to lead to: all of it as the last look that went well has seen it.

create table discovery (
    connection text primary key references connection (id) on delete cascade,
    -- The look that counts, whose tables are in metadata_cache; null before the first.
    look text,
    found_at bigint,
    tables bigint not null,
    -- How it differs from the one before it, as JSON.
    drift text,
    -- The newest look, whatever came of it; not finished where it is under way or was broken off.
    started_at bigint not null,
    finished_at bigint,
    -- Why it failed; null where it went well.
    message text
);

-- The tables of a connection that a look has found.
create table metadata_cache (
    connection text not null references connection (id) on delete cascade,
    look text not null,
    schema_name text not null,
    table_name text not null,
    -- Both, in small letters.
    words text not null,
    kind text not null,
    row_estimate bigint,
    column_count bigint not null,
    -- Equal as long as columns and keys are.
    shape text not null,
    -- The whole, as JSON.
    detail text not null,
    primary key (connection, look, schema_name, table_name)
);
