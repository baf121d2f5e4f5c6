-- How many runs go at once, and which of those that wait comes first.

-- Runs of the organization that may be under way at once; null for as many as there are.
alter table organization add column runs_at_once bigint;

-- -1 low, 0 normal, 1 high.
alter table run add column priority bigint not null default 0;
-- Whether it still waits for its turn; it has begun nothing then.
alter table run add column queued bigint not null default 0;

-- What the schedule tells its runs, by the names of parameters; null for nothing.
alter table schedule add column params text;
