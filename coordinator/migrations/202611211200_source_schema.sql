-- The columns that a block's extract read last, as far as they are published; see proto's `Prepared`.
create table source_schema (
    pipeline text not null,
    block text not null,
    columns text not null,
    run text not null,
    read_at bigint not null,
    primary key (pipeline, block)
);
