//! What an executor node is told at its start.

use std::path::PathBuf;
use std::sync::Arc;

use flowetl_proto::pipeline::Secrets;

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
}
