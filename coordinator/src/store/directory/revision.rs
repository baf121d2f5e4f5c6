//! What stored pipelines were and are: immutable.

use flowetl_proto::run::Timestamp;
use sqlx::any::AnyRow;

use super::Directory;
use crate::Result;
use crate::connections::ConnectionUser;
use crate::pipelines::Revision;
use crate::store::{doing, from_json, get, get_json, naming, to_json};

impl Directory {
    pub(crate) async fn add_revision(&mut self, pipeline: &str, revision: &Revision) -> Result<()> {
        let insert = "insert into revision (pipeline, number, source, definition, author, message, restored, created_at) \
                      values ($1, $2, $3, $4, $5, $6, $7, $8)";
        sqlx::query(insert)
            .bind(pipeline.to_owned())
            .bind(revision.number)
            .bind(to_json("a pipeline's file", &revision.file)?)
            .bind(revision.definition.as_ref().map(|p| to_json("a pipeline", p)).transpose()?)
            .bind(revision.author.clone())
            .bind(revision.message.clone())
            .bind(revision.restored)
            .bind(revision.created_at.0)
            .execute(&mut *self.line)
            .await
            .map_err(doing("write a revision"))?;
        Ok(())
    }

    pub(crate) async fn revision(&mut self, pipeline: &str, number: i64) -> Result<Option<Revision>> {
        let query = sqlx::query("select * from revision where pipeline = $1 and number = $2");
        let row = query.bind(pipeline.to_owned()).bind(number).fetch_optional(&mut *self.line).await;
        row.map_err(doing("read a revision"))?.as_ref().map(decode).transpose()
    }

    /// Of an organization's pipelines, by name, those whose newest revision may name a connection: it is among the texts.
    pub(crate) async fn revisions_naming(
        &mut self,
        organization: &str,
        connection: &str,
    ) -> Result<Vec<(ConnectionUser, Revision)>> {
        let select = "select v.*, p.name as pipeline_name from stored_pipeline p \
                      join revision v on v.pipeline = p.id and v.number = p.revision \
                      where p.organization = $1 and v.definition like $2 escape '\\' order by p.name";
        let named = naming(&format!("\"{connection}\""));
        let rows = sqlx::query(select).bind(organization.to_owned()).bind(named).fetch_all(&mut *self.line).await;
        let decode = |row: &AnyRow| {
            Ok((ConnectionUser { name: get(row, "pipeline_name")?, id: get(row, "pipeline")? }, decode(row)?))
        };
        rows.map_err(doing("list the revisions"))?.iter().map(decode).collect()
    }

    /// Newest first, those below the number `before`.
    pub(crate) async fn revisions(&mut self, pipeline: &str, before: i64, limit: i64) -> Result<Vec<Revision>> {
        let query = "select * from revision where pipeline = $1 and number < $2 order by number desc limit $3";
        let query = sqlx::query(query).bind(pipeline.to_owned()).bind(before).bind(limit);
        let rows = query.fetch_all(&mut *self.line).await.map_err(doing("list the revisions"))?;
        rows.iter().map(decode).collect()
    }
}

fn decode(row: &AnyRow) -> Result<Revision> {
    Ok(Revision {
        number: get(row, "number")?,
        file: from_json("a pipeline's file", &get::<String>(row, "source")?)?,
        definition: get_json(row, "definition")?,
        author: get(row, "author")?,
        message: get(row, "message")?,
        restored: get(row, "restored")?,
        created_at: Timestamp(get(row, "created_at")?),
    })
}
