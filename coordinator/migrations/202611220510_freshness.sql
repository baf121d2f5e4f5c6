-- How old the newest success of a pipeline may be, in milliseconds; null where its file says nothing of that.
alter table stored_pipeline add column fresh_ms bigint;
-- When its newest success ended.
alter table stored_pipeline add column succeeded_at bigint;
update stored_pipeline set succeeded_at =
    (select max(r.finished_at) from run r where r.pipeline = stored_pipeline.key and r.state = 'success');
create index stored_pipeline_by_freshness on stored_pipeline (status, fresh_ms);
