//! A coordinator whose only executor is its own process.

use std::sync::Arc;

use flowetl_proto::catalogue::Catalogue;
use flowetl_proto::wire::v1::ExecutorInfo;

use super::Roster;
use crate::{Handle, clock};

/// The roster of one: this process.
pub struct Alone {
    id: String,
    catalogue: Arc<Catalogue>,
    handle: Handle,
}

impl Alone {
    /// `catalogue` is that of the executor that `handle`'s coordinator was opened with.
    pub fn new(handle: Handle, catalogue: Catalogue) -> Self {
        Self { id: clock::new_process_id(), catalogue: Arc::new(catalogue), handle }
    }
}

impl Roster for Alone {
    fn catalogue(&self) -> Option<Arc<Catalogue>> {
        Some(Arc::clone(&self.catalogue))
    }

    fn executors(&self) -> Vec<ExecutorInfo> {
        vec![ExecutorInfo {
            id: self.id.clone(),
            address: String::new(),
            version: flowetl_proto::VERSION.to_owned(),
            slots: 0,
            busy: u32::try_from(self.handle.busy()).unwrap_or(u32::MAX),
        }]
    }
}
