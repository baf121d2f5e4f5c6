-- Files of organizations, whose content lies in object storage. Ids are UUIDs as text, times milliseconds since 1970.

create table file (
    id text primary key,
    organization text not null references organization (id) on delete cascade,
    -- Empty: in none.
    folder text not null,
    name text not null,
    size bigint not null,
    sha256 text not null,
    -- The person.
    created_by text,
    created_at bigint not null,
    unique (organization, folder, name)
);

-- Those that are not whole yet.
create table upload (
    id text primary key,
    organization text not null references organization (id) on delete cascade,
    folder text not null,
    name text not null,
    size bigint not null,
    -- What it is to be; null where nobody said.
    sha256 text,
    -- How many bytes are there.
    received bigint not null,
    created_by text,
    created_at bigint not null,
    touched_at bigint not null
);
create index upload_by_organization on upload (organization, touched_at);

-- What has come of them.
create table upload_piece (
    upload text not null references upload (id) on delete cascade,
    -- Its first byte's place in the file.
    start bigint not null,
    -- The object that holds it.
    object text not null,
    primary key (upload, start)
);
