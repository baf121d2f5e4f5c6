//! Destinations of alerts without their plain secrets, and what was and is on its way to them.

use flowetl_proto::run::Timestamp;
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use super::Directory;
use crate::Result;
use crate::notify::{Answer, Delivery, DeliveryQuery, DeliveryState, Destination};
use crate::store::{doing, from_json, get, get_word, to_json};

const WHAT: &str = "a destination";

impl Directory {
    /// By name.
    pub(crate) async fn destinations(&mut self, organization: &str) -> Result<Vec<Destination>> {
        let query = sqlx::query("select * from destination where organization = $1 order by name");
        let rows = query.bind(organization.to_owned()).fetch_all(&mut *self.line).await;
        rows.map_err(doing("list the destinations"))?.iter().map(decode_destination).collect()
    }

    pub(crate) async fn destination(&mut self, organization: &str, id: &str) -> Result<Option<Destination>> {
        let query = sqlx::query("select * from destination where organization = $1 and id = $2");
        let row = query.bind(organization.to_owned()).bind(id.to_owned()).fetch_optional(&mut *self.line).await;
        row.map_err(doing("read a destination"))?.as_ref().map(decode_destination).transpose()
    }

    pub(crate) async fn count_destinations(&mut self, organization: &str) -> Result<i64> {
        let query = sqlx::query("select count(*) as number from destination where organization = $1");
        let row = query.bind(organization.to_owned()).fetch_one(&mut *self.line).await;
        get(&row.map_err(doing("count the destinations"))?, "number")
    }

    pub(crate) async fn add_destination(&mut self, destination: &Destination) -> Result<()> {
        let insert = "insert into destination (id, organization, name, kind, config, sealed, events, busy_until, \
                      created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $7, 0, $8, $9)";
        sqlx::query(insert)
            .bind(destination.id.clone())
            .bind(destination.organization.clone())
            .bind(destination.name.clone())
            .bind(destination.kind.as_str())
            .bind(to_json(WHAT, &destination.settings)?)
            .bind(to_json(WHAT, &destination.sealed)?)
            .bind(to_json(WHAT, &destination.events)?)
            .bind(destination.created_at.0)
            .bind(destination.updated_at.0)
            .execute(&mut *self.line)
            .await
            .map_err(doing("write a destination"))?;
        Ok(())
    }

    /// Writes all that can change.
    pub(crate) async fn change_destination(&mut self, destination: &Destination) -> Result<()> {
        let update = "update destination set name = $1, config = $2, sealed = $3, events = $4, updated_at = $5 \
                      where organization = $6 and id = $7";
        sqlx::query(update)
            .bind(destination.name.clone())
            .bind(to_json(WHAT, &destination.settings)?)
            .bind(to_json(WHAT, &destination.sealed)?)
            .bind(to_json(WHAT, &destination.events)?)
            .bind(destination.updated_at.0)
            .bind(destination.organization.clone())
            .bind(destination.id.clone())
            .execute(&mut *self.line)
            .await
            .map_err(doing("write a destination"))?;
        Ok(())
    }

    /// Removes it with its deliveries.
    pub(crate) async fn remove_destination(&mut self, organization: &str, id: &str) -> Result<()> {
        for delete in [
            "delete from delivery where organization = $1 and destination = $2",
            "delete from destination where organization = $1 and id = $2",
        ] {
            let delete = sqlx::query(delete).bind(organization.to_owned()).bind(id.to_owned());
            delete.execute(&mut *self.line).await.map_err(doing("remove a destination"))?;
        }
        Ok(())
    }

    /// Newest first.
    pub(crate) async fn deliveries(&mut self, query: &DeliveryQuery) -> Result<Vec<Delivery>> {
        let select = "select * from delivery where organization = $1 and ($2 = '' or destination = $2) \
                      and ($3 = '' or state = $3) and ($4 = '' or id < $4) order by id desc limit $5";
        let rows = sqlx::query(select)
            .bind(query.organization.clone())
            .bind(query.destination.clone())
            .bind(query.state.map(DeliveryState::as_str).unwrap_or_default())
            .bind(query.before.clone())
            .bind(query.limit)
            .fetch_all(&mut *self.line)
            .await;
        rows.map_err(doing("list the deliveries"))?.iter().map(decode_delivery).collect()
    }

    pub(crate) async fn delivery(&mut self, organization: &str, id: &str) -> Result<Option<Delivery>> {
        let query = sqlx::query("select * from delivery where organization = $1 and id = $2");
        let row = query.bind(organization.to_owned()).bind(id.to_owned()).fetch_optional(&mut *self.line).await;
        row.map_err(doing("read a delivery"))?.as_ref().map(decode_delivery).transpose()
    }

    pub(crate) async fn add_delivery(&mut self, delivery: &Delivery) -> Result<()> {
        insert_delivery(&mut self.line, delivery).await
    }

    /// Lets a delivery be tried at the time `now` as if it never was.
    pub(crate) async fn retry_delivery(&mut self, organization: &str, id: &str, now: i64) -> Result<()> {
        let update = "update delivery set state = $1, tries = 0, next_at = $2 where organization = $3 and id = $4";
        let update = sqlx::query(update).bind(DeliveryState::Waiting.as_str()).bind(now);
        let update = update.bind(organization.to_owned()).bind(id.to_owned());
        update.execute(&mut *self.line).await.map_err(doing("write a delivery"))?;
        Ok(())
    }
}

/// Writes a new delivery, unless its destination was removed meanwhile.
pub(crate) async fn insert_delivery(on: &mut AnyConnection, delivery: &Delivery) -> Result<()> {
    let insert = "insert into delivery (id, organization, destination, event, body, news, state, tries, next_at, status, \
                  answer, tried_at, created_at) \
                  select $1, $2, t.id, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13 from destination t where t.id = $3 \
                  on conflict do nothing";
    let last = delivery.last.as_ref();
    sqlx::query(insert)
        .bind(delivery.id.clone())
        .bind(delivery.organization.clone())
        .bind(delivery.destination.clone())
        .bind(delivery.event.as_str())
        .bind(delivery.body.clone())
        .bind(delivery.news)
        .bind(delivery.state.as_str())
        .bind(delivery.tries)
        .bind(delivery.next_at.map(|at| at.0))
        .bind(last.and_then(|last| last.status))
        .bind(last.map(|last| last.text.clone()))
        .bind(last.map(|last| last.at.0))
        .bind(delivery.created_at.0)
        .execute(on)
        .await
        .map_err(doing("write a delivery"))?;
    Ok(())
}

pub(crate) fn decode_destination(row: &AnyRow) -> Result<Destination> {
    Ok(Destination {
        id: get(row, "id")?,
        organization: get(row, "organization")?,
        name: get(row, "name")?,
        kind: get_word(row, "kind")?,
        settings: from_json(WHAT, &get::<String>(row, "config")?)?,
        sealed: from_json(WHAT, &get::<String>(row, "sealed")?)?,
        events: from_json(WHAT, &get::<String>(row, "events")?)?,
        created_at: Timestamp(get(row, "created_at")?),
        updated_at: Timestamp(get(row, "updated_at")?),
    })
}

pub(crate) fn decode_delivery(row: &AnyRow) -> Result<Delivery> {
    let tried_at: Option<i64> = get(row, "tried_at")?;
    let last = match tried_at {
        None => None,
        Some(at) => Some(Answer {
            status: get(row, "status")?,
            text: get::<Option<String>>(row, "answer")?.unwrap_or_default(),
            at: Timestamp(at),
        }),
    };
    Ok(Delivery {
        id: get(row, "id")?,
        organization: get(row, "organization")?,
        destination: get(row, "destination")?,
        event: get_word(row, "event")?,
        body: get(row, "body")?,
        news: get(row, "news")?,
        state: get_word(row, "state")?,
        tries: get(row, "tries")?,
        next_at: get::<Option<i64>>(row, "next_at")?.map(Timestamp),
        last,
        created_at: Timestamp(get(row, "created_at")?),
    })
}
