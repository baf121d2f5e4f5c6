-- Connections, and the vaults that keep their secrets. Ids are UUIDs as text, times milliseconds since 1970. No secret is
-- here but as a Fernet token of its organization's key, and no such key but wrapped.

-- The ways to open an organization's vault: each wraps the same key, which seals all its secrets.
create table vault_wrap (
    organization text not null references organization (id),
    -- 'key': by a key of the installation; 'password': by one that a master password makes.
    kind text not null,
    -- The vault's key, as a Fernet token.
    sealed text not null,
    -- Of PBKDF2-HMAC-SHA256, for a password.
    salt text,
    iterations bigint,
    created_at bigint not null,
    primary key (organization, kind)
);

create table connection (
    id text primary key,
    organization text not null references organization (id),
    name text not null,
    -- A scheme that one of the connectors answers to, as it was written.
    type text not null,
    -- source, destination, both.
    direction text not null,
    -- Empty: in none.
    folder text not null,
    -- The settings that are no secrets, as JSON.
    config text not null,
    -- Those that are: a JSON object of Fernet tokens.
    sealed text not null,
    created_at bigint not null,
    updated_at bigint not null,
    -- The last test: null where there was none since the settings changed.
    last_tested_at bigint,
    -- success, failed.
    last_test_status text,
    last_test_version text,
    last_test_message text,
    unique (organization, name)
);
create index connection_by_change on connection (organization, updated_at, id);
create index connection_by_type on connection (organization, type);
