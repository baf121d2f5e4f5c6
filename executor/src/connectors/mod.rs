//! How the outside is read and written: three small traits, and the list of connectors.
//!
//! A [`Connector`] is a kind of system. Opened for one attempt it becomes a [`System`], which gives tables to read
//! (DataFusion's own `TableProvider`, so that projections, filters and limits reach the system's query) and [`Sink`]s to
//! write. To add a connector: a new room beside this file and its entry in [`all`].

mod pem;
pub(crate) mod postgres;
mod sql_text;
mod sqlite;
#[cfg(test)]
mod suite;
pub(crate) mod systems;
mod tunnel;

use std::fmt::Debug;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::TableProvider;
use datafusion::physical_plan::ExecutionPlan;
use flowetl_proto::catalogue::ConnectorDescription;
use flowetl_proto::control::{AttemptId, Part, Position};
use flowetl_proto::id::BlockId;
use flowetl_proto::look::FileState;
use flowetl_proto::pipeline::{Connection, Reference, WriteMode};
use flowetl_proto::tables::Table;
use serde_json::Value;
use tokio::sync::mpsc::Sender;

use crate::blocks::Made;
use crate::storage::Storage;
use crate::{Error, Result};

mod files;

#[cfg(feature = "bench")]
#[doc(hidden)]
pub use postgres::Copy;

pub(crate) use files::{ParquetFile, ParquetTable, Place, footer};

/// A kind of system: what it is called, how it is set up, how it is opened.
#[async_trait]
pub trait Connector: Debug + Send + Sync + 'static {
    fn describe(&self) -> ConnectorDescription;

    /// Opens the system for one attempt. All reads through the answer see one state of the system where it has
    /// snapshots. May connect lazily; errors carry the class the engine acts on and never the password.
    async fn open(&self, connection: Connection, context: OpenContext) -> Result<Arc<dyn System>>;
}

/// What an opened system may know of its surroundings.
#[derive(Clone, Debug)]
pub struct OpenContext {
    /// How many streams may read or write at once: the engine's target partitions.
    pub parallelism: usize,
    /// For how many executors, this one included, a source is cut at most; who helps is known later.
    pub executors: usize,
    /// Rows per batch aimed at; a batch also stays below `batch_bytes`.
    pub batch_rows: usize,
    pub batch_bytes: usize,
    /// Encoded bytes that a writer gathers before it gives them away, where its format is written in groups of rows.
    pub row_group_bytes: usize,
}

/// One system, opened for one attempt. Dropping it ends its sessions and whatever they still do.
#[async_trait]
pub trait System: Debug + Send + Sync {
    /// A table to read. Its schema is final: what cannot be read without loss is refused here, by name, with the cast
    /// that would fit. Its scan pushes down what the system can do and names the statement in its `DisplayAs`
    /// (`PostgresScan: select "id" from ...`), which `flowetl plan` prints.
    async fn source(&self, request: SourceRequest) -> Result<Arc<dyn TableProvider>>;

    /// A place to write rows to. Checks the target (exists, columns, rights as far as can be seen); changes nothing.
    async fn sink(&self, request: SinkRequest) -> Result<Arc<dyn Sink>>;

    /// `create table as` inside the system: a sink that takes no rows and whose `prepare` runs the statement.
    async fn in_database(&self, request: InDatabaseRequest) -> Result<Arc<dyn Sink>> {
        Err(Error::user(format!("`in: {}` needs a database; this connection cannot run SQL", request.connection)))
    }

    /// The system's own version, after really signing in.
    async fn version(&self) -> Result<String>;

    /// Tells all tables that can be read, at most [`flowetl_proto::tables::PAGE_TABLES`] at a time; ends early where nobody
    /// takes them. Writes nothing.
    async fn discover(&self, _pages: &Sender<Vec<Table>>) -> Result<()> {
        Err(Error::user("this system does not say what lies in it"))
    }

    /// The files that a place means now, sorted by path, at most [`flowetl_proto::look::FILES_MAX`]: none is no error. Reads
    /// none of them.
    async fn files(&self, place: &Reference) -> Result<Vec<FileState>> {
        Err(Error::user(format!("`{}` holds no files", place.connection())))
    }

    /// The leaf of a plan that another executor has written ([`Shared::write`]).
    fn share(&self, _written: Value) -> Result<Arc<dyn ExecutionPlan>> {
        Err(Error::internal("a share of what cannot be shared"))
    }

    /// Where the files lie that its tables read in place: other executors read them there as well.
    fn storage(&self) -> Option<Storage> {
        None
    }
}

/// A leaf of a plan that can be shared out: any executor that opens the connection can read a piece of it.
pub trait Shared {
    fn connection(&self) -> &str;

    /// Bytes that it reads, about.
    fn bytes(&self) -> u64;

    /// So many leaves with as many partitions as this one each, which read its rows together, each row once.
    fn split(&self, shares: usize) -> Vec<Arc<dyn ExecutionPlan>>;

    /// What [`System::share`] makes the same leaf from; never a secret.
    fn write(&self) -> Result<Value>;
}

/// The leaf of some connector's that can be shared out.
pub(crate) fn shared(node: &Arc<dyn ExecutionPlan>) -> Option<&dyn Shared> {
    postgres::shared(node).or_else(|| files::shared(node))
}

/// What an extract asks for.
#[derive(Clone, Debug)]
pub struct SourceRequest {
    pub block: BlockId,
    pub from: Reference,
    /// The block's settings that only the connector understands (`format`, `delimiter`, `types`, ...), as JSON.
    pub options: Value,
    /// Where rows go that cannot be read; `None` makes the first one an error.
    pub quarantine: Option<Arc<dyn Quarantine>>,
}

/// Takes rows that cannot be read or written, with the reason, and ends the run above its limit.
pub trait Quarantine: Debug + Send + Sync {
    /// `location` is where the row came from (`orders.csv line 17`), `row` its text as it stood.
    fn put(&self, location: String, row: String, reason: String) -> Result<()>;
    /// Rows that were read well, so that a limit given as a share can be judged.
    fn read(&self, rows: u64);
}

/// What a load asks for.
#[derive(Clone, Debug)]
pub struct SinkRequest {
    pub attempt: AttemptId,
    pub block: BlockId,
    pub to: Reference,
    pub write: WriteMode,
    /// Columns that name a row; not empty when `write` is `Merge`.
    pub key: Vec<String>,
    /// What the rows will look like.
    pub schema: SchemaRef,
    /// The load's settings that only the connector understands (`partition_by`, `file_size`, ...), as JSON.
    pub options: Value,
}

/// What an `in_database` block asks for.
#[derive(Clone, Debug)]
pub struct InDatabaseRequest {
    pub attempt: AttemptId,
    pub block: BlockId,
    pub connection: String,
    /// One select statement in the database's own dialect.
    pub sql: String,
    pub to: Reference,
    pub made: Made,
}

/// A target for one attempt's rows.
///
/// The life of an attempt: `begin`, writers in parallel, `prepare`; then, perhaps in another process that opened the
/// same request again, `commit` or `discard`. Until `commit` returns, no reader of the target sees any of it; after it,
/// every reader sees all of it. Staging names carry the attempt's token, so no two attempts ever touch the same one.
#[async_trait]
pub trait Sink: Debug + Send + Sync {
    /// How many writers may run at once in one process; 0 for a sink that takes no rows.
    fn writers_max(&self) -> usize;

    /// Whether writers may run in other processes too, which open the same request and call nothing but `writer`.
    fn is_shared(&self) -> bool {
        false
    }

    /// Whether the target is there already, so that nothing has to be made but what is inside it.
    async fn exists(&self) -> Result<bool>;

    /// Makes the private staging place.
    async fn begin(&self) -> Result<()>;

    /// The writer of one partition; no number twice, in whichever processes.
    async fn writer(&self, partition: usize) -> Result<Box<dyn SinkWriter>>;

    /// All writers have finished. Makes everything durable (still private) and returns the notes that `commit` needs
    /// after a restart: staging names, upload ids, counts; never a secret.
    async fn prepare(&self, parts: &[Part]) -> Result<Value>;

    /// Publishes, once: a second call, also from another process, finds the commit record (kept in the target itself,
    /// by pipeline, block, run) and returns `Done` without doing anything. `positions` are stored in the same
    /// transaction. Lost means that what was prepared is gone and nothing of it is visible.
    async fn commit(&self, staged: &Value, positions: &[(BlockId, Position)]) -> Result<Committed>;

    /// Removes whatever this attempt staged, also when `begin` never finished; may be called twice.
    async fn discard(&self) -> Result<()>;

    /// Target, mode and schema changes (`creates table`, `adds column x int8`) for `flowetl plan`.
    fn describe(&self) -> String;
}

/// What became of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Committed {
    Done,
    Lost,
}

/// Writes one partition. Dropping it unfinished leaves only private effects.
#[async_trait]
pub trait SinkWriter: Send {
    /// Returns when the writer may take the next batch: its buffers are bounded.
    async fn write(&mut self, batch: RecordBatch) -> Result<()>;

    /// The pieces this writer made; their rows must add up to the rows it was given.
    async fn finish(self: Box<Self>) -> Result<Vec<Part>>;
}

/// The list of connectors.
pub fn all() -> &'static [&'static dyn Connector] {
    &[&files::Folder, &files::S3, &postgres::Postgres, &sqlite::Sqlite]
}

/// The connector of a URL scheme.
pub fn for_scheme(scheme: &str) -> Option<&'static dyn Connector> {
    let known = all().iter().copied();
    #[cfg(test)]
    let known = known.chain([&crate::tests::odd::Odd as &dyn Connector]);
    known.into_iter().find(|c| c.describe().schemes.iter().any(|s| s == scheme))
}
