-- People, their organizations, and how they are let in. Ids are UUIDs as text, times milliseconds since 1970; of every
-- secret only a hash is here, except the key that access tokens are signed with.

-- One row: what belongs to the installation as a whole.
create table installation (
    id bigint primary key,
    -- 32 random bytes in base64; made at the first use.
    signing_key text,
    -- Owns what nobody's organization does: runs of the command line and of gRPC.
    default_organization text
);
insert into installation (id) values (1);

create table person (
    id text primary key,
    -- In lower case: two spellings of one address are one person.
    email text not null unique,
    name text not null,
    -- Argon2id, with its salt and cost.
    password_hash text not null,
    super_admin bigint not null,
    created_at bigint not null
);

create table organization (
    id text primary key,
    name text not null,
    slug text not null unique,
    created_at bigint not null
);

create table membership (
    person text not null references person (id),
    organization text not null references organization (id),
    role text not null,
    created_at bigint not null,
    primary key (person, organization)
);
create index membership_by_organization on membership (organization);

create table invitation (
    id text primary key,
    organization text not null references organization (id),
    email text not null,
    role text not null,
    hash text not null unique,
    invited_by text not null references person (id),
    created_at bigint not null,
    expires_at bigint not null
);
create index invitation_by_organization on invitation (organization);

-- One sign-in: the family of the refresh tokens that came of it.
create table session (
    id text primary key,
    person text not null references person (id),
    created_at bigint not null,
    ended_at bigint
);

create table refresh_token (
    hash text primary key,
    session text not null references session (id),
    expires_at bigint not null,
    -- When it was exchanged for the next one; a second exchange ends the session.
    used_at bigint
);
create index refresh_token_by_session on refresh_token (session);

-- Acts as the person who made it, in one organization, within its scopes.
create table api_key (
    id text primary key,
    person text not null references person (id),
    organization text not null references organization (id),
    name text not null,
    -- What it begins with, for people to know it by.
    prefix text not null,
    hash text not null unique,
    scopes text not null,
    created_at bigint not null,
    expires_at bigint,
    last_used_at bigint
);
create index api_key_by_organization on api_key (organization);

-- Append-only: who changed what, from where. Names no other table, so that it outlives what it tells of.
create table audit (
    id text primary key,
    -- Null: the installation's own.
    organization text,
    -- Null where nobody has signed in.
    person text,
    -- The API key it was done with, if it was one.
    api_key text,
    address text not null,
    action text not null,
    subject text not null,
    before text,
    after text,
    at bigint not null
);
create index audit_by_organization on audit (organization, id);

-- Null: the default organization's.
alter table run add column organization text;
create index run_by_state on run (state, id);
