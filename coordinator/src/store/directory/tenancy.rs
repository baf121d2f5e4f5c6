//! What organizations have of the warehouse.

use sqlx::any::AnyRow;

use super::Directory;
use crate::Result;
use crate::store::{doing, get};
use crate::warehouse::Tenancy;

impl Directory {
    pub(crate) async fn tenancy(&mut self, organization: &str) -> Result<Option<Tenancy>> {
        let query = sqlx::query("select * from tenancy where organization = $1").bind(organization.to_owned());
        let row = query.fetch_optional(&mut *self.line).await.map_err(doing("read a tenancy"))?;
        row.as_ref().map(decode).transpose()
    }

    /// Those of organizations that are gone.
    pub(crate) async fn left_tenancies(&mut self) -> Result<Vec<Tenancy>> {
        let query = "select * from tenancy where not exists \
                     (select 1 from organization o where o.id = tenancy.organization)";
        let rows = sqlx::query(query).fetch_all(&mut *self.line).await.map_err(doing("list the tenancies"))?;
        rows.iter().map(decode).collect()
    }

    /// False where another has the prefix.
    pub(crate) async fn add_tenancy(&mut self, tenancy: &Tenancy, now: i64) -> Result<bool> {
        let insert = "insert into tenancy (organization, prefix, connection, created_at) values ($1, $2, $3, $4) \
                      on conflict do nothing";
        let done = sqlx::query(insert)
            .bind(tenancy.organization.clone())
            .bind(tenancy.prefix.clone())
            .bind(tenancy.connection.clone())
            .bind(now)
            .execute(&mut *self.line)
            .await
            .map_err(doing("write a tenancy"))?;
        Ok(done.rows_affected() == 1)
    }

    pub(crate) async fn set_tenancy_connection(&mut self, organization: &str, connection: &str) -> Result<()> {
        let update = sqlx::query("update tenancy set connection = $1 where organization = $2");
        let done = update.bind(connection.to_owned()).bind(organization.to_owned()).execute(&mut *self.line).await;
        done.map_err(doing("write a tenancy"))?;
        Ok(())
    }

    pub(crate) async fn remove_tenancy(&mut self, organization: &str) -> Result<()> {
        let delete = sqlx::query("delete from tenancy where organization = $1").bind(organization.to_owned());
        delete.execute(&mut *self.line).await.map_err(doing("remove a tenancy"))?;
        Ok(())
    }
}

fn decode(row: &AnyRow) -> Result<Tenancy> {
    Ok(Tenancy {
        organization: get(row, "organization")?,
        prefix: get(row, "prefix")?,
        connection: get(row, "connection")?,
    })
}
