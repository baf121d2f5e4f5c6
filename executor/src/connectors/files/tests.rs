//! Files read and written for real: local folders, and the S3 service that `FLOWETL_TEST_S3` names.

mod read;
mod write;

use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::catalog::TableProvider;
use datafusion::prelude::{SessionConfig, SessionContext};
use flowetl_proto::control::AttemptId;
use flowetl_proto::id::{RunId, Token};
use flowetl_proto::pipeline::{Connection, Reference, Secret, WriteMode};
use indexmap::IndexMap;
use serde_json::Value;

use super::{Folder, S3};
use crate::connectors::{Connector, OpenContext, Quarantine, SinkRequest, SourceRequest, System};
use crate::{Error, Result};

pub fn context(parallelism: usize) -> OpenContext {
    OpenContext { parallelism, executors: 1, batch_rows: 8192, batch_bytes: 8 << 20, row_group_bytes: 64 << 20 }
}

pub fn folder_connection(path: &std::path::Path) -> Connection {
    let path = path.display().to_string();
    let (name, scheme, options) = ("lake".into(), "file".into(), IndexMap::new());
    Connection { name, scheme, host: None, port: None, user: None, password: None, path, options }
}

/// A connection into the test service, below a prefix of the test's own.
pub fn s3_connection() -> Connection {
    let text =
        std::env::var("FLOWETL_TEST_S3").expect("set FLOWETL_TEST_S3 to s3://bucket?endpoint=...&access_key=...");
    let url = url::Url::parse(&text).expect("FLOWETL_TEST_S3 is a URL");
    let options = url.query_pairs().map(|(name, value)| (name.into_owned(), Secret::new(value))).collect();
    let (name, scheme, host) = ("lake".into(), "s3".into(), url.host_str().map(str::to_owned));
    let path = format!("test-{}", uuid::Uuid::now_v7());
    Connection { name, scheme, host, port: None, user: None, password: None, path, options }
}

pub async fn open(connection: Connection, parallelism: usize) -> Arc<dyn System> {
    let connector: &dyn Connector = if connection.scheme == "s3" { &S3 } else { &Folder };
    connector.open(connection, context(parallelism)).await.expect("opens")
}

pub fn path(path: &str) -> Reference {
    Reference::Path { connection: "lake".into(), path: path.into(), format: None }
}

pub async fn table(
    system: &Arc<dyn System>,
    from: &str,
    options: Value,
    quarantine: Option<Arc<dyn Quarantine>>,
) -> Result<Arc<dyn TableProvider>> {
    system.source(SourceRequest { block: "orders".into(), from: path(from), options, quarantine }).await
}

/// Runs SQL over a table named `t`; errors come out as the engine would see them.
pub async fn query(table: Arc<dyn TableProvider>, sql: &str) -> Result<Vec<RecordBatch>> {
    let session = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(4));
    session.register_table("t", table)?;
    Ok(session.sql(sql).await?.collect().await?)
}

pub fn shown(batches: &[RecordBatch]) -> String {
    arrow::util::pretty::pretty_format_batches(batches).expect("prints").to_string()
}

pub fn attempt(run: &str, token: i64) -> AttemptId {
    AttemptId { pipeline: "p".into(), run: RunId::new(run), segment: "load".into(), token: Token(token) }
}

pub fn sink_request(
    attempt: AttemptId,
    to: &str,
    write: WriteMode,
    batch: &RecordBatch,
    options: Value,
) -> SinkRequest {
    let (block, key, schema) = ("load".into(), Vec::new(), batch.schema());
    SinkRequest { attempt, block, to: path(to), write, key, schema, options }
}

pub fn message(error: &Error) -> String {
    error.to_failure().message
}
