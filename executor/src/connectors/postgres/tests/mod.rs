//! Tests against a real server, named by `FLOWETL_TEST_POSTGRES`; every test has a database of its own.

mod certificates;
mod codec;
mod pool;
mod read;
mod tunnel;
mod types;
mod write;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use datafusion::catalog::TableProvider;
use datafusion::prelude::{SessionConfig, SessionContext};
use flowetl_proto::control::{AttemptId, Part};
use flowetl_proto::id::Token;
use flowetl_proto::pipeline::{Connection, ConnectionSpec, Reference, Secret, WriteMode};
use serde_json::Value;

use super::Postgres;
use super::quote::identifier;
use super::settings::Settings;
use super::wire::{Client, Row, Side};
use crate::connectors::{Committed, Connector, OpenContext, Sink, SinkRequest, SourceRequest, System};

/// How long a test waits for what must happen soon.
const PATIENCE: Duration = Duration::from_secs(20);
pub(super) const PARALLELISM: usize = 2;

/// A database that lives as long as its test.
pub(crate) struct Database {
    name: String,
    client: Client,
}

fn connection(database: &str) -> Connection {
    let url = std::env::var("FLOWETL_TEST_POSTGRES")
        .expect("FLOWETL_TEST_POSTGRES must name a server, such as postgres://postgres@127.0.0.1:5432/postgres");
    let url = url::Url::parse(&url).expect("FLOWETL_TEST_POSTGRES is a URL");
    Connection {
        name: "db".into(),
        scheme: "postgres".into(),
        host: url.host_str().map(str::to_owned),
        port: url.port(),
        user: Some(url.username().to_owned()).filter(|u| !u.is_empty()),
        password: url.password().map(Secret::new),
        path: if database.is_empty() { url.path().to_owned() } else { database.to_owned() },
        options: url.query_pairs().map(|(k, v)| (k.into_owned(), Secret::new(v))).collect(),
    }
}

async fn client(database: &str) -> Client {
    client_of(connection(database)).await
}

async fn client_of(connection: Connection) -> Client {
    let settings = Arc::new(Settings::new(connection).unwrap());
    Client::connect(&settings, Side::Source, "test").await.unwrap()
}

/// Runs a test with a new database, which is dropped also when the test fails.
pub(crate) async fn with_database<F: Future<Output = ()> + Send + 'static>(test: impl FnOnce(Database) -> F) {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("flowetl_test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let mut admin = client("").await;
    admin.execute(&format!("create database {}", identifier(&name))).await.unwrap();
    let database = Database { client: client(&name).await, name: name.clone() };
    let outcome = tokio::spawn(test(database)).await;
    admin.execute(&format!("drop database {} with (force)", identifier(&name))).await.unwrap();
    if let Err(error) = outcome {
        std::panic::resume_unwind(error.into_panic());
    }
}

fn context() -> OpenContext {
    OpenContext {
        parallelism: PARALLELISM,
        executors: 1,
        batch_rows: 1000,
        batch_bytes: 1 << 20,
        row_group_bytes: 64 << 20,
    }
}

fn table(name: &str) -> Reference {
    Reference::Table { connection: "db".into(), schema: Some("public".into()), table: name.into() }
}

fn query(sql: &str) -> Reference {
    Reference::Query { connection: "db".into(), query: sql.into() }
}

impl Database {
    /// How a pipeline names it.
    pub(crate) fn spec(&self) -> ConnectionSpec {
        let connection = connection(&self.name);
        let plain = |secret: &Secret| secret.reveal().to_owned();
        ConnectionSpec {
            scheme: connection.scheme,
            host: connection.host,
            port: connection.port,
            user: connection.user,
            password: connection.password.as_ref().map(plain),
            path: connection.path,
            options: connection.options.iter().map(|(name, value)| (name.clone(), plain(value))).collect(),
        }
    }

    pub(crate) async fn run(&mut self, sql: &str) {
        self.client.execute(sql).await.unwrap();
    }

    async fn rows(&mut self, sql: &str) -> Vec<Row> {
        self.client.query(sql).await.unwrap()
    }

    /// The one value of the one row.
    pub(crate) async fn value(&mut self, sql: &str) -> String {
        self.rows(sql).await[0][0].clone().unwrap_or_else(|| "null".into())
    }

    async fn open(&self) -> Arc<dyn System> {
        Postgres.open(connection(&self.name), context()).await.unwrap()
    }

    async fn source(&self, from: Reference) -> crate::Result<Arc<dyn TableProvider>> {
        source(&*self.open().await, from).await
    }

    async fn read(&self, from: Reference) -> Vec<RecordBatch> {
        select(self.source(from).await.unwrap(), "select * from t").await.unwrap()
    }

    /// Waits until a query gives `wanted`.
    pub(crate) async fn until(&mut self, sql: &str, wanted: &str) {
        let start = Instant::now();
        loop {
            let is = self.value(sql).await;
            if is == wanted {
                return;
            }
            assert!(start.elapsed() < PATIENCE, "`{sql}` still gives {is}, not {wanted}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn sink(
        &self,
        attempt: &AttemptId,
        load: &Loading,
        schema: arrow::datatypes::SchemaRef,
    ) -> crate::Result<Arc<dyn Sink>> {
        let request = SinkRequest {
            attempt: attempt.clone(),
            block: "load_block".into(),
            to: table(&load.table),
            write: load.write,
            key: load.key.clone(),
            schema,
            options: Value::Null,
        };
        self.open().await.sink(request).await
    }

    /// Stages batches, spread over the sink's writers.
    async fn stage(&self, sink: &Arc<dyn Sink>, batches: &[RecordBatch]) -> crate::Result<Value> {
        sink.begin().await?;
        let mut parts: Vec<Part> = Vec::new();
        let writers = sink.writers_max();
        for partition in 0..writers {
            let mut writer = sink.writer(partition).await?;
            for batch in batches.iter().skip(partition).step_by(writers) {
                writer.write(batch.clone()).await?;
            }
            parts.extend(writer.finish().await?);
        }
        let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
        assert_eq!(parts.iter().map(|p| p.rows).sum::<u64>(), rows as u64);
        sink.prepare(&parts).await
    }

    /// A whole load.
    async fn load(&self, attempt: &AttemptId, load: &Loading, batches: &[RecordBatch]) -> crate::Result<Committed> {
        let sink = self.sink(attempt, load, batches[0].schema()).await?;
        let staged = self.stage(&sink, batches).await?;
        sink.commit(&staged, &[]).await
    }

    /// Tables that attempts left behind.
    async fn leftovers(&mut self) -> String {
        self.value("select count(*) from pg_class where relname like '\\_flowetl\\_%' and relname not like '\\_flowetl\\_commits%'").await
    }
}

async fn source(system: &dyn System, from: Reference) -> crate::Result<Arc<dyn TableProvider>> {
    system.source(SourceRequest { block: "b".into(), from, options: Value::Null, quarantine: None }).await
}

fn engine(provider: Arc<dyn TableProvider>) -> SessionContext {
    let engine = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(PARALLELISM));
    engine.register_table("t", provider).unwrap();
    engine
}

async fn select(provider: Arc<dyn TableProvider>, sql: &str) -> crate::Result<Vec<RecordBatch>> {
    let frame = engine(provider).sql(sql).await?;
    Ok(frame.collect().await?)
}

fn rows(batches: &[RecordBatch]) -> usize {
    batches.iter().map(RecordBatch::num_rows).sum()
}

/// Every value as Arrow prints it, in sorted rows.
fn texts(batches: &[RecordBatch]) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for batch in batches {
        for row in 0..batch.num_rows() {
            let value = |c| arrow::util::display::array_value_to_string(batch.column(c), row).unwrap();
            rows.push((0..batch.num_columns()).map(value).collect());
        }
    }
    rows.sort();
    rows
}

/// What a test loads, and how.
struct Loading {
    table: String,
    write: WriteMode,
    key: Vec<String>,
}

fn loading(table: &str, write: WriteMode) -> Loading {
    Loading { table: table.into(), write, key: Vec::new() }
}

fn merging(table: &str, key: &[&str]) -> Loading {
    Loading { table: table.into(), write: WriteMode::Merge, key: key.iter().map(|k| (*k).to_owned()).collect() }
}

fn attempt(run: &str, token: i64) -> AttemptId {
    AttemptId { pipeline: "pipe".into(), run: run.into(), segment: "load_block".into(), token: Token(token) }
}
