-- Runs of one transformation that stand so, newest first.
create index run_by_transformation_state on run (transformation, state, id) where transformation is not null;

-- Transformations are counted where they are kept; blocks of pipelines are not.
alter table stored_pipeline drop column computing;
