//! What an executor node is told at its start.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use flowetl_proto::pipeline::Secrets;
use tokio::sync::Notify;

use crate::storage::Storage;

/// Settings of one node.
#[derive(Clone)]
pub struct NodeConfig {
    /// Streams that read, compute and write at once: the machine's cores.
    pub parallelism: usize,
    /// Where boundaries and quarantined rows lie.
    pub storage: Storage,
    /// A local folder for sorts and joins that outgrow their memory; emptied when a run ends.
    pub spill_folder: PathBuf,
    /// Resolves `${env:...}` and `${file:...}` at the moment of connecting.
    pub secrets: Arc<dyn Secrets + Send + Sync>,
    /// No row of a segment for so long, and its reports say where it stands. Usually [`Self::STALL_LIMIT`].
    pub stall_limit: Duration,
    /// Operators of a segment wait only for each other for so long, and the attempt has failed. Usually
    /// [`Self::DEADLOCK_LIMIT`]. In a process that computes, and for an attempt that others help with, it is thirty times that.
    pub deadlock_limit: Duration,
    /// Bytes of files that each stream reads before other executors are asked to read some of them. Usually
    /// [`Self::SHARE_BYTES`].
    pub share_bytes: usize,
    /// Told whenever an attempt, or a task of another executor's, has ended here: what it held is free.
    pub freed: Arc<Notify>,
}

impl NodeConfig {
    /// Longer than a healthy source or target takes to think, and shorter than a person waits before wondering.
    pub const STALL_LIMIT: Duration = Duration::from_secs(30);
    /// Long enough for a person to look at what stands still, and short enough that nobody has to.
    pub const DEADLOCK_LIMIT: Duration = Duration::from_secs(120);
    /// A stream decodes this much in less than a second, and another executor takes about a tenth of one to be asked.
    pub const SHARE_BYTES: usize = 64 << 20;
}
