-- The newest run of each pipeline and how it stands, so that who lists pipelines does not look for it among all runs.
alter table pipeline add column newest_run text;
alter table pipeline add column newest_state text;
update pipeline set newest_run = (select max(r.id) from run r where r.pipeline = pipeline.name);
update pipeline set newest_state = (select r.state from run r where r.id = pipeline.newest_run);
