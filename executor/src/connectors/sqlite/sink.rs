//! The sink: stages rows in a file beside the database, then publishes them in one transaction.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use async_trait::async_trait;
use flowetl_proto::code::Class;
use flowetl_proto::control::{AttemptId, Part, Position};
use flowetl_proto::id::BlockId;
use flowetl_proto::pipeline::{Reference, WriteMode};
use rusqlite::Connection;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::connect::{Side, failure, open_to_read, open_to_write};
use super::encode::{Writing, write};
use super::publish::Publication;
use super::stage::{ROWS, Stage};
use super::table::Table;
use super::target::{Change, Target};
use super::types::Kind;
use super::{Database, on_thread};
use crate::blocks::Made;
use crate::connectors::sql_text::{as_subquery, identifiers};
use crate::connectors::{Committed, InDatabaseRequest, Sink, SinkRequest, SinkWriter};
use crate::{Error, Result};

/// Batches that wait for the writing thread: one being written while one is being made.
const BATCHES_MAX: usize = 2;

/// A load into one table, or a table made by a query inside the database.
#[derive(Clone, Debug)]
pub(super) struct SqliteSink {
    database: Arc<Database>,
    attempt: AttemptId,
    block: BlockId,
    stage: Stage,
    table: String,
    /// The target's name for people.
    place: String,
    write: WriteMode,
    key: Vec<String>,
    rows: Rows,
}

/// Where the rows come from.
#[derive(Clone, Debug)]
enum Rows {
    Writers(Arc<Schema>),
    /// A select statement and its columns.
    Query(String, Vec<Writing>),
}

impl SqliteSink {
    pub(super) async fn rows(database: Arc<Database>, request: SinkRequest) -> Result<Self> {
        let (table, place) = target_of(&database, &request.to)?;
        let stage = Stage::new(&database.path, &request.attempt, &request.block);
        let sink = Self {
            stage,
            table,
            place,
            attempt: request.attempt,
            block: request.block,
            write: request.write,
            key: request.key,
            rows: Rows::Writers(request.schema),
            database,
        };
        let checked = sink.clone();
        on_thread(move || {
            checked.check_folder()?;
            checked.target_now().map(drop)
        })
        .await?;
        Ok(sink)
    }

    pub(super) async fn query(database: Arc<Database>, request: InDatabaseRequest) -> Result<Self> {
        if request.made == Made::View {
            return Err(Error::user("views are made in PostgreSQL only: leave `as: view` out"));
        }
        let (table, place) = target_of(&database, &request.to)?;
        let stage = Stage::new(&database.path, &request.attempt, &request.block);
        let (path, sql, name) = (database.path.clone(), request.sql, database.name.clone());
        let rows = on_thread(move || {
            let columns = query_columns(&open_to_read(&path)?, &name, &sql)?;
            Ok(Rows::Query(sql, columns))
        })
        .await?;
        Ok(Self {
            stage,
            table,
            place,
            attempt: request.attempt,
            block: request.block,
            write: WriteMode::Replace,
            key: Vec::new(),
            rows,
            database,
        })
    }

    fn check_folder(&self) -> Result<()> {
        let path = &self.database.path;
        match path.parent() {
            Some(folder) if folder.is_dir() => Ok(()),
            _ => Err(Error::user(format!("the folder of the database file `{}` does not exist", path.display()))),
        }
    }

    /// What the load would do to the table as it is now.
    fn target_now(&self) -> Result<Target> {
        if !self.database.path.exists() {
            return self.target(None);
        }
        let connection = open_to_read(&self.database.path)?;
        let failed = |e| failure(e, Side::Sink, format!("cannot look up {}", self.place));
        let table = Table::find(&connection, &self.table).map_err(failed)?;
        self.target(table.as_ref())
    }

    fn target(&self, table: Option<&Table>) -> Result<Target> {
        match &self.rows {
            Rows::Writers(schema) => Target::new(&self.place, &self.table, table, schema, self.write, &self.key),
            Rows::Query(_, columns) => Target::of_query(&self.place, &self.table, table, columns),
        }
    }

    /// Runs the query into the stage; the database is only read.
    fn run_query(&self, sql: &str, columns: &[Writing]) -> Result<()> {
        let connection = open_to_write(&self.database.path)?;
        let failed = |e| failure(e, Side::Sink, format!("the query for {} failed", self.place));
        let path = self.stage.path.to_string_lossy();
        connection.execute("attach database ?1 as _flowetl_stage", [path.as_ref()]).map_err(failed)?;
        let names = identifiers(columns.iter().map(|column| column.name.as_str()));
        let insert = format!("insert into _flowetl_stage.{ROWS} ({names}) select * from {}", as_subquery(sql));
        connection.execute(&insert, []).map_err(failed)?;
        Ok(())
    }

    fn prepare_now(&self, parts: &[Part]) -> Result<Value> {
        let target = self.target_now()?;
        if let Rows::Query(sql, columns) = &self.rows {
            self.run_query(sql, columns)?;
        }
        let connection = self.stage.open()?;
        let rows = self.stage.count(&connection)?;
        let written: u64 = parts.iter().map(|part| part.rows).sum();
        if matches!(self.rows, Rows::Writers(_)) && rows != written {
            let message = format!("{written} rows were written for {}, but {rows} are staged", self.place);
            return Err(Error::new(Class::Truncated, message));
        }
        if self.write == WriteMode::Merge {
            self.stage.keep_last(&connection, &target.key)?;
        }
        drop(connection);
        self.stage.finish()?;
        Ok(json!({"rows": rows, "columns": layout(&target)}))
    }

    fn commit_now(&self, staged: &Value, positions: &[(BlockId, Position)]) -> Result<Committed> {
        let publication = Publication {
            database: &self.database.path,
            place: &self.place,
            pipeline: &self.attempt.pipeline,
            block: &self.block,
            run: self.attempt.run.as_str(),
            token: self.attempt.token.0,
            write: self.write,
            rows: staged.get("rows").and_then(Value::as_u64).unwrap_or_default(),
            positions,
        };
        let committed = publication.commit(&self.stage, &self.table, |table| {
            let target = self.target(table)?;
            if Some(&layout(&target)) != staged.get("columns") {
                return Err(Error::user(format!("{} was changed while its rows were staged; run again", self.place)));
            }
            Ok(target)
        })?;
        self.stage.remove()?;
        Ok(committed)
    }
}

/// The staged columns, for noticing a table that was changed before the commit.
fn layout(target: &Target) -> Value {
    target.columns.iter().map(|column| json!([column.name, column.kind.name(), column.declared])).collect()
}

fn target_of(database: &Database, to: &Reference) -> Result<(String, String)> {
    let name = &database.name;
    match to {
        Reference::Table { schema, table, .. } => match schema.as_deref() {
            Some(schema) if !schema.eq_ignore_ascii_case("main") => Err(Error::user(format!(
                "`{name}.{schema}.{table}`: SQLite has only the schema `main`; write `{name}.{table}`"
            ))),
            _ => Ok((table.clone(), format!("`{table}` of `{name}`"))),
        },
        Reference::Query { .. } => Err(Error::user(format!("rows for `{name}` need a table, not a query"))),
        Reference::Path { path, .. } => {
            Err(Error::user(format!("`{path}` is a path, but `{name}` is a database; name a table")))
        }
    }
}

/// The query's columns with the types that the tables behind them declare.
fn query_columns(connection: &Connection, name: &str, sql: &str) -> Result<Vec<Writing>> {
    let refused = |e| failure(e, Side::Source, format!("the query on `{name}` is refused"));
    let statement = connection.prepare(sql).map_err(refused)?;
    if statement.column_count() == 0 || !statement.readonly() {
        return Err(Error::user(format!("the query on `{name}` must be one select statement")));
    }
    let columns = statement.columns().into_iter().map(|column| Writing {
        name: column.name().to_owned(),
        kind: Kind::Blob,
        declared: column.decl_type().unwrap_or_default().to_owned(),
        numbers_only: false,
        never_null: false,
    });
    Ok(columns.collect())
}

#[async_trait]
impl Sink for SqliteSink {
    fn writers_max(&self) -> usize {
        match self.rows {
            Rows::Writers(_) => 1,
            Rows::Query(..) => 0,
        }
    }

    async fn exists(&self) -> Result<bool> {
        let sink = self.clone();
        on_thread(move || Ok(sink.target_now()?.change != Change::Create)).await
    }

    async fn begin(&self) -> Result<()> {
        let sink = self.clone();
        on_thread(move || sink.stage.create(&sink.target_now()?.columns)).await
    }

    async fn writer(&self, partition: usize) -> Result<Box<dyn SinkWriter>> {
        if partition > 0 || self.writers_max() == 0 {
            return Err(Error::internal(format!("{} takes no writer {partition}", self.place)));
        }
        let sink = self.clone();
        let (sender, receiver) = mpsc::channel(BATCHES_MAX);
        let thread = tokio::task::spawn_blocking(move || stage_rows(&sink, receiver));
        let name = self.stage.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Box::new(Writer { sender, thread, name, bytes: 0 }))
    }

    async fn prepare(&self, parts: &[Part]) -> Result<Value> {
        let (sink, parts) = (self.clone(), parts.to_vec());
        let staged = on_thread(move || sink.prepare_now(&parts)).await?;
        self.database.end_reads().await;
        Ok(staged)
    }

    async fn commit(&self, staged: &Value, positions: &[(BlockId, Position)]) -> Result<Committed> {
        let (sink, staged, positions) = (self.clone(), staged.clone(), positions.to_vec());
        on_thread(move || sink.commit_now(&staged, &positions)).await
    }

    async fn discard(&self) -> Result<()> {
        let stage = self.stage.clone();
        on_thread(move || stage.remove()).await
    }

    fn describe(&self) -> String {
        match self.target_now() {
            Ok(target) => format!("{}: {}", self.place, target.describe()),
            Err(error) => format!("{}: {error}", self.place),
        }
    }
}

enum Message {
    Rows(RecordBatch),
    /// Without it, the rows so far are not meant to stay.
    Finish,
}

/// The thread's life: all rows in one transaction of the stage. Answers how many there were.
fn stage_rows(sink: &SqliteSink, mut messages: mpsc::Receiver<Message>) -> Result<u64> {
    let columns = sink.target_now()?.columns;
    let connection = sink.stage.open()?;
    sink.stage.run(&connection, "begin")?;
    let names = identifiers(columns.iter().map(|column| column.name.as_str()));
    let parameters = vec!["?"; columns.len()].join(", ");
    let insert = format!("insert into {ROWS} ({names}) values ({parameters})");
    let mut statement = connection.prepare(&insert).map_err(|e| sink.stage.failed(e))?;
    let mut rows = 0;
    while let Some(message) = messages.blocking_recv() {
        match message {
            Message::Rows(batch) => {
                write(&mut statement, &columns, &batch)?;
                rows += batch.num_rows() as u64;
            }
            Message::Finish => {
                sink.stage.run(&connection, "commit")?;
                return Ok(rows);
            }
        }
    }
    Err(Error::new(Class::Cancelled, "the writer was dropped before its end"))
}

struct Writer {
    sender: mpsc::Sender<Message>,
    thread: JoinHandle<Result<u64>>,
    name: String,
    bytes: u64,
}

impl Writer {
    /// The thread only ends early with an error.
    async fn send(&mut self, message: Message) -> Result<()> {
        if self.sender.send(message).await.is_ok() {
            return Ok(());
        }
        self.end().await.map(drop)?;
        Err(Error::internal("the thread that stages rows ended early"))
    }

    async fn end(&mut self) -> Result<u64> {
        (&mut self.thread)
            .await
            .map_err(|e| Error::new(Class::Panic, "the thread that stages rows ended").because(e))?
    }
}

#[async_trait]
impl SinkWriter for Writer {
    async fn write(&mut self, batch: RecordBatch) -> Result<()> {
        self.bytes += batch.get_array_memory_size() as u64;
        self.send(Message::Rows(batch)).await
    }

    async fn finish(mut self: Box<Self>) -> Result<Vec<Part>> {
        self.send(Message::Finish).await?;
        let rows = self.end().await?;
        Ok(vec![Part { uri: self.name.clone(), rows, bytes: self.bytes, crc: 0, note: Value::Null }])
    }
}
