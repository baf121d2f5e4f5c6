//! SQLite: tables and queries of a database file, read in one state and written in one transaction.
//!
//! Reading: [`source`] finds what is asked for, [`filter`] what SQLite may judge, [`snapshot`] reads in threads that see
//! one moment, [`decode`] makes batches, [`scan`] is the plan node. Writing: [`target`] compares the rows with the table,
//! [`stage`] keeps them in a file beside the database, [`encode`] writes them there, [`publish`] moves them in one
//! transaction, [`sink`] ties it together. [`types`] and [`text`] say how values lie in the file.

mod connect;
mod decode;
mod discover;
mod encode;
mod filter;
mod publish;
mod scan;
mod sink;
mod snapshot;
mod source;
mod stage;
mod table;
mod target;
#[cfg(test)]
mod tests;
mod text;
mod types;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::TableProvider;
use flowetl_proto::catalogue::{ConnectorDescription, Places};
use flowetl_proto::pipeline::Connection;
use flowetl_proto::tables::Table;
use serde_json::json;
use tokio::sync::Mutex;
use tokio::sync::mpsc::Sender;

use self::connect::{Side, absolute, failure, open_to_read};
use self::sink::SqliteSink;
use self::snapshot::Snapshot;
use self::source::SqliteSource;
use super::{Connector, InDatabaseRequest, OpenContext, Sink, SinkRequest, SourceRequest, System};
use crate::{Error, Result};

#[derive(Debug)]
pub(super) struct Sqlite;

#[async_trait]
impl Connector for Sqlite {
    fn describe(&self) -> ConnectorDescription {
        ConnectorDescription {
            name: "sqlite".into(),
            label: "SQLite".into(),
            schemes: vec!["sqlite".into()],
            places: Places::Tables,
            settings: json!({
                "type": "object",
                "properties": {
                    "type": {"const": "sqlite"},
                    "path": {"type": "string", "description": "The database file. A load creates it where it is missing."},
                },
                "required": ["path"],
                "additionalProperties": false,
            }),
        }
    }

    async fn open(&self, connection: Connection, context: OpenContext) -> Result<Arc<dyn System>> {
        let name = connection.name;
        if connection.path.is_empty() {
            return Err(Error::user(format!("connection `{name}` names no database file")));
        }
        let path = absolute(connection.path.as_ref())?;
        Ok(Arc::new(SqliteSystem(Arc::new(Database { name, path, context, snapshot: Mutex::new(None) }))))
    }
}

/// A database file, opened for one attempt.
#[derive(Debug)]
struct Database {
    /// The connection's name.
    name: String,
    path: PathBuf,
    context: OpenContext,
    /// Taken by the first read, shared by all later ones.
    snapshot: Mutex<Option<Arc<Snapshot>>>,
}

impl Database {
    async fn snapshot(&self) -> Result<Arc<Snapshot>> {
        let mut snapshot = self.snapshot.lock().await;
        if let Some(taken) = snapshot.as_ref() {
            return Ok(Arc::clone(taken));
        }
        let (path, connections_max) = (self.path.clone(), self.context.parallelism);
        let taken = Arc::new(on_thread(move || Snapshot::take(&path, connections_max)).await?);
        *snapshot = Some(Arc::clone(&taken));
        Ok(taken)
    }

    /// Ends the read transaction once the running scans have ended. Without write-ahead log no commit succeeds before.
    async fn end_reads(&self) {
        self.snapshot.lock().await.take();
    }
}

/// Runs what blocks away from the threads that drive streams.
async fn on_thread<T: Send + 'static>(block: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(block).await.map_err(|e| Error::internal("a blocking task ended early").because(e))?
}

#[derive(Debug)]
struct SqliteSystem(Arc<Database>);

#[async_trait]
impl System for SqliteSystem {
    async fn source(&self, request: SourceRequest) -> Result<Arc<dyn TableProvider>> {
        Ok(Arc::new(SqliteSource::open(Arc::clone(&self.0), request).await?))
    }

    async fn sink(&self, request: SinkRequest) -> Result<Arc<dyn Sink>> {
        Ok(Arc::new(SqliteSink::rows(Arc::clone(&self.0), request).await?))
    }

    async fn in_database(&self, request: InDatabaseRequest) -> Result<Arc<dyn Sink>> {
        Ok(Arc::new(SqliteSink::query(Arc::clone(&self.0), request).await?))
    }

    async fn version(&self) -> Result<String> {
        let path = self.0.path.clone();
        on_thread(move || {
            // Opening alone reads nothing of the file.
            let file = open_to_read(&path)?;
            let read = file.query_row("pragma schema_version", [], |row| row.get::<_, i64>(0));
            read.map_err(|e| failure(e, Side::Source, format!("cannot open `{}`", path.display())))?;
            Ok(format!("SQLite {}", rusqlite::version()))
        })
        .await
    }

    async fn discover(&self, pages: &Sender<Vec<Table>>) -> Result<()> {
        let (path, pages) = (self.0.path.clone(), pages.clone());
        on_thread(move || discover::discover(&path, &pages)).await
    }
}
