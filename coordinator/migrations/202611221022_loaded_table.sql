-- Tables that loads, and SQL in databases, have made visible: what transformations may read. Times are milliseconds since 1970.

create table loaded_table (
    id text primary key,
    organization text not null references organization (id) on delete cascade,
    -- The name by which the pipeline has it.
    connection text not null,
    -- Empty: the connection's own.
    schema_name text not null,
    table_name text not null,
    -- What its runs know the pipeline by, and its id where it is kept.
    pipeline text not null,
    stored_pipeline text,
    run text not null,
    -- Written by the last load; null where the database has made the table by itself.
    row_count bigint,
    loaded_at bigint not null,
    unique (organization, connection, schema_name, table_name)
);
create index loaded_table_by_organization on loaded_table (organization, id);
