//! Events of triggers: what pipelines' successes make, and what waits for its run.

use std::collections::BTreeMap;

use flowetl_proto::id::{BlockId, RunId};
use serde_json::{Value, json};
use sqlx::any::AnyRow;
use sqlx::{Any, Transaction};

use super::news::{self, Of};
use super::{Cause, News, Scheduled, Store, Trigger, commit, doing, from_json, get, get_json, get_word};
use crate::trigger::{Arrived, Kind};
use crate::{Result, clock};

/// Notes that a run has succeeded, and fires the triggers that have waited for it last.
pub(super) async fn succeeded(tx: &mut Transaction<'static, Any>, run: &RunId, now: i64) -> Result<()> {
    let of = "select stored_pipeline, organization from run where id = $1 and stored_pipeline is not null";
    let of = sqlx::query(of).bind(run.as_str().to_owned()).fetch_optional(&mut **tx).await;
    let Some(of) = of.map_err(doing("read a run"))? else { return Ok(()) };
    let pipeline: String = get(&of, "stored_pipeline")?;
    // Of two that are waited for and succeed at once, the second is to see the first.
    let lock = "update start_trigger set id = id where id in (select start_trigger from dependency \
                where upstream_type = 'pipeline' and upstream_id = $1)";
    let locked = sqlx::query(lock).bind(pipeline.clone()).execute(&mut **tx).await;
    if locked.map_err(doing("lock triggers"))?.rows_affected() == 0 {
        return Ok(());
    }
    let note = "update dependency set run = $1 where upstream_type = 'pipeline' and upstream_id = $2";
    let note = sqlx::query(note).bind(run.as_str().to_owned()).bind(pipeline.clone());
    note.execute(&mut **tx).await.map_err(doing("write what a trigger waits for"))?;
    let due = "select t.id, t.organization, p.id as pipeline, p.name from start_trigger t \
               join stored_pipeline p on p.id = t.pipeline where t.id in (select start_trigger from dependency \
               where upstream_type = 'pipeline' and upstream_id = $1) and t.is_active = 1 and p.status = 'active' \
               and not exists (select 1 from dependency d where d.start_trigger = t.id and d.run is null) order by t.id";
    let due = sqlx::query(due).bind(pipeline).fetch_all(&mut **tx).await.map_err(doing("read the triggers"))?;
    for row in &due {
        let (trigger, organization): (String, String) = (get(row, "id")?, get(row, "organization")?);
        let firing = clock::new_id();
        let insert = "insert into firing (id, start_trigger, key, params, at, try_at) values ($1, $2, $3, '{}', $4, 0) \
                      on conflict do nothing";
        let insert = sqlx::query(insert).bind(firing.clone()).bind(trigger.clone()).bind(run.as_str().to_owned());
        let done = insert.bind(now).execute(&mut **tx).await.map_err(doing("write an event"))?;
        let reset = sqlx::query("update dependency set run = null where start_trigger = $1").bind(trigger.clone());
        reset.execute(&mut **tx).await.map_err(doing("write what a trigger waits for"))?;
        if done.rows_affected() == 1 {
            let (id, name): (String, String) = (get(row, "pipeline")?, get(row, "name")?);
            let detail = json!({ "pipeline": name, "pipeline_id": id, "firing": firing, "run": run });
            let news = News { kind: "trigger.fired".into(), subject: trigger, detail, at: now };
            news::append(tx, Of::Organization(&organization), &[news]).await?;
        }
    }
    Ok(())
}

impl Store {
    /// Events whose runs may begin at the time `now`, of pipelines that are active and do not run, oldest first.
    pub(crate) async fn ready_firings(&self, now: i64, limit: i64) -> Result<Vec<Scheduled>> {
        let select = "select f.id, f.params as told, t.params, t.kind, t.until, t.organization, p.id as pipeline, p.key, \
                      p.revision, v.definition from firing f join start_trigger t on t.id = f.start_trigger \
                      join stored_pipeline p on p.id = t.pipeline \
                      join revision v on v.pipeline = p.id and v.number = p.revision \
                      where f.run is null and f.error is null and f.try_at <= $1 and t.is_active = 1 \
                      and p.status = 'active' and v.definition is not null and not exists (select 1 from run r \
                      where r.pipeline = p.key and r.state in ('running', 'failing', 'cancelling')) \
                      order by f.at, f.id limit $2";
        let rows = sqlx::query(select).bind(now).bind(limit).fetch_all(&self.pool).await;
        rows.map_err(doing("read the events"))?.iter().map(decode_ready).collect()
    }

    /// The files that a run was begun for.
    pub(crate) async fn arrived(&self, run: &RunId) -> Result<Option<Arrived>> {
        let select = sqlx::query("select arrived from firing where run = $1").bind(run.as_str().to_owned());
        let row = select.fetch_optional(&self.pool).await.map_err(doing("read an event"))?;
        Ok(row.as_ref().map(|row| get_json(row, "arrived")).transpose()?.flatten())
    }

    /// Lets an event be tried again at the time `try_at`.
    pub(crate) async fn put_off_firing(&self, id: &str, try_at: i64) -> Result<()> {
        let mut tx = self.begin().await?;
        let update = sqlx::query("update firing set try_at = $1 where id = $2").bind(try_at).bind(id.to_owned());
        update.execute(&mut *tx).await.map_err(doing("write an event"))?;
        commit(tx).await
    }

    /// Notes why an event can never begin a run.
    pub(crate) async fn refuse_firing(&self, id: &str, error: &str) -> Result<()> {
        let mut tx = self.begin().await?;
        let update = sqlx::query("update firing set error = $1 where id = $2 and run is null");
        let update = update.bind(error.to_owned()).bind(id.to_owned());
        update.execute(&mut *tx).await.map_err(doing("write an event"))?;
        commit(tx).await
    }
}

fn decode_ready(row: &AnyRow) -> Result<Scheduled> {
    let mut params: BTreeMap<String, Value> = get_json(row, "params")?.unwrap_or_default();
    params.extend(get_json::<BTreeMap<String, Value>>(row, "told")?.unwrap_or_default());
    let trigger = match get_word::<Kind>(row, "kind")? {
        Kind::Upstream => Trigger::Upstream,
        Kind::Webhook => Trigger::Webhook,
        Kind::Files => Trigger::Files,
    };
    Ok(Scheduled {
        cause: Cause::Firing(get(row, "id")?),
        trigger,
        organization: get(row, "organization")?,
        pipeline: Some((get(row, "pipeline")?, get(row, "revision")?)),
        transformation: None,
        key: get(row, "key")?,
        definition: from_json("a pipeline", &get::<String>(row, "definition")?)?,
        until: get::<Option<String>>(row, "until")?.map(BlockId::new),
        params,
    })
}
