-- SQL that is kept by name and makes a table or a view where it stands. Times are milliseconds since 1970.

create table transformation (
    id text primary key,
    organization text not null references organization (id) on delete cascade,
    name text not null,
    description text,
    sql_body text not null,
    -- view, table, incremental or ephemeral.
    materialization text not null,
    connection text not null,
    schema_name text not null,
    -- What names a row of an incremental one, and what its newest rows are found by; JSON.
    incremental text not null,
    -- The settings of a test of its rows, and the parameters that its SQL names, as pipeline files have them; JSON.
    tests text not null,
    params text not null,
    -- Grows with every change.
    revision bigint not null,
    created_at bigint not null,
    updated_at bigint not null,
    unique (organization, name)
);

-- The transformation that a run is of; null for a run of a pipeline.
alter table run add column transformation text;
