//! The executors of a coordinator: who is alive, what they can do, and which of them works on what.

mod alone;

use std::sync::Arc;

use flowetl_proto::catalogue::Catalogue;
use flowetl_proto::wire::v1::ExecutorInfo;

pub use alone::Alone;

/// The executors as the service shows them.
pub trait Roster: Send + Sync {
    /// The blocks and connectors that pipelines are checked against; `None` while no executor is known.
    fn catalogue(&self) -> Option<Arc<Catalogue>>;
    /// The executors that are alive.
    fn executors(&self) -> Vec<ExecutorInfo>;
}
