-- When a person signed in last, or went on with a session.
alter table person add column last_seen_at bigint;
