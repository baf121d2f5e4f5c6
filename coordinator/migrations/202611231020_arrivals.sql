-- Triggers that wait for files: where they look, and what was there when they did.

-- Of a trigger of kind files: `connection/path`, and how often it looks, in seconds.
alter table start_trigger add column place text;
alter table start_trigger add column every_s bigint;

create table file_watch (
    start_trigger text primary key references start_trigger (id),
    -- Looks that have gone well. What one has seen is written only over the look before it.
    looks bigint not null,
    -- When to look next.
    due_at bigint not null,
    -- The files of the newest look, by path; null before the first.
    seen text,
    -- Why the newest look has failed.
    error text
);
create index file_watch_by_time on file_watch (due_at);

-- Of an event of arrived files: how many, and the first of their paths.
alter table firing add column arrived text;
create index firing_by_run on firing (run);
