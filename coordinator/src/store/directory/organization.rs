//! Organizations.

use flowetl_proto::run::Timestamp;
use sqlx::any::AnyRow;

use super::Directory;
use crate::Result;
use crate::accounts::Organization;
use crate::store::{doing, get};

impl Directory {
    /// That of an id or a slug.
    pub(crate) async fn organization(&mut self, id_or_slug: &str) -> Result<Option<Organization>> {
        let row = sqlx::query("select * from organization where id = $1 or slug = $1").bind(id_or_slug.to_owned());
        let row = row.fetch_optional(&mut *self.line).await.map_err(doing("read an organization"))?;
        row.as_ref().map(decode).transpose()
    }

    /// All of them, by name.
    pub(crate) async fn organizations(&mut self) -> Result<Vec<Organization>> {
        let rows = sqlx::query("select * from organization order by name, id").fetch_all(&mut *self.line).await;
        rows.map_err(doing("list the organizations"))?.iter().map(decode).collect()
    }

    /// Lets nobody else change who belongs to it until the transaction ends: that someone owns it is decided once. False
    /// where it is gone.
    pub(crate) async fn lock_organization(&mut self, id: &str) -> Result<bool> {
        let update = sqlx::query("update organization set id = id where id = $1").bind(id.to_owned());
        let done = update.execute(&mut *self.line).await.map_err(doing("lock an organization"))?;
        Ok(done.rows_affected() == 1)
    }

    /// False where the slug is another's.
    pub(crate) async fn add_organization(&mut self, organization: &Organization) -> Result<bool> {
        let insert =
            "insert into organization (id, name, slug, created_at) values ($1, $2, $3, $4) on conflict do nothing";
        let done = sqlx::query(insert)
            .bind(organization.id.clone())
            .bind(organization.name.clone())
            .bind(organization.slug.clone())
            .bind(organization.created_at.0)
            .execute(&mut *self.line)
            .await
            .map_err(doing("write an organization"))?;
        self.is_founded = true;
        Ok(done.rows_affected() == 1)
    }

    /// Writes what can be changed. False where the slug is another's.
    pub(crate) async fn change_organization(&mut self, organization: &Organization) -> Result<bool> {
        let update = "update organization set name = $1, slug = $2, runs_at_once = $4 where id = $3 \
                      and not exists (select 1 from organization o where o.slug = $2 and o.id <> $3)";
        let done = sqlx::query(update)
            .bind(organization.name.clone())
            .bind(organization.slug.clone())
            .bind(organization.id.clone())
            .bind(organization.runs_at_once)
            .execute(&mut *self.line)
            .await
            .map_err(doing("write an organization"))?;
        Ok(done.rows_affected() == 1)
    }

    /// Removes it, and all that hangs on it: pipelines, connections and their vault, keys, invitations, memberships.
    pub(crate) async fn remove_organization(&mut self, id: &str) -> Result<()> {
        let deletes = [
            "delete from tick where schedule in (select id from schedule where organization = $1)",
            "delete from schedule where organization = $1",
            "delete from firing where start_trigger in (select id from start_trigger where organization = $1)",
            "delete from dependency where start_trigger in (select id from start_trigger where organization = $1)",
            "delete from file_watch where start_trigger in (select id from start_trigger where organization = $1)",
            "delete from start_trigger where organization = $1",
            "delete from revision where pipeline in (select id from stored_pipeline where organization = $1)",
            "delete from trouble where pipeline in (select key from stored_pipeline where organization = $1)",
            "delete from stored_pipeline where organization = $1",
            "delete from delivery where organization = $1",
            "delete from destination where organization = $1",
            "delete from connection where organization = $1",
            "delete from vault_wrap where organization = $1",
            "delete from api_key where organization = $1",
            "delete from invitation where organization = $1",
            "delete from membership where organization = $1",
            "delete from organization where id = $1",
        ];
        for delete in deletes {
            let done = sqlx::query(delete).bind(id.to_owned()).execute(&mut *self.line).await;
            done.map_err(doing("remove an organization"))?;
        }
        self.is_founded = true;
        Ok(())
    }
}

pub(super) fn decode(row: &AnyRow) -> Result<Organization> {
    Ok(Organization {
        id: get(row, "id")?,
        name: get(row, "name")?,
        slug: get(row, "slug")?,
        runs_at_once: get(row, "runs_at_once")?,
        created_at: Timestamp(get(row, "created_at")?),
    })
}
