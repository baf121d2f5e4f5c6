-- How many blocks of a pipeline's newest revision compute, in the engine or inside a database: counted once, when it is kept.
alter table stored_pipeline add column computing bigint not null default 0;
-- Each kind is found as often as its text goes missing when it is taken away.
update stored_pipeline set computing = coalesce((
    select (length(v.definition) - length(replace(v.definition, '"kind":"sql"', ''))) / 12
        + (length(v.definition) - length(replace(v.definition, '"kind":"in_database"', ''))) / 20
    from revision v where v.pipeline = stored_pipeline.id and v.number = stored_pipeline.revision), 0);

-- Who searches for errors reads runs that have one, and no others.
create index run_by_organization_error on run (organization, id) where error_message is not null;
