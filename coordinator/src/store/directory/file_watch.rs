//! Places that triggers look at for files, and what they have seen there.

use sqlx::any::AnyRow;

use super::Directory;
use crate::Result;
use crate::connections::ConnectionUser;
use crate::store::{doing, get, get_json, to_json};
use crate::trigger::{Seen, Watch};

impl Directory {
    /// Those of active triggers of active pipelines that are due at the time `now`, the longest due first.
    pub(crate) async fn due_watches(&mut self, now: i64, limit: i64) -> Result<Vec<Watch>> {
        let select = "select w.*, t.organization, t.place, t.every_s, p.id as pipeline, p.name as pipeline_name \
                      from file_watch w join start_trigger t on t.id = w.start_trigger \
                      join stored_pipeline p on p.id = t.pipeline \
                      where w.due_at <= $1 and t.is_active = 1 and p.status = 'active' order by w.due_at limit $2";
        let rows = sqlx::query(select).bind(now).bind(limit).fetch_all(&mut *self.line).await;
        rows.map_err(doing("read the places of triggers"))?.iter().map(decode).collect()
    }

    /// The pipelines whose triggers look at places of a connection.
    pub(crate) async fn waiting_at(&mut self, organization: &str, connection: &str) -> Result<Vec<ConnectionUser>> {
        let select = "select p.name, p.id, t.place from start_trigger t join stored_pipeline p on p.id = t.pipeline \
                      where t.organization = $1 and t.place is not null";
        let rows = sqlx::query(select).bind(organization.to_owned()).fetch_all(&mut *self.line).await;
        let mut users = Vec::new();
        for row in rows.map_err(doing("read the places of triggers"))? {
            let place: String = get(&row, "place")?;
            if place.split_once('/').is_some_and(|(name, _)| name == connection) {
                users.push(ConnectionUser { name: get(&row, "name")?, id: get(&row, "id")? });
            }
        }
        Ok(users)
    }

    /// Lets a trigger look at its place from now on, as if for the first time.
    pub(crate) async fn watch_anew(&mut self, trigger: &str, now: i64) -> Result<()> {
        let upsert = "insert into file_watch (start_trigger, looks, due_at) values ($1, 0, $2) \
                      on conflict (start_trigger) do update set looks = file_watch.looks + 1, due_at = excluded.due_at, \
                      seen = null, error = null";
        let done = sqlx::query(upsert).bind(trigger.to_owned()).bind(now).execute(&mut *self.line).await;
        done.map(drop).map_err(doing("write the place of a trigger"))
    }

    /// Notes a look that went well, and what it has seen where that has `changed`. False where another was written meanwhile.
    pub(crate) async fn watch_looked(&mut self, watch: &Watch, due_at: i64, changed: Option<&Seen>) -> Result<bool> {
        let update = "update file_watch set looks = looks + 1, due_at = $1, seen = coalesce($2, seen), error = null \
                      where start_trigger = $3 and looks = $4";
        let seen = changed.map(|seen| to_json("the files of a place", seen)).transpose()?;
        let update = sqlx::query(update).bind(due_at).bind(seen).bind(watch.start.clone()).bind(watch.looks);
        let done = update.execute(&mut *self.line).await.map_err(doing("write what a trigger has seen"))?;
        Ok(done.rows_affected() == 1)
    }

    /// Notes why a look has failed; what the one before has seen is compared with the next.
    pub(crate) async fn watch_failed(&mut self, watch: &Watch, due_at: i64, error: &str) -> Result<()> {
        let update = "update file_watch set due_at = $1, error = $2 where start_trigger = $3 and looks = $4";
        let update = sqlx::query(update).bind(due_at).bind(error.to_owned()).bind(watch.start.clone());
        let done = update.bind(watch.looks).execute(&mut *self.line).await;
        done.map(drop).map_err(doing("write what a trigger has seen"))
    }
}

fn decode(row: &AnyRow) -> Result<Watch> {
    Ok(Watch {
        start: get(row, "start_trigger")?,
        organization: get(row, "organization")?,
        pipeline: (get(row, "pipeline")?, get(row, "pipeline_name")?),
        place: get(row, "place")?,
        every_s: get(row, "every_s")?,
        looks: get(row, "looks")?,
        seen: get_json(row, "seen")?,
    })
}
