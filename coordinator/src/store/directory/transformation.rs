//! Transformations.

use flowetl_proto::run::Timestamp;
use sqlx::any::AnyRow;

use super::Directory;
use crate::Result;
use crate::store::{doing, from_json, get, get_word, to_json};
use crate::transformations::Transformation;

impl Directory {
    /// All of an organization, by name.
    pub(crate) async fn transformations(&mut self, organization: &str) -> Result<Vec<Transformation>> {
        let query = sqlx::query("select * from transformation where organization = $1 order by name");
        let rows = query.bind(organization.to_owned()).fetch_all(&mut *self.line).await;
        rows.map_err(doing("list the transformations"))?.iter().map(decode).collect()
    }

    /// False where the name is another's.
    pub(crate) async fn add_transformation(&mut self, of: &Transformation) -> Result<bool> {
        let insert = "insert into transformation (id, organization, name, description, sql_body, materialization, \
                      connection, schema_name, incremental, tests, params, revision, created_at, updated_at) \
                      values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) on conflict do nothing";
        let done = sqlx::query(insert)
            .bind(of.id.clone())
            .bind(of.organization.clone())
            .bind(of.name.clone())
            .bind(of.description.clone())
            .bind(of.sql_body.clone())
            .bind(of.materialization.as_str())
            .bind(of.connection.clone())
            .bind(of.schema_name.clone())
            .bind(to_json("a transformation", &of.incremental)?)
            .bind(to_json("a transformation", &of.tests)?)
            .bind(to_json("a transformation", &of.params)?)
            .bind(of.revision)
            .bind(of.created_at.0)
            .bind(of.updated_at.0)
            .execute(&mut *self.line)
            .await
            .map_err(doing("write a transformation"))?;
        Ok(done.rows_affected() == 1)
    }

    /// Writes all that can change.
    pub(crate) async fn change_transformation(&mut self, of: &Transformation) -> Result<()> {
        let update = "update transformation set name = $1, description = $2, sql_body = $3, materialization = $4, \
                      connection = $5, schema_name = $6, incremental = $7, tests = $8, params = $9, revision = $10, \
                      updated_at = $11 where id = $12";
        sqlx::query(update)
            .bind(of.name.clone())
            .bind(of.description.clone())
            .bind(of.sql_body.clone())
            .bind(of.materialization.as_str())
            .bind(of.connection.clone())
            .bind(of.schema_name.clone())
            .bind(to_json("a transformation", &of.incremental)?)
            .bind(to_json("a transformation", &of.tests)?)
            .bind(to_json("a transformation", &of.params)?)
            .bind(of.revision)
            .bind(of.updated_at.0)
            .bind(of.id.clone())
            .execute(&mut *self.line)
            .await
            .map_err(doing("write a transformation"))?;
        Ok(())
    }

    /// With its schedules. Its runs stay, as history.
    pub(crate) async fn remove_transformation(&mut self, id: &str) -> Result<()> {
        for delete in [
            "delete from tick where schedule in (select id from schedule where transformation = $1)",
            "delete from schedule where transformation = $1",
            "delete from transformation where id = $1",
        ] {
            let done = sqlx::query(delete).bind(id.to_owned()).execute(&mut *self.line).await;
            done.map_err(doing("remove a transformation"))?;
        }
        Ok(())
    }
}

fn decode(row: &AnyRow) -> Result<Transformation> {
    Ok(Transformation {
        id: get(row, "id")?,
        organization: get(row, "organization")?,
        name: get(row, "name")?,
        description: get(row, "description")?,
        sql_body: get(row, "sql_body")?,
        materialization: get_word(row, "materialization")?,
        connection: get(row, "connection")?,
        schema_name: get(row, "schema_name")?,
        incremental: from_json("a transformation", &get::<String>(row, "incremental")?)?,
        tests: from_json("a transformation", &get::<String>(row, "tests")?)?,
        params: from_json("a transformation", &get::<String>(row, "params")?)?,
        revision: get(row, "revision")?,
        created_at: Timestamp(get(row, "created_at")?),
        updated_at: Timestamp(get(row, "updated_at")?),
    })
}
