-- Files that loads have put among their organization's files: the run that wrote each last. Of a load into a folder the
-- folder, whose files are named after their runs.

create table written_file (
    organization text not null references organization (id) on delete cascade,
    -- Empty: in none.
    folder text not null,
    name text not null,
    run text not null references run (id),
    primary key (organization, folder, name)
);
