//! PostgreSQL: read in parallel under one snapshot, written by staging tables and one transaction.
//!
//! Reading order: `types` says what becomes of each type, `wire` speaks to the server in the sessions of `pool`, `decode` and `encode` turn COPY's
//! bytes into Arrow and back; `source`, `scan` and `share` read, `sink`, `stage` and `commit` write.

#[cfg(feature = "bench")]
mod bench;
mod catalog;
mod commit;
mod decode;
mod discover;
mod encode;
mod filter;
mod numeric;
mod pool;
mod quote;
mod scan;
mod settings;
mod share;
mod sink;
mod snapshot;
mod source;
mod stage;
mod swap;
mod target;
mod types;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use datafusion::catalog::TableProvider;
use datafusion::physical_plan::ExecutionPlan;
use flowetl_proto::catalogue::{ConnectorDescription, Places};
use flowetl_proto::pipeline::Connection;
use flowetl_proto::tables::Table;
use serde_json::Value;
use tokio::sync::mpsc::Sender;

#[cfg(feature = "bench")]
pub use self::bench::Copy;
use self::pool::Sessions;
use self::settings::Settings;
pub(super) use self::share::shared;
use self::snapshot::Snapshots;
use self::wire::Side;
use super::{Connector, InDatabaseRequest, OpenContext, Sink, SinkRequest, SourceRequest, System};
use crate::Result;

/// A test of a connection has few seconds, and says what it has waited for.
const TEST_SEAT_TIMEOUT: Duration = Duration::from_secs(3);

/// The connector.
#[derive(Debug)]
pub(super) struct Postgres;

#[async_trait]
impl Connector for Postgres {
    fn describe(&self) -> ConnectorDescription {
        ConnectorDescription {
            name: "postgres".into(),
            label: "PostgreSQL".into(),
            schemes: vec!["postgres".into(), "postgresql".into()],
            places: Places::Tables,
            settings: settings::schema(),
        }
    }

    /// Connects only when something is asked of the system.
    async fn open(&self, connection: Connection, context: OpenContext) -> Result<Arc<dyn System>> {
        let sessions = Sessions::new(Settings::new(connection)?);
        let snapshots = Snapshots::new(Arc::clone(&sessions));
        Ok(Arc::new(Database { sessions, snapshots, context }))
    }
}

/// One database, opened for one attempt.
#[derive(Debug)]
struct Database {
    sessions: Arc<Sessions>,
    snapshots: Arc<Snapshots>,
    context: OpenContext,
}

#[async_trait]
impl System for Database {
    async fn source(&self, request: SourceRequest) -> Result<Arc<dyn TableProvider>> {
        source::open(Arc::clone(&self.snapshots), &self.context, request).await
    }

    fn share(&self, written: Value) -> Result<Arc<dyn ExecutionPlan>> {
        share::read(&self.sessions, written)
    }

    async fn sink(&self, request: SinkRequest) -> Result<Arc<dyn Sink>> {
        sink::open(Arc::clone(&self.sessions), &self.context, request).await
    }

    async fn in_database(&self, request: InDatabaseRequest) -> Result<Arc<dyn Sink>> {
        sink::open_in_database(Arc::clone(&self.sessions), request).await
    }

    async fn version(&self) -> Result<String> {
        let session = self.sessions.session_within(TEST_SEAT_TIMEOUT, Side::Source, "flowetl").await?;
        let version = format!("PostgreSQL {}", session.version_text());
        session.leave();
        Ok(version)
    }

    async fn discover(&self, pages: &Sender<Vec<Table>>) -> Result<()> {
        let mut session = self.snapshots.alone().await?;
        discover::discover(&mut session, pages).await?;
        self.snapshots.release(session).await;
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests;
