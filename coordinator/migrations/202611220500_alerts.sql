-- Who is told when a pipeline fails or stands still, and what they were told. Ids are UUIDs as text, times milliseconds since
-- 1970. No secret is here but as a Fernet token of its organization's vault.

create table destination (
    id text primary key,
    organization text not null references organization (id),
    -- As pipeline files name it.
    name text not null,
    -- webhook, slack, email.
    kind text not null,
    -- The settings that are no secrets, as JSON.
    config text not null,
    -- Those that are: a JSON object of Fernet tokens.
    sealed text not null,
    -- What it is told of every pipeline: a JSON list.
    events text not null,
    -- Until when something is on its way to it.
    busy_until bigint not null,
    created_at bigint not null,
    updated_at bigint not null,
    unique (organization, name)
);

create table delivery (
    id text primary key,
    organization text not null,
    destination text not null references destination (id),
    -- failed, stalled, stale, recovered, test.
    event text not null,
    -- What is told, as JSON.
    body text not null,
    -- The number of what happened in the log; null for a test.
    news bigint,
    -- waiting, delivered, given_up.
    state text not null,
    tries bigint not null,
    -- When it is tried next; null once it is not.
    next_at bigint,
    -- What the last try was answered with.
    status bigint,
    answer text,
    tried_at bigint,
    created_at bigint not null,
    unique (destination, news)
);
create index delivery_by_time on delivery (destination, next_at);
create index delivery_by_organization on delivery (organization, id);

-- What is wrong with a pipeline, and was told; gone once it is right again.
create table trouble (
    -- What the pipeline's runs know it by.
    pipeline text not null,
    -- failed, stalled, stale.
    event text not null,
    since bigint not null,
    primary key (pipeline, event)
);

-- `news_told` is the number up to which everybody was told what happened.
insert into serial (name, value) select 'news_told', value from serial where name = 'news';
