-- What each attempt has used: milliseconds of CPU, and the greatest resident memory in bytes; see proto's `Cost`.
alter table attempt add column cpu_ms bigint not null default 0;
alter table attempt add column peak_bytes bigint not null default 0;
