-- What organizations have of the installation's warehouse. Ids are UUIDs as text, times milliseconds since 1970.

create table tenancy (
    -- Refers to nothing: of an organization that is gone the schemas are still to be dropped.
    organization text primary key,
    -- What the names of its schemas begin with, whatever the organization is called by now.
    prefix text not null unique,
    -- The built-in connection that leads there; null until it does.
    connection text,
    created_at bigint not null
);
create index tenancy_by_connection on tenancy (connection);
