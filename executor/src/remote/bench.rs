//! One executor's share of an exchange of rows, as `benches` measures it: the same tickets, gate and messages as in an attempt.

use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use datafusion_distributed::TaskKey;
use flowetl_proto::control::{AttemptEvent, AttemptId};
use flowetl_proto::id::Token;
use flowetl_proto::pipeline::{Connection, Secrets};
use flowetl_proto::trust::Trust;
use flowetl_proto::wire::v1;
use futures::{StreamExt, TryStreamExt, stream};
use prost::Message;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use url::Url;
use uuid::Uuid;

use super::host::{Host, Kept};
use super::hosting::wire_key;
use super::share::Share;
use super::task::Task;
use super::{incoming, outgoing};
use crate::memory::Lane;
use crate::server::serve_unannounced;
use crate::storage::Storage;
use crate::{Error, Node, NodeConfig, Result};

/// Events that nobody reads: no attempt is led here.
const EVENTS_WAITING_MAX: usize = 1;
/// Messages of what is encoded ahead of a measurement.
const MESSAGES_MAX: usize = 1 << 16;

/// An executor that gives rows and reads another's.
pub struct Exchange {
    host: Arc<Host>,
    attempt: AttemptId,
    context: Arc<TaskContext>,
    _node: Node,
    _events: mpsc::Receiver<AttemptEvent>,
}

/// Rows that are given for as long as this is kept.
pub struct Offer(#[expect(dead_code, reason = "it is there to be dropped")] Kept);

struct NoSecrets;

impl Secrets for NoSecrets {
    fn env(&self, _: &str) -> Option<String> {
        None
    }
}

impl Exchange {
    /// Serves on this runtime; rows are made on `data`. `folder` is for what executors keep on disk.
    pub async fn open(trust: Trust, data: Handle, folder: &Path) -> Result<Self> {
        let unopened = |e: std::io::Error| Error::internal("nobody can listen").because(e);
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(unopened)?;
        let storage = Storage::open(&Connection {
            name: "storage".into(),
            scheme: "file".into(),
            host: None,
            port: None,
            user: None,
            password: None,
            path: folder.display().to_string(),
            options: indexmap::IndexMap::new(),
        })?;
        let config = NodeConfig {
            parallelism: 1,
            storage,
            spill_folder: folder.to_owned(),
            secrets: Arc::new(NoSecrets),
            stall_limit: NodeConfig::STALL_LIMIT,
            deadlock_limit: NodeConfig::DEADLOCK_LIMIT,
            share_bytes: NodeConfig::SHARE_BYTES,
            freed: Arc::default(),
        };
        let (sender, events) = mpsc::channel(EVENTS_WAITING_MAX);
        let (node, host) = serve_unannounced(config, trust, listener, data, sender).await?;
        let attempt =
            AttemptId { pipeline: "flight".into(), run: "flight".into(), segment: "rows".into(), token: Token(1) };
        Ok(Self { host, attempt, context: Arc::default(), _node: node, _events: events })
    }

    /// Where others reach it.
    pub fn url(&self) -> &Url {
        &self.host.url
    }

    /// Gives `rows`, as often as asked for, to who asks for this number.
    pub fn offer(&self, number: usize, rows: Arc<dyn PartitionStream>) -> Result<Offer> {
        let plan = StreamingTableExec::try_new(Arc::clone(rows.schema()), vec![rows], None, [], false, None)?;
        let task =
            Task::new(self.attempt.clone(), Arc::new(plan), Arc::clone(&self.context), ("rows".into(), Arc::default()));
        Ok(Offer(self.host.keep(key(number), Arc::new(task))))
    }

    /// Reads what the executor at `url` gives for this number.
    pub fn read(&self, url: &Url, number: usize, schema: SchemaRef) -> SendableRecordBatchStream {
        let (host, attempt, url) = (Arc::clone(&self.host), self.attempt.clone(), url.clone());
        let pool = Arc::clone(self.context.memory_pool());
        let rows = async move {
            let link = host.link(&url, Lane::Wide).await.map_err(DataFusionError::from)?;
            let ticket = v1::Ticket { task: Some(wire_key(&key(number))), partition: 0, partitioning: Vec::new() };
            let share = Share::incoming(&pool, Lane::Wide, url.as_str()).map_err(DataFusionError::from)?;
            incoming::open(url.as_str(), link, &attempt, ticket, share).await.map_err(DataFusionError::from)
        };
        Box::pin(RecordBatchStreamAdapter::new(schema, stream::once(rows).try_flatten()))
    }
}

fn key(number: usize) -> TaskKey {
    TaskKey { query_id: Uuid::nil(), stage_id: number, task_number: 0 }
}

/// The messages that `batches` travel in, as they are written.
pub async fn messages(schema: SchemaRef, batches: Vec<RecordBatch>) -> Result<Vec<Vec<u8>>> {
    let (sender, mut ready) = mpsc::channel(MESSAGES_MAX);
    let share = Share::outgoing(TaskContext::default().memory_pool(), Lane::Wide)?;
    outgoing::send(schema, stream::iter(batches).map(Ok), &sender, share).await?;
    drop(sender);
    let mut written = Vec::new();
    while let Some(message) = ready.recv().await {
        let message = message.map_err(|status| Error::internal("rows cannot be sent").because(status))?;
        written.push(message.encode_to_vec());
    }
    Ok(written)
}
