-- What happens in organizations, for whoever watches: numbered in the order it became true, kept for some days. Names no other
-- table, so that it outlives what it tells of.
create table news (
    number bigint primary key,
    -- Null: the default organization's.
    organization text,
    -- `run.ended`, `organization.changed`: of what sort the thing is, and what happened to it.
    kind text not null,
    -- The id of the thing.
    subject text not null,
    detail text not null,
    at bigint not null
);
-- `news` is the number of the newest, `news_forgotten` that of the newest of those that are not kept any more.
insert into serial (name, value) values ('news', 0), ('news_forgotten', 0);
