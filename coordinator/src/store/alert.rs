//! Alerts: how far the log was read for them, what is wrong with pipelines, and what is on its way.

use serde_json::json;
use sqlx::{Any, Transaction};

use super::directory::{decode_delivery, decode_destination, insert_delivery};
use super::news::{self, News, Of};
use super::{Store, commit, doing, get, get_word};
use crate::Result;
use crate::notify::{AlertEvent, Delivery, DeliveryState, Destination};

/// Deliveries that wait for one destination; what comes when there are as many is given up at once. A day of one each minute
/// and a half.
const WAITING_MAX: i64 = 1_000;

/// Pipelines that are found stale in one transaction.
const STALE_AT_ONCE: i64 = 100;

/// What follows from an entry of the log.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// What the runs of the pipeline know it by.
    pub pipeline: String,
    /// What is wrong with it from now on.
    pub begun: Option<AlertEvent>,
    /// What is not wrong any more.
    pub ended: Vec<AlertEvent>,
    /// When it has succeeded.
    pub succeeded_at: Option<i64>,
    /// What else has happened by that, and in which organization.
    pub news: Option<(String, News)>,
    pub deliveries: Vec<Delivery>,
}

impl Store {
    /// Up to which number everybody was told what happened, as far as it is kept.
    pub(crate) async fn news_told(&self) -> Result<i64> {
        let select = "select max(value) as value from serial where name in ('news_told', 'news_forgotten')";
        let row = sqlx::query(select).fetch_one(&self.pool).await;
        get(&row.map_err(doing("read the news"))?, "value")
    }

    /// What was told to be wrong with a pipeline.
    pub(crate) async fn troubles(&self, pipeline: &str) -> Result<Vec<AlertEvent>> {
        let query = sqlx::query("select event from trouble where pipeline = $1").bind(pipeline.to_owned());
        let rows = query.fetch_all(&self.pool).await.map_err(doing("read the alerts"))?;
        rows.iter().map(|row| get_word(row, "event")).collect()
    }

    /// Writes what follows from the log between the numbers `after` and `upto`. False, and nothing is written, where another
    /// has done so.
    pub(crate) async fn tell(&self, after: i64, upto: i64, told: Told) -> Result<bool> {
        let mut tx = self.begin().await?;
        let update = sqlx::query("update serial set value = $1 where name = 'news_told' and value <= $2");
        let done = update.bind(upto).bind(after).execute(&mut *tx).await.map_err(doing("write the alerts"))?;
        if done.rows_affected() != 1 {
            return Ok(false);
        }
        if let Some(event) = told.begun {
            let insert = "insert into trouble (pipeline, event, since) values ($1, $2, $3) on conflict do nothing";
            let insert = sqlx::query(insert).bind(told.pipeline.clone()).bind(event.as_str()).bind(crate::clock::now());
            insert.execute(&mut *tx).await.map_err(doing("write the alerts"))?;
        }
        for event in told.ended {
            let delete = sqlx::query("delete from trouble where pipeline = $1 and event = $2");
            let delete = delete.bind(told.pipeline.clone()).bind(event.as_str());
            delete.execute(&mut *tx).await.map_err(doing("write the alerts"))?;
        }
        if let Some(at) = told.succeeded_at {
            let update = sqlx::query("update stored_pipeline set succeeded_at = $1 where key = $2");
            let update = update.bind(at).bind(told.pipeline.clone()).execute(&mut *tx).await;
            update.map_err(doing("write a pipeline"))?;
        }
        for delivery in told.deliveries {
            let delivery = if is_full(&mut tx, &delivery.destination).await? { given_up(delivery) } else { delivery };
            insert_delivery(&mut tx, &delivery).await?;
        }
        if let Some((organization, news)) = told.news {
            news::append(&mut tx, Of::Organization(&organization), &[news]).await?;
        }
        commit(tx).await?;
        self.grown.notify_one();
        Ok(true)
    }

    /// Lets it be known which pipelines have not succeeded for longer than their files let them at the time `now`, each once.
    pub(crate) async fn find_stale(&self, now: i64) -> Result<()> {
        let select = "select p.id, p.organization, p.key, p.fresh_ms from stored_pipeline p \
                      where p.status = 'active' and p.fresh_ms is not null \
                      and coalesce(p.succeeded_at, p.created_at) + p.fresh_ms < $1 \
                      and not exists (select 1 from trouble t where t.pipeline = p.key and t.event = 'stale') \
                      order by p.id limit $2";
        let rows = sqlx::query(select).bind(now).bind(STALE_AT_ONCE).fetch_all(&self.pool).await;
        let rows = rows.map_err(doing("list the pipelines"))?;
        if rows.is_empty() {
            return Ok(());
        }
        let mut tx = self.begin().await?;
        let mut all = Vec::new();
        for row in &rows {
            let (organization, key) = (get::<String>(row, "organization")?, get::<String>(row, "key")?);
            let insert = "insert into trouble (pipeline, event, since) values ($1, 'stale', $2) on conflict do nothing";
            let insert = sqlx::query(insert).bind(key.clone()).bind(now).execute(&mut *tx).await;
            if insert.map_err(doing("write the alerts"))?.rows_affected() == 1 {
                let detail = json!({ "pipeline": key, "within": get::<i64>(row, "fresh_ms")? / 1000 });
                let news = News { kind: "pipeline.stale".to_owned(), subject: get(row, "id")?, detail, at: now };
                all.push((organization, news));
            }
        }
        for (organization, news) in all {
            news::append(&mut tx, Of::Organization(&organization), &[news]).await?;
        }
        commit(tx).await?;
        self.grown.notify_one();
        Ok(())
    }

    /// The oldest delivery that is due at the time `now` of each destination that nothing is on its way to, which is its own
    /// until the time `until`.
    pub(crate) async fn take_deliveries(
        &self,
        now: i64,
        until: i64,
        limit: i64,
    ) -> Result<Vec<(Destination, Delivery)>> {
        let select = "select t.*, d.id as delivery from destination t join delivery d on d.id = \
                      (select min(w.id) from delivery w where w.destination = t.id and w.next_at <= $1) \
                      where t.busy_until <= $1 order by d.next_at, d.id limit $2";
        let due = sqlx::query(select).bind(now).bind(limit).fetch_all(&self.pool).await;
        let due = due.map_err(doing("read the deliveries"))?;
        if due.is_empty() {
            return Ok(Vec::new());
        }
        let mut tx = self.begin().await?;
        let mut taken = Vec::new();
        for row in &due {
            let destination = decode_destination(row)?;
            let update = sqlx::query("update destination set busy_until = $1 where id = $2 and busy_until <= $3");
            let update = update.bind(until).bind(destination.id.clone()).bind(now).execute(&mut *tx).await;
            if update.map_err(doing("write the deliveries"))?.rows_affected() != 1 {
                continue;
            }
            let query = sqlx::query("select * from delivery where id = $1").bind(get::<String>(row, "delivery")?);
            let delivery = query.fetch_optional(&mut *tx).await.map_err(doing("read the deliveries"))?;
            if let Some(delivery) = delivery {
                taken.push((destination, decode_delivery(&delivery)?));
            }
        }
        commit(tx).await?;
        Ok(taken)
    }

    /// Writes what came of a try; and its destination takes others.
    pub(crate) async fn tried_delivery(&self, delivery: &Delivery) -> Result<()> {
        let mut tx = self.begin().await?;
        let update = "update delivery set state = $1, tries = $2, next_at = $3, status = $4, answer = $5, tried_at = $6 \
                      where id = $7";
        let last = delivery.last.as_ref();
        sqlx::query(update)
            .bind(delivery.state.as_str())
            .bind(delivery.tries)
            .bind(delivery.next_at.map(|at| at.0))
            .bind(last.and_then(|last| last.status))
            .bind(last.map(|last| last.text.clone()))
            .bind(last.map(|last| last.at.0))
            .bind(delivery.id.clone())
            .execute(&mut *tx)
            .await
            .map_err(doing("write a delivery"))?;
        let free = sqlx::query("update destination set busy_until = 0 where id = $1");
        let free = free.bind(delivery.destination.clone()).execute(&mut *tx).await;
        free.map_err(doing("write a delivery"))?;
        commit(tx).await
    }

    /// Forgets deliveries made before a time that are not tried any more.
    pub(crate) async fn forget_deliveries(&self, before: i64) -> Result<()> {
        let mut tx = self.begin().await?;
        let delete = sqlx::query("delete from delivery where created_at < $1 and next_at is null").bind(before);
        delete.execute(&mut *tx).await.map_err(doing("remove old deliveries"))?;
        commit(tx).await
    }
}

/// Whether as many deliveries wait for a destination as may.
async fn is_full(tx: &mut Transaction<'static, Any>, destination: &str) -> Result<bool> {
    let query = "select count(*) as waiting from delivery where destination = $1 and next_at is not null";
    let row = sqlx::query(query).bind(destination.to_owned()).fetch_one(&mut **tx).await;
    Ok(get::<i64>(&row.map_err(doing("read the deliveries"))?, "waiting")? >= WAITING_MAX)
}

fn given_up(delivery: Delivery) -> Delivery {
    Delivery { state: DeliveryState::GivenUp, next_at: None, ..delivery }
}
