//! API keys.

use flowetl_proto::run::Timestamp;
use sqlx::any::AnyRow;

use super::{Directory, person};
use crate::Result;
use crate::accounts::{ApiKey, Person};
use crate::store::{doing, from_json, get, to_json};

impl Directory {
    /// The keys of an organization, newest first.
    pub(crate) async fn api_keys(&mut self, organization: &str) -> Result<Vec<ApiKey>> {
        let query = sqlx::query("select * from api_key where organization = $1 order by id desc");
        let rows = query.bind(organization.to_owned()).fetch_all(&mut *self.line).await;
        rows.map_err(doing("list the API keys"))?.iter().map(decode).collect()
    }

    pub(crate) async fn api_key(&mut self, organization: &str, id: &str) -> Result<Option<ApiKey>> {
        let query = sqlx::query("select * from api_key where organization = $1 and id = $2");
        let row = query.bind(organization.to_owned()).bind(id.to_owned()).fetch_optional(&mut *self.line).await;
        row.map_err(doing("read an API key"))?.as_ref().map(decode).transpose()
    }

    /// The key of a secret, if it has not expired at the time `now`, and as whom it acts.
    pub(crate) async fn api_key_of(&mut self, hash: &str, now: i64) -> Result<Option<(ApiKey, Person)>> {
        let query = "select * from api_key where hash = $1 and (expires_at is null or expires_at > $2)";
        let row = sqlx::query(query).bind(hash.to_owned()).bind(now).fetch_optional(&mut *self.line).await;
        let Some(row) = row.map_err(doing("read an API key"))? else { return Ok(None) };
        let key = decode(&row)?;
        let row = sqlx::query("select * from person where id = $1").bind(key.person.clone());
        let row = row.fetch_one(&mut *self.line).await.map_err(doing("read a person"))?;
        Ok(Some((key, person::decode(&row)?)))
    }

    pub(crate) async fn add_api_key(&mut self, key: &ApiKey, hash: &str) -> Result<()> {
        let insert = "insert into api_key (id, person, organization, name, prefix, hash, scopes, created_at, expires_at) \
                      values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
        sqlx::query(insert)
            .bind(key.id.clone())
            .bind(key.person.clone())
            .bind(key.organization.clone())
            .bind(key.name.clone())
            .bind(key.prefix.clone())
            .bind(hash.to_owned())
            .bind(to_json("an API key's scopes", &key.scopes)?)
            .bind(key.created_at.0)
            .bind(key.expires_at.map(|at| at.0))
            .execute(&mut *self.line)
            .await
            .map_err(doing("write an API key"))?;
        Ok(())
    }

    pub(crate) async fn used_api_key(&mut self, id: &str, now: i64) -> Result<()> {
        let update = sqlx::query("update api_key set last_used_at = $1 where id = $2").bind(now).bind(id.to_owned());
        update.execute(&mut *self.line).await.map_err(doing("write an API key"))?;
        Ok(())
    }

    pub(crate) async fn remove_api_key(&mut self, id: &str) -> Result<()> {
        let delete = sqlx::query("delete from api_key where id = $1").bind(id.to_owned());
        delete.execute(&mut *self.line).await.map_err(doing("remove an API key"))?;
        Ok(())
    }
}

fn decode(row: &AnyRow) -> Result<ApiKey> {
    Ok(ApiKey {
        id: get(row, "id")?,
        organization: get(row, "organization")?,
        person: get(row, "person")?,
        name: get(row, "name")?,
        prefix: get(row, "prefix")?,
        scopes: from_json("an API key's scopes", &get::<String>(row, "scopes")?)?,
        created_at: Timestamp(get(row, "created_at")?),
        expires_at: get::<Option<i64>>(row, "expires_at")?.map(Timestamp),
        last_used_at: get::<Option<i64>>(row, "last_used_at")?.map(Timestamp),
    })
}
