-- Who people are elsewhere: the sign-in of another service that lets one in here. Times are milliseconds since 1970.
create table identity (
    -- The URL of the service, and the name that it never gives to another.
    issuer text not null,
    subject text not null,
    person text not null references person (id),
    created_at bigint not null,
    primary key (issuer, subject)
);
create index identity_by_person on identity (person);
