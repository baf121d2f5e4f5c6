//! A coordinator whose only executor is its own process.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use flowetl_proto::catalogue::Catalogue;
use flowetl_proto::code::{Class, Failure};
use flowetl_proto::control::Segment;
use flowetl_proto::id::{BlockId, ExecutorId};
use flowetl_proto::look::{FileState, Found, Inspector, NotFound, RowsForm, SegmentPlan};
use flowetl_proto::pipeline::{ConnectionSpec, Pipeline, Reference, Unsealed};
use flowetl_proto::tables::{Sample, Table};
use flowetl_proto::wire::v1::ExecutorInfo;
use serde_json::Value;
use tokio::sync::mpsc;

use super::Roster;
use crate::{Handle, clock};

/// The roster of one: this process.
pub struct Alone {
    id: String,
    catalogue: Arc<Catalogue>,
    inspector: Arc<dyn Inspector>,
    handle: Handle,
}

impl Alone {
    /// `catalogue` and `inspector` are those of the executor that `handle`'s coordinator was opened with.
    pub fn new(handle: Handle, catalogue: Catalogue, inspector: Arc<dyn Inspector>) -> Self {
        Self { id: clock::new_process_id(), catalogue: Arc::new(catalogue), inspector, handle }
    }
}

#[async_trait]
impl Inspector for Alone {
    async fn plan(
        &self,
        pipeline: &Pipeline,
        segments: &[Segment],
        remembered: &BTreeMap<BlockId, Value>,
        secrets: &Unsealed,
    ) -> Result<Vec<SegmentPlan>, Failure> {
        self.inspector.plan(pipeline, segments, remembered, secrets).await
    }

    async fn preview(
        &self,
        pipeline: &Pipeline,
        block: &BlockId,
        rows: (usize, RowsForm),
        secrets: &Unsealed,
    ) -> Result<Vec<u8>, Failure> {
        self.inspector.preview(pipeline, block, rows, secrets).await
    }

    async fn test(
        &self,
        name: &str,
        connection: &ConnectionSpec,
        secrets: &Unsealed,
    ) -> Result<Result<Found, NotFound>, Failure> {
        self.inspector.test(name, connection, secrets).await
    }

    async fn discover(
        &self,
        name: &str,
        connection: &ConnectionSpec,
        secrets: &Unsealed,
        pages: mpsc::Sender<Vec<Table>>,
    ) -> Result<(), Failure> {
        self.inspector.discover(name, connection, secrets, pages).await
    }

    async fn sample(
        &self,
        connection: &ConnectionSpec,
        from: &Reference,
        count: usize,
        secrets: &Unsealed,
    ) -> Result<Sample, Failure> {
        self.inspector.sample(connection, from, count, secrets).await
    }

    async fn files(
        &self,
        connection: &ConnectionSpec,
        place: &Reference,
        secrets: &Unsealed,
    ) -> Result<Vec<FileState>, Failure> {
        self.inspector.files(connection, place, secrets).await
    }
}

#[async_trait]
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
            draining: false,
        }]
    }

    async fn drain(&self, _: &ExecutorId) -> Result<(), Failure> {
        Err(Failure::new(Class::User, "this coordinator's executor is its own process, which ends with SIGTERM"))
    }
}
