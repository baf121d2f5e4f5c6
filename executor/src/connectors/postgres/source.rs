//! A table or query to read, as DataFusion sees it: its schema, and which parts of a plan the database itself can do.

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, Statistics};
use datafusion::error::Result as EngineResult;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use flowetl_proto::pipeline::Reference;

use super::catalog::{self, Kind, Leaf, Relation};
use super::filter;
use super::pool::Seat;
use super::quote::qualified;
use super::scan::{PostgresScan, Reading, Slices};
use super::snapshot::Snapshots;
use super::types::SourceColumn;
use crate::connectors::{OpenContext, Quarantine, SourceRequest};
use crate::{Error, Result};

/// A slice smaller than this costs more in statements than it gains in balance.
const SLICE_BYTES_MIN: u64 = 8 * 1024 * 1024;
/// Slices per stream: partitions that finish early take over what others have not begun.
const SLICES_PER_STREAM: u64 = 4;
/// The first version that reads a range of blocks without looking at the rest of the table.
const BLOCK_RANGES_FROM: u32 = 140_000;
/// Rows behind an index are read by one stream up to this share of the table; for more, several that read all are quicker.
const INDEXED_SHARE_MAX: f64 = 0.1;
/// A limit up to here is read by one stream: splitting would read a multiple of it.
const LIMIT_IN_ONE_STREAM: usize = 100_000;
/// The share of rows that an unknown condition keeps, as DataFusion guesses it too.
const FILTER_SELECTIVITY: f64 = 0.2;

/// Where rows come from.
#[derive(Debug)]
enum Origin {
    Relation(Relation),
    /// One select statement of the pipeline's author.
    Query(String),
}

#[derive(Debug)]
struct Source {
    snapshots: Arc<Snapshots>,
    origin: Origin,
    columns: Vec<SourceColumn>,
    schema: SchemaRef,
    context: OpenContext,
    quarantine: Option<Arc<dyn Quarantine>>,
    /// As the pipeline names it, for messages.
    place: String,
}

/// Looks the table or query up; refuses what does not exist, by its nearest name.
pub(super) async fn open(
    snapshots: Arc<Snapshots>,
    context: &OpenContext,
    request: SourceRequest,
) -> Result<Arc<dyn TableProvider>> {
    let mut session = snapshots.plain().await?;
    let (origin, columns, place) = match request.from {
        Reference::Table { schema, table, .. } => {
            let schema = match schema {
                Some(schema) => schema,
                None => catalog::current_schema(&mut session).await?,
            };
            let Some(relation) = catalog::relation(&mut session, &schema, &table).await? else {
                return Err(catalog::unknown_relation(&mut session, &schema, &table).await?);
            };
            let columns = relation
                .columns
                .iter()
                .map(|a| SourceColumn::new(&a.name, a.of.clone(), a.is_nullable, a.compares_bytes))
                .collect();
            (Origin::Relation(relation), columns, format!("{schema}.{table}"))
        }
        Reference::Query { query, .. } => {
            let query = query.trim().trim_end_matches(';').to_owned();
            let columns = query_columns(&mut session, &query).await?;
            (Origin::Query(query), columns, "query".to_owned())
        }
        Reference::Path { path, .. } => {
            return Err(Error::user(format!("`{path}` is a path; a database has tables: `connection.schema.table`")));
        }
    };
    session.leave();
    for column in &columns {
        if !column.of.is_readable() {
            let name = column.field.name();
            let of = &column.of.sql;
            return Err(Error::user(format!(
                "column `{name}` of {place} has the type `{of}`, which has no values to read; select `{name}::text`"
            )));
        }
    }
    let schema = Arc::new(Schema::new(columns.iter().map(|c: &SourceColumn| c.field.clone()).collect::<Vec<_>>()));
    let context = context.clone();
    Ok(Arc::new(Source { snapshots, origin, columns, schema, context, quarantine: request.quarantine, place }))
}

async fn query_columns(client: &mut super::wire::Client, query: &str) -> Result<Vec<SourceColumn>> {
    let described = client.describe(query).await?;
    let described =
        described.ok_or_else(|| Error::user("the query gives no rows; a source needs a select statement"))?;
    let mut names: Vec<&str> = described.iter().map(|c| c.name.as_str()).collect();
    names.sort_unstable();
    if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(Error::user(format!("the query has two columns `{}`; give one of them another name", twice[0])));
    }
    let of: Vec<_> = described.iter().map(|c| (c.type_oid, c.type_modifier)).collect();
    let types = catalog::types(client, &of).await?;
    // A result column does not say its collation, so only comparisons that name one are pushed into it.
    Ok(described.iter().zip(types).map(|(c, of)| SourceColumn::new(&c.name, of, true, false)).collect())
}

#[async_trait]
impl TableProvider for Source {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> EngineResult<Vec<TableProviderFilterPushDown>> {
        let support = |filter: &&Expr| match filter::sql(filter, &self.columns) {
            Some(_) => TableProviderFilterPushDown::Exact,
            None => TableProviderFilterPushDown::Unsupported,
        };
        Ok(filters.iter().map(support).collect())
    }

    fn statistics(&self) -> Option<Statistics> {
        self.rows_estimate(false).map(|rows| statistics(&self.schema, rows))
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        let columns: Vec<&SourceColumn> = match projection {
            Some(indexes) => indexes.iter().map(|&i| &self.columns[i]).collect(),
            None => self.columns.iter().collect(),
        };
        let mut conditions = Vec::with_capacity(filters.len());
        for filter in filters {
            let sql = filter::sql(filter, &self.columns);
            conditions.push(sql.ok_or_else(|| Error::internal(format!("`{filter}` was not to be pushed down")))?);
        }
        let select = Select {
            list: columns.iter().map(|c| c.select.as_str()).collect::<Vec<_>>().join(", "),
            conditions,
            limit,
        };
        let schema = Arc::new(Schema::new(columns.iter().map(|c| c.field.clone()).collect::<Vec<_>>()));
        let statistics = self.rows_estimate(!filters.is_empty()).map(|rows| statistics(&schema, rows));
        if self.context.executors > 1 {
            self.snapshots.export().await?;
        }
        let (slices, seat) = self.slices(&select, self.snapshots.seat().await?).await?;
        let reading = Reading {
            snapshots: Arc::clone(&self.snapshots),
            codecs: columns.iter().map(|c| c.codec.clone()).collect(),
            schema,
            quarantine: self.quarantine.clone(),
            place: self.place.clone(),
            batch_rows: self.context.batch_rows,
            batch_bytes: self.context.batch_bytes,
        };
        Ok(Arc::new(PostgresScan::new(reading, slices, self.context.parallelism, statistics, seat)))
    }
}

impl Source {
    fn rows_estimate(&self, is_filtered: bool) -> Option<u64> {
        let Origin::Relation(relation) = &self.origin else { return None };
        let rows = relation.rows_estimate?;
        Some(if is_filtered { (rows as f64 * FILTER_SELECTIVITY) as u64 } else { rows })
    }

    /// The statements that together read the selected rows; the seat is given back.
    async fn slices(&self, select: &Select, seat: Seat) -> Result<(Slices, Seat)> {
        let relation = match &self.origin {
            Origin::Relation(relation) => relation,
            Origin::Query(query) => {
                // The line break ends a comment that the query may end with.
                let text = select.sql(&format!("({query}\n) as flowetl_query"), None);
                return Ok((Slices::one(text), seat));
            }
        };
        let whole = select.sql(&qualified(&relation.schema, &relation.name), None);
        let in_one_stream = select.limit.is_some_and(|l| l <= LIMIT_IN_ONE_STREAM)
            || !matches!(relation.kind, Kind::Table | Kind::Partitioned);
        if in_one_stream {
            return Ok((Slices::one(whole), seat));
        }
        // Under the snapshot, because a partition that is attached later must neither be missed nor read twice.
        let mut session = self.snapshots.reader(seat).await?;
        let leaves = catalog::leaves(&mut session, relation).await?;
        let mut slices = match leaves {
            Some(leaves) if session.version() >= BLOCK_RANGES_FROM => self.block_ranges(select, &leaves, whole.clone()),
            _ => Slices::one(whole.clone()),
        };
        if slices.statements.len() > 1 && !select.conditions.is_empty() {
            let planned = catalog::planned(&mut session, &whole).await?;
            let few = relation.rows_estimate.is_some_and(|all| planned.rows as f64 <= all as f64 * INDEXED_SHARE_MAX);
            // A range of blocks is read from end to end, whatever index there is.
            if few && !planned.reads_all {
                slices = Slices::one(whole);
            }
        }
        let seat = self.snapshots.release(session).await;
        Ok((slices, seat))
    }

    fn block_ranges(&self, select: &Select, leaves: &[Leaf], text: String) -> Slices {
        let total: u64 = leaves.iter().map(|l| l.blocks * l.block_bytes).sum();
        let streams = (self.context.parallelism.max(1) * self.context.executors) as u64;
        let slice_bytes = (total / (streams * SLICES_PER_STREAM)).max(SLICE_BYTES_MIN);
        let mut statements = Vec::new();
        for leaf in leaves {
            let from = format!("only {}", qualified(&leaf.schema, &leaf.name));
            let step = (slice_bytes / leaf.block_bytes.max(1)).max(1);
            if leaf.kind != Kind::Table || leaf.blocks <= step + step / 2 {
                statements.push(select.sql(&from, None));
                continue;
            }
            let mut start = 0;
            while start < leaf.blocks {
                let end = start + step;
                // The last range has no end: the snapshot may be younger than the size.
                let is_last = end + step / 2 >= leaf.blocks;
                let upper = if is_last { String::new() } else { format!(" and ctid < '({end},0)'::tid") };
                statements.push(select.sql(&from, Some(&format!("ctid >= '({start},0)'::tid{upper}"))));
                start = if is_last { leaf.blocks } else { end };
            }
        }
        Slices { text, statements, bytes: total }
    }
}

fn statistics(schema: &Schema, rows: u64) -> Statistics {
    let mut statistics = Statistics::new_unknown(schema);
    statistics.num_rows = Precision::Inexact(usize::try_from(rows).unwrap_or(usize::MAX));
    statistics.column_statistics = vec![ColumnStatistics::new_unknown(); schema.fields().len()];
    statistics
}

/// What every slice of a scan has in common.
struct Select {
    list: String,
    conditions: Vec<String>,
    limit: Option<usize>,
}

impl Select {
    fn sql(&self, from: &str, range: Option<&str>) -> String {
        let mut conditions: Vec<&str> = range.into_iter().collect();
        conditions.extend(self.conditions.iter().map(String::as_str));
        let mut sql = format!("select {} from {from}", self.list);
        if !conditions.is_empty() {
            sql.push_str(" where ");
            sql.push_str(&conditions.join(" and "));
        }
        if let Some(limit) = self.limit {
            sql.push_str(&format!(" limit {limit}"));
        }
        sql
    }
}
