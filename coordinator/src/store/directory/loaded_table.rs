//! Tables that pipelines of an organization have loaded, with what is known of them.

use flowetl_proto::run::Timestamp;
use flowetl_proto::tables::Table;
use sqlx::any::AnyRow;

use super::Directory;
use crate::Result;
use crate::store::{doing, get, get_json};
use crate::transformations::LoadedTable;

impl Directory {
    /// Those behind the one of the id `after`, first loaded first; only where the organization keeps a connection of that name.
    pub(crate) async fn loaded_tables(
        &mut self,
        organization: &str,
        after: &str,
        limit: i64,
    ) -> Result<Vec<LoadedTable>> {
        let select = "select l.id, l.connection, l.table_name, l.run, l.row_count, l.loaded_at, l.stored_pipeline, \
                      case when l.schema_name = '' and t.prefix is not null then t.prefix || '_raw' \
                      else l.schema_name end as schema_name, t.prefix, coalesce(p.name, f.name, l.pipeline) as called, m.detail \
                      from loaded_table l join connection c on c.organization = l.organization and c.name = l.connection \
                      left join tenancy t on t.connection = c.id \
                      left join stored_pipeline p on p.id = l.stored_pipeline left join run r on r.id = l.run \
                      left join transformation f on f.id = r.transformation \
                      left join discovery d on d.connection = c.id \
                      left join metadata_cache m on m.connection = c.id and m.look = d.look \
                      and m.table_name = l.table_name and m.schema_name = \
                      case when l.schema_name = '' and t.prefix is not null then t.prefix || '_raw' else l.schema_name end \
                      where l.organization = $1 and l.id > $2 order by l.id limit $3";
        let query = sqlx::query(select).bind(organization.to_owned()).bind(after.to_owned()).bind(limit);
        let rows = query.fetch_all(&mut *self.line).await.map_err(doing("list the loaded tables"))?;
        rows.iter().map(decode).collect()
    }
}

fn decode(row: &AnyRow) -> Result<LoadedTable> {
    let schema: String = get(row, "schema_name")?;
    let detail: Option<Table> = get_json(row, "detail")?;
    Ok(LoadedTable {
        id: get(row, "id")?,
        connection: get(row, "connection")?,
        schema: Some(schema).filter(|schema| !schema.is_empty()),
        prefix: get(row, "prefix")?,
        table: get(row, "table_name")?,
        pipeline: get(row, "called")?,
        pipeline_id: get(row, "stored_pipeline")?,
        run: get(row, "run")?,
        rows: get(row, "row_count")?,
        loaded_at: Timestamp(get(row, "loaded_at")?),
        columns: detail.map(|table| table.columns).unwrap_or_default(),
    })
}
