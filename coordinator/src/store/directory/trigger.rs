//! Triggers, what they wait for, and their events.

use std::collections::BTreeMap;

use flowetl_proto::run::Timestamp;
use sqlx::any::AnyRow;

use super::Directory;
use crate::Result;
use crate::store::{doing, get, get_json, get_word, to_json};
use crate::trigger::{Firing, ListedTrigger, Start, TriggerTarget, Upstream};

/// One pipeline begins when another has succeeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Edge {
    /// The ids of the pipelines.
    pub upstream: String,
    pub downstream: String,
    /// What the downstream one is called.
    pub name: String,
    /// The id of the trigger.
    pub trigger: String,
}

const LISTED: &str = "select t.*, p.name as pipeline_name, w.error as problem, \
                      (select count(*) from firing f where f.start_trigger = t.id and f.run is null and f.error is null) \
                      as waiting, (select max(f.at) from firing f where f.start_trigger = t.id) as fired_at \
                      from start_trigger t join stored_pipeline p on p.id = t.pipeline \
                      left join file_watch w on w.start_trigger = t.id";

impl Directory {
    /// Oldest first, those behind the id `after`; of one pipeline, unless that is empty.
    pub(crate) async fn triggers(
        &mut self,
        organization: &str,
        pipeline: &str,
        after: &str,
        limit: i64,
    ) -> Result<Vec<ListedTrigger>> {
        let select = format!(
            "{LISTED} where t.organization = $1 and ($2 = '' or t.pipeline = $2) and t.id > $3 order by t.id limit $4"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(select)).bind(organization.to_owned()).bind(pipeline.to_owned());
        let rows = query.bind(after.to_owned()).bind(limit).fetch_all(&mut *self.line).await;
        let rows = rows.map_err(doing("list the triggers"))?;
        let mut upstream = self.upstream(organization, "").await?;
        rows.iter().map(|row| listed(row, &mut upstream)).collect()
    }

    pub(crate) async fn trigger(&mut self, organization: &str, id: &str) -> Result<Option<ListedTrigger>> {
        let select = sqlx::AssertSqlSafe(format!("{LISTED} where t.organization = $1 and t.id = $2"));
        let row = sqlx::query(select).bind(organization.to_owned()).bind(id.to_owned());
        let row = row.fetch_optional(&mut *self.line).await.map_err(doing("read a trigger"))?;
        let mut upstream = self.upstream(organization, id).await?;
        row.as_ref().map(|row| listed(row, &mut upstream)).transpose()
    }

    /// What the triggers of an organization wait for, or one of them.
    async fn upstream(&mut self, organization: &str, trigger: &str) -> Result<BTreeMap<String, Vec<Upstream>>> {
        let select = "select d.start_trigger, d.upstream_id, d.run, p.name from dependency d \
                      join start_trigger t on t.id = d.start_trigger join stored_pipeline p on p.id = d.upstream_id \
                      where t.organization = $1 and ($2 = '' or t.id = $2) and d.upstream_type = 'pipeline' \
                      order by d.upstream_id";
        let query = sqlx::query(select).bind(organization.to_owned()).bind(trigger.to_owned());
        let rows = query.fetch_all(&mut *self.line).await.map_err(doing("read what triggers wait for"))?;
        let mut found = BTreeMap::<String, Vec<_>>::new();
        for row in &rows {
            found.entry(get(row, "start_trigger")?).or_default().push(Upstream {
                upstream_type: TriggerTarget::Pipeline,
                upstream_id: get(row, "upstream_id")?,
                upstream_name: get(row, "name")?,
                run_id: get(row, "run")?,
            });
        }
        Ok(found)
    }

    /// The webhook whose secret has this hash.
    pub(crate) async fn webhook(&mut self, secret_hash: &str) -> Result<Option<Start>> {
        let query = sqlx::query("select * from start_trigger where secret_hash = $1").bind(secret_hash.to_owned());
        let row = query.fetch_optional(&mut *self.line).await.map_err(doing("read a trigger"))?;
        row.as_ref().map(decode).transpose()
    }

    /// How many a pipeline has.
    pub(crate) async fn count_triggers(&mut self, pipeline: &str) -> Result<i64> {
        let query = sqlx::query("select count(*) as triggers from start_trigger where pipeline = $1");
        let row = query.bind(pipeline.to_owned()).fetch_one(&mut *self.line).await;
        get(&row.map_err(doing("count the triggers"))?, "triggers")
    }

    /// Who waits for whom in an organization, but for one trigger.
    pub(crate) async fn dependencies(&mut self, organization: &str, but: &str) -> Result<Vec<Edge>> {
        let select = "select d.upstream_id, d.downstream_id, d.start_trigger, p.name from dependency d \
                      join start_trigger t on t.id = d.start_trigger join stored_pipeline p on p.id = d.downstream_id \
                      where t.organization = $1 and t.id <> $2 and d.upstream_type = 'pipeline'";
        let query = sqlx::query(select).bind(organization.to_owned()).bind(but.to_owned());
        let rows = query.fetch_all(&mut *self.line).await.map_err(doing("read what triggers wait for"))?;
        let edge = |row: &AnyRow| {
            Ok(Edge {
                upstream: get(row, "upstream_id")?,
                downstream: get(row, "downstream_id")?,
                name: get(row, "name")?,
                trigger: get(row, "start_trigger")?,
            })
        };
        rows.iter().map(edge).collect()
    }

    /// Writes a trigger: a new one, or one as it is from now on.
    pub(crate) async fn put_trigger(&mut self, start: &Start) -> Result<()> {
        let upsert = "insert into start_trigger (id, organization, pipeline, kind, secret_hash, place, every_s, until, \
                      params, is_active, created_at, updated_at) \
                      values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) on conflict (id) do update set \
                      place = excluded.place, every_s = excluded.every_s, until = excluded.until, params = excluded.params, \
                      is_active = excluded.is_active, updated_at = excluded.updated_at";
        sqlx::query(upsert)
            .bind(start.id.clone())
            .bind(start.organization.clone())
            .bind(start.pipeline.clone())
            .bind(start.kind.as_str())
            .bind(start.secret_hash.clone())
            .bind(start.place.clone())
            .bind(start.every_s)
            .bind(start.until.clone())
            .bind(to_json("a trigger's parameters", &start.params)?)
            .bind(i64::from(start.is_active))
            .bind(start.created_at.0)
            .bind(start.updated_at.0)
            .execute(&mut *self.line)
            .await
            .map_err(doing("write a trigger"))?;
        Ok(())
    }

    /// Lets a trigger wait for these pipelines, from now on.
    pub(crate) async fn set_upstream(&mut self, start: &Start, upstream: &[String]) -> Result<()> {
        let delete = sqlx::query("delete from dependency where start_trigger = $1").bind(start.id.clone());
        delete.execute(&mut *self.line).await.map_err(doing("write what a trigger waits for"))?;
        for id in upstream {
            let insert = "insert into dependency (start_trigger, upstream_type, upstream_id, downstream_type, downstream_id) \
                          values ($1, 'pipeline', $2, 'pipeline', $3)";
            let insert = sqlx::query(insert).bind(start.id.clone()).bind(id.clone()).bind(start.pipeline.clone());
            insert.execute(&mut *self.line).await.map_err(doing("write what a trigger waits for"))?;
        }
        Ok(())
    }

    /// With its events.
    pub(crate) async fn remove_trigger(&mut self, id: &str) -> Result<()> {
        for delete in [
            "delete from firing where start_trigger = $1",
            "delete from dependency where start_trigger = $1",
            "delete from file_watch where start_trigger = $1",
            "delete from start_trigger where id = $1",
        ] {
            let done = sqlx::query(delete).bind(id.to_owned()).execute(&mut *self.line).await;
            done.map_err(doing("remove a trigger"))?;
        }
        Ok(())
    }

    /// Of one trigger, newest first.
    pub(crate) async fn firings(&mut self, trigger: &str, limit: i64) -> Result<Vec<Firing>> {
        let query = sqlx::query("select * from firing where start_trigger = $1 order by at desc, id desc limit $2");
        let rows = query.bind(trigger.to_owned()).bind(limit).fetch_all(&mut *self.line).await;
        rows.map_err(doing("list the events of a trigger"))?.iter().map(decode_firing).collect()
    }

    /// The id of the event that is known by a key.
    pub(crate) async fn firing_of(&mut self, trigger: &str, key: &str) -> Result<Option<String>> {
        let query = sqlx::query("select id from firing where start_trigger = $1 and key = $2");
        let row = query.bind(trigger.to_owned()).bind(key.to_owned()).fetch_optional(&mut *self.line).await;
        row.map_err(doing("read an event"))?.as_ref().map(|row| get(row, "id")).transpose()
    }

    /// False where an event of its key is there.
    pub(crate) async fn add_firing(&mut self, firing: &Firing) -> Result<bool> {
        let insert = "insert into firing (id, start_trigger, key, params, at, try_at, arrived) \
                      values ($1, $2, $3, $4, $5, 0, $6) on conflict do nothing";
        let arrived = firing.arrived.as_ref().map(|arrived| to_json("arrived files", arrived)).transpose()?;
        let done = sqlx::query(insert)
            .bind(firing.id.clone())
            .bind(firing.start.clone())
            .bind(firing.key.clone())
            .bind(to_json("an event's parameters", &firing.params)?)
            .bind(firing.at)
            .bind(arrived)
            .execute(&mut *self.line)
            .await
            .map_err(doing("write an event"))?;
        Ok(done.rows_affected() == 1)
    }

    /// How many wait for their runs.
    pub(crate) async fn count_waiting(&mut self, trigger: &str) -> Result<i64> {
        let select =
            "select count(*) as waiting from firing where start_trigger = $1 and run is null and error is null";
        let row = sqlx::query(select).bind(trigger.to_owned()).fetch_one(&mut *self.line).await;
        get(&row.map_err(doing("count the events of a trigger"))?, "waiting")
    }

    /// Forgets those that do not wait and are older.
    pub(crate) async fn forget_firings(&mut self, trigger: &str, before: i64) -> Result<()> {
        let delete =
            "delete from firing where start_trigger = $1 and at < $2 and (run is not null or error is not null)";
        let done = sqlx::query(delete).bind(trigger.to_owned()).bind(before).execute(&mut *self.line).await;
        done.map(drop).map_err(doing("forget events"))
    }
}

fn listed(row: &AnyRow, upstream: &mut BTreeMap<String, Vec<Upstream>>) -> Result<ListedTrigger> {
    let start = decode(row)?;
    Ok(ListedTrigger {
        upstream: upstream.remove(&start.id).unwrap_or_default(),
        start,
        pipeline: get(row, "pipeline_name")?,
        waiting: get(row, "waiting")?,
        fired_at: get::<Option<i64>>(row, "fired_at")?.map(Timestamp),
        problem: get(row, "problem")?,
    })
}

fn decode(row: &AnyRow) -> Result<Start> {
    Ok(Start {
        id: get(row, "id")?,
        organization: get(row, "organization")?,
        pipeline: get(row, "pipeline")?,
        kind: get_word(row, "kind")?,
        secret_hash: get(row, "secret_hash")?,
        place: get(row, "place")?,
        every_s: get(row, "every_s")?,
        until: get(row, "until")?,
        params: get_json(row, "params")?.unwrap_or_default(),
        is_active: get::<i64>(row, "is_active")? != 0,
        created_at: Timestamp(get(row, "created_at")?),
        updated_at: Timestamp(get(row, "updated_at")?),
    })
}

fn decode_firing(row: &AnyRow) -> Result<Firing> {
    Ok(Firing {
        id: get(row, "id")?,
        start: get(row, "start_trigger")?,
        key: get(row, "key")?,
        params: get_json(row, "params")?.unwrap_or_default(),
        at: get(row, "at")?,
        arrived: get_json(row, "arrived")?,
        run: get(row, "run")?,
        error: get(row, "error")?,
    })
}
