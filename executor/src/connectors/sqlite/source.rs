//! A table, a view or a query as a table of the engine.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result as EngineResult;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use flowetl_proto::pipeline::Reference;
use rusqlite::Connection;
use serde_json::Value;

use super::Database;
use super::connect::{Side, failure};
use super::decode::{Layout, Reading};
use super::filter::{Judged, SqliteJudge};
use super::scan::SqliteScan;
use super::snapshot::Snapshot;
use super::table::{Table, names};
use super::types::{Affinity, Kind, NAMES, affinity};
use crate::connectors::sql_text::{as_subquery, condition, did_you_mean, identifier, identifiers};
use crate::connectors::{Quarantine, SourceRequest};
use crate::{Error, Result};

/// Rows that are looked at to find the type of a column that declares none. A later row that differs is an error, so
/// this only decides how often `types:` has to be written.
const LOOKED_AT: usize = 1000;
/// Below this many row numbers a second connection costs more than it gains.
const ROWS_PER_CONNECTION: i128 = 50_000;
/// The name of a query in the statements that read from it.
const QUERY: &str = "query";

/// What is read, found out once when the plan is made.
#[derive(Debug)]
pub(super) struct SqliteSource {
    database: Arc<Database>,
    relation: Relation,
    columns: Vec<Reading>,
    schema: SchemaRef,
    judge: SqliteJudge,
    quarantine: Option<Arc<dyn Quarantine>>,
}

/// Where rows come from, as SQL.
#[derive(Clone, Debug)]
struct Relation {
    /// For people: `orders of shop`, `the query on shop`.
    place: String,
    /// Before `select`: names the query's columns, so that no name can be taken for a text.
    with: String,
    from: String,
    rowid: Option<&'static str>,
}

/// A column before its type is settled.
struct Found {
    judged: Judged,
    declared: Option<Kind>,
}

impl SqliteSource {
    pub(super) async fn open(database: Arc<Database>, request: SourceRequest) -> Result<Self> {
        let overrides = overrides(&request.options)?;
        let snapshot = database.snapshot().await?;
        let name = database.name.clone();
        let (relation, columns, judged) = snapshot
            .call(move |connection| {
                let (relation, found) = find(connection, &name, &request.from)?;
                let (columns, judged) = settle(connection, &relation, found, &overrides)?;
                Ok((relation, columns, judged))
            })
            .await?;
        let fields: Vec<Field> = columns.iter().map(|c| Field::new(&c.name, c.kind.arrow(), true)).collect();
        let schema = Arc::new(Schema::new(fields));
        let judge = SqliteJudge { columns: judged };
        Ok(Self { database, relation, columns, schema, judge, quarantine: request.quarantine })
    }

    /// Ranges of rowids that together hold every row, one a reading thread.
    async fn ranges(&self, snapshot: &Snapshot, limit: Option<usize>) -> Result<Vec<Option<String>>> {
        let threads = snapshot.threads() as i128;
        let (Some(rowid), None, true) = (self.relation.rowid, limit, threads > 1) else { return Ok(vec![None]) };
        let (from, place) = (self.relation.from.clone(), self.relation.place.clone());
        let ends: (Option<i64>, Option<i64>) = snapshot
            .call(move |connection| {
                let end = |function: &str| {
                    let query = format!("select {function}({rowid}) from {from}");
                    connection.query_row(&query, [], |row| row.get(0))
                };
                let failed = |e| failure(e, Side::Source, format!("cannot read {place}"));
                Ok((end("min").map_err(failed)?, end("max").map_err(failed)?))
            })
            .await?;
        let (Some(first), Some(last)) = ends else { return Ok(vec![None]) };
        let count = i128::from(last) - i128::from(first) + 1;
        let parts = (count / ROWS_PER_CONNECTION).clamp(1, threads);
        let starts: Vec<i128> = (1..parts).map(|part| i128::from(first) + count * part / parts).collect();
        let mut ranges = Vec::new();
        for part in 0..parts as usize {
            let low = part.checked_sub(1).map(|before| format!("{rowid} >= {}", starts[before]));
            let high = starts.get(part).map(|start| format!("{rowid} < {start}"));
            let both: Vec<String> = low.into_iter().chain(high).collect();
            ranges.push((!both.is_empty()).then(|| both.join(" and ")));
        }
        Ok(ranges)
    }

    fn statement(&self, columns: &[Reading], conditions: &[String], limit: Option<usize>) -> String {
        let mut list: Vec<String> = columns.iter().map(|column| identifier(&column.name)).collect();
        list.extend(self.relation.rowid.map(str::to_owned));
        if list.is_empty() {
            list.push("null".into());
        }
        let Relation { with, from, .. } = &self.relation;
        let mut sql = format!("{with}select {} from {from}", list.join(", "));
        if !conditions.is_empty() {
            sql.push_str(" where ");
            sql.push_str(&conditions.join(" and "));
        }
        if let Some(limit) = limit {
            sql.push_str(&format!(" limit {limit}"));
        }
        sql
    }
}

#[async_trait]
impl TableProvider for SqliteSource {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> EngineResult<Vec<TableProviderFilterPushDown>> {
        let judge = |filter: &&Expr| match condition(filter, &self.judge) {
            Some(condition) if condition.exact => TableProviderFilterPushDown::Exact,
            Some(_) => TableProviderFilterPushDown::Inexact,
            None => TableProviderFilterPushDown::Unsupported,
        };
        Ok(filters.iter().map(judge).collect())
    }

    async fn scan(
        &self,
        _: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        let snapshot = self.database.snapshot().await?;
        let columns: Vec<Reading> = match projection {
            Some(indexes) => indexes.iter().map(|index| self.columns[*index].clone()).collect(),
            None => self.columns.clone(),
        };
        let schema = match projection {
            Some(indexes) => Arc::new(self.schema.project(indexes)?),
            None => Arc::clone(&self.schema),
        };
        let judged: Vec<_> = filters.iter().map(|filter| condition(filter, &self.judge)).collect();
        let all_exact = judged.iter().all(|condition| condition.as_ref().is_some_and(|condition| condition.exact));
        // A row that goes to the quarantine must not count.
        let limit = limit.filter(|_| all_exact && self.quarantine.is_none());
        let conditions: Vec<String> = judged.into_iter().flatten().map(|condition| condition.sql).collect();
        let shown = self.statement(&columns, &conditions, limit);
        let mut statements = Vec::new();
        for range in self.ranges(&snapshot, limit).await? {
            let conditions: Vec<String> = conditions.iter().cloned().chain(range).collect();
            statements.push(self.statement(&columns, &conditions, limit));
        }
        let layout = Layout {
            place: self.relation.place.clone(),
            columns,
            schema,
            has_rowid: self.relation.rowid.is_some(),
            quarantine: self.quarantine.clone(),
            batch_rows: self.database.context.batch_rows,
            batch_bytes: self.database.context.batch_bytes,
        };
        Ok(Arc::new(SqliteScan::new(&self.database, &snapshot, shown, statements, layout)))
    }
}

/// The kinds asked for in `types:`, by lowercase column name.
fn overrides(options: &Value) -> Result<Vec<(String, Kind)>> {
    let Some(types) = options.get("types").and_then(Value::as_object) else { return Ok(Vec::new()) };
    let mut kinds = Vec::new();
    for (column, name) in types {
        let kind = name.as_str().and_then(Kind::named).ok_or_else(|| {
            let name = name.as_str().map_or_else(|| name.to_string(), str::to_owned);
            Error::user(format!("`types: {{{column}: {name}}}` names no type of SQLite; there are {NAMES}"))
        })?;
        kinds.push((column.clone(), kind));
    }
    Ok(kinds)
}

fn find(connection: &Connection, system: &str, from: &Reference) -> Result<(Relation, Vec<Found>)> {
    match from {
        Reference::Table { schema, table, .. } => {
            if let Some(schema) = schema.as_deref().filter(|schema| !schema.eq_ignore_ascii_case("main")) {
                return Err(Error::user(format!(
                    "`{system}.{schema}.{table}`: SQLite has only the schema `main`; write `{system}.{table}`"
                )));
            }
            find_table(connection, system, table)
        }
        Reference::Query { query, .. } => find_query(connection, system, query),
        Reference::Path { path, .. } => {
            Err(Error::user(format!("`{path}` is a path, but `{system}` is a database; name a table")))
        }
    }
}

fn find_table(connection: &Connection, system: &str, name: &str) -> Result<(Relation, Vec<Found>)> {
    let failed = |e| failure(e, Side::Source, format!("cannot look up the table `{name}` of `{system}`"));
    let Some(table) = Table::find(connection, name).map_err(failed)? else {
        let known = names(connection).map_err(failed)?;
        let hint = did_you_mean(name, known.iter().map(String::as_str));
        return Err(Error::user(format!("`{system}` has no table `{name}`{hint}")));
    };
    let encoding: String = connection.query_row("pragma encoding", [], |row| row.get(0)).map_err(failed)?;
    let found = table.columns.iter().map(|column| Found {
        declared: column.kind,
        judged: Judged {
            name: column.name.clone(),
            // A date is kept as text only where the column does not turn it into something else.
            kind: column.kind.filter(|_| table.sort == "table"),
            strict: column.is_rowid || (table.strict && column.kind.is_some()),
            binary: column.binary && affinity(&column.declared) == Affinity::Text,
            ordered: encoding == "UTF-8",
        },
    });
    let relation = Relation {
        place: format!("`{}` of `{system}`", table.name),
        with: String::new(),
        from: identifier(&table.name),
        rowid: table.rowid(),
    };
    let found: Vec<Found> = found.collect();
    Ok((relation, found))
}

fn find_query(connection: &Connection, system: &str, query: &str) -> Result<(Relation, Vec<Found>)> {
    let statement = connection
        .prepare(query)
        .map_err(|e| failure(e, Side::Source, format!("the query on `{system}` is refused")))?;
    if statement.column_count() == 0 || !statement.readonly() {
        return Err(Error::user(format!("the query on `{system}` must be one select statement")));
    }
    let found: Vec<Found> = statement
        .columns()
        .iter()
        .map(|column| Found {
            declared: column.decl_type().and_then(Kind::declared),
            judged: Judged { name: column.name().to_owned(), kind: None, strict: false, binary: false, ordered: false },
        })
        .collect();
    let mut seen = BTreeSet::new();
    for column in &found {
        if !seen.insert(column.judged.name.to_ascii_lowercase()) {
            let name = &column.judged.name;
            return Err(Error::user(format!("the query on `{system}` has two columns `{name}`; name one with `as`")));
        }
    }
    let list = identifiers(found.iter().map(|column| column.judged.name.as_str()));
    let relation = Relation {
        place: format!("the query on `{system}`"),
        with: format!("with {}({list}) as {} ", identifier(QUERY), as_subquery(query)),
        from: identifier(QUERY),
        rowid: None,
    };
    Ok((relation, found))
}

/// Gives every column its type: asked for, declared, or found by looking.
fn settle(
    connection: &Connection,
    relation: &Relation,
    found: Vec<Found>,
    overrides: &[(String, Kind)],
) -> Result<(Vec<Reading>, Vec<Judged>)> {
    for (asked, _) in overrides {
        if !found.iter().any(|column| column.judged.name.eq_ignore_ascii_case(asked)) {
            let hint = did_you_mean(asked, found.iter().map(|column| column.judged.name.as_str()));
            return Err(Error::user(format!(
                "`types:` names the column `{asked}`, which {} lacks{hint}",
                relation.place
            )));
        }
    }
    let asked =
        |name: &str| overrides.iter().find(|(asked, _)| asked.eq_ignore_ascii_case(name)).map(|(_, kind)| *kind);
    let unknown: Vec<&str> = found
        .iter()
        .filter(|column| column.declared.is_none() && asked(&column.judged.name).is_none())
        .map(|column| column.judged.name.as_str())
        .collect();
    let mut looked = look(connection, relation, &unknown)?.into_iter();
    let (mut columns, mut judged) = (Vec::new(), Vec::new());
    for Found { judged: mut judge, declared } in found {
        let (kind, lenient) = match (asked(&judge.name), declared) {
            (Some(kind), _) => (kind, true),
            (None, Some(kind)) => (kind, false),
            (None, None) => (looked.next().unwrap_or(Kind::Text), true),
        };
        if lenient {
            judge.kind = None;
        }
        columns.push(Reading { name: judge.name.clone(), kind, lenient });
        judged.push(judge);
    }
    Ok((columns, judged))
}

/// The kinds of columns that declare none, from what their first rows hold.
fn look(connection: &Connection, relation: &Relation, columns: &[&str]) -> Result<Vec<Kind>> {
    if columns.is_empty() {
        return Ok(Vec::new());
    }
    let failed = |e| failure(e, Side::Source, format!("cannot read {}", relation.place));
    let list: Vec<String> = columns.iter().map(|name| format!("typeof({})", identifier(name))).collect();
    let sql = format!("{}select {} from {} limit {LOOKED_AT}", relation.with, list.join(", "), relation.from);
    let mut seen: Vec<BTreeSet<String>> = vec![BTreeSet::new(); columns.len()];
    let mut statement = connection.prepare(&sql).map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        for (index, seen) in seen.iter_mut().enumerate() {
            let class: String = row.get(index).map_err(failed)?;
            if class != "null" {
                seen.insert(class);
            }
        }
    }
    let kind = |seen: &BTreeSet<String>| match seen.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["integer"] => Kind::Integer,
        ["real"] | ["integer", "real"] => Kind::Real,
        ["blob"] => Kind::Blob,
        _ => Kind::Text,
    };
    Ok(seen.iter().map(kind).collect())
}
