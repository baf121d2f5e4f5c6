//! A scan shared out among executors: each reads some of its slices, all under the snapshot that the first has exported.

use std::sync::Arc;

use datafusion::common::Statistics;
use datafusion::physical_plan::ExecutionPlan;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::pool::Sessions;
use super::scan::{PostgresScan, Reading, Slices};
use super::snapshot::Snapshots;
use super::types::Codec;
use crate::connectors::Shared;
use crate::schema::{schema_from_json, schema_to_json};
use crate::{Error, Result};

/// A scan on its way to another executor, which opens the connection by itself.
#[derive(Serialize, Deserialize)]
struct Share {
    snapshot: String,
    text: String,
    statements: Vec<String>,
    partitions: usize,
    codecs: Vec<Codec>,
    schema: Value,
    place: String,
    batch_rows: usize,
    batch_bytes: usize,
}

/// The scan, where other executors can read parts of it: rows that cannot be read go where the attempt is led.
pub(in crate::connectors) fn shared(node: &Arc<dyn ExecutionPlan>) -> Option<&dyn Shared> {
    let scan = node.downcast_ref::<PostgresScan>()?;
    let reading = scan.reading();
    (reading.quarantine.is_none() && reading.snapshots.exported().is_some()).then_some(scan as _)
}

impl Shared for PostgresScan {
    fn connection(&self) -> &str {
        self.reading().snapshots.connection()
    }

    fn bytes(&self) -> u64 {
        self.slices().bytes
    }

    fn split(&self, shares: usize) -> Vec<Arc<dyn ExecutionPlan>> {
        let (slices, partitions) = (self.slices(), self.properties().partitioning.partition_count());
        let share = |n| {
            // Neighbours to different executors: the end of a table may be emptier than its beginning.
            let statements = slices.statements.iter().skip(n).step_by(shares).cloned().collect();
            let slices = Slices { statements, ..slices.clone() };
            let statistics = Arc::new(Statistics::new_unknown(&self.reading().schema));
            let seat = if n == 0 { self.take_seat() } else { None };
            Arc::new(Self::over(Arc::clone(self.reading()), slices, partitions, statistics, seat)) as _
        };
        (0..shares).map(share).collect()
    }

    fn write(&self) -> Result<Value> {
        let (reading, slices) = (self.reading(), self.slices());
        let snapshot = reading.snapshots.exported();
        // Whoever reads it takes a seat there.
        drop(self.take_seat());
        let share = Share {
            snapshot: snapshot.ok_or_else(|| Error::internal("a share without a snapshot"))?.to_owned(),
            text: slices.text.clone(),
            statements: slices.statements.clone(),
            partitions: self.properties().partitioning.partition_count(),
            codecs: reading.codecs.clone(),
            schema: schema_to_json(&reading.schema),
            place: reading.place.clone(),
            batch_rows: reading.batch_rows,
            batch_bytes: reading.batch_bytes,
        };
        serde_json::to_value(share).map_err(|e| Error::internal("a share cannot be written").because(e))
    }
}

/// The scan that another executor wrote.
pub(super) fn read(sessions: &Arc<Sessions>, written: Value) -> Result<Arc<dyn ExecutionPlan>> {
    let share: Share =
        serde_json::from_value(written).map_err(|e| Error::internal("a share cannot be read").because(e))?;
    let schema = Arc::new(schema_from_json(&share.schema)?);
    let statistics = Arc::new(Statistics::new_unknown(&schema));
    let reading = Reading {
        snapshots: Snapshots::join(Arc::clone(sessions), share.snapshot),
        schema,
        codecs: share.codecs,
        quarantine: None,
        place: share.place,
        batch_rows: share.batch_rows,
        batch_bytes: share.batch_bytes,
    };
    let slices = Slices { text: share.text, statements: share.statements, bytes: 0 };
    Ok(Arc::new(PostgresScan::over(Arc::new(reading), slices, share.partitions, statistics, None)))
}
