-- Which of several coordinators may write: the one of the greatest term. One row; a new leader raises the term before all
-- else, and every write of a leader asks whether it is still its own.
create table leadership (
    id bigint primary key,
    term bigint not null,
    since bigint not null
);
insert into leadership (id, term, since) values (1, 0, 0);
