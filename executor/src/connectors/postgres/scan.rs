//! Reading: partitions pull slices of a table from one queue, each over a connection of its own.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::Statistics;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result as EngineResult};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::EquivalenceProperties;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet, RecordOutput};
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PhysicalExpr, PlanProperties,
};
use futures::stream;

use super::decode::{Decoder, Fault, row_text};
use super::pool::{Seat, Session};
use super::snapshot::Snapshots;
use super::types::Codec;
use super::wire::{Copied, Side};
use crate::connectors::Quarantine;
use crate::{Error, Result};

/// What the partitions of a scan share.
#[derive(Debug)]
pub(super) struct Reading {
    pub snapshots: Arc<Snapshots>,
    pub schema: SchemaRef,
    pub codecs: Vec<Codec>,
    pub quarantine: Option<Arc<dyn Quarantine>>,
    /// `public.orders`, for messages.
    pub place: String,
    pub batch_rows: usize,
    pub batch_bytes: usize,
}

/// The select statements that together read the rows of a scan.
#[derive(Clone, Debug)]
pub(super) struct Slices {
    /// The statement as a person reads it.
    pub text: String,
    pub statements: Vec<String>,
    /// Bytes of the table that they read; 0 where that is not known.
    pub bytes: u64,
}

impl Slices {
    pub(super) fn one(statement: String) -> Self {
        Self { text: statement.clone(), statements: vec![statement], bytes: 0 }
    }
}

/// The statements that are still to be read, and who reads them.
#[derive(Debug)]
struct Queue {
    statements: Vec<String>,
    turns: Mutex<Turns>,
}

#[derive(Debug)]
struct Turns {
    /// The statement that is next.
    next: usize,
    /// Partitions that read, or are about to.
    readers: usize,
    /// The first reader's.
    seat: Option<Seat>,
}

impl Queue {
    fn new(statements: Vec<String>, seat: Option<Seat>) -> Arc<Self> {
        Arc::new(Self { statements, turns: Mutex::new(Turns { next: 0, readers: 0, seat }) })
    }

    fn turns(&self) -> MutexGuard<'_, Turns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets one more partition read: the first one in any case, on the table's own seat if that is there, others where a seat
    /// is free. `None` where it is not needed: nothing is left, or others read what is.
    fn join(&self, snapshots: &Snapshots) -> Option<Option<Seat>> {
        let mut turns = self.turns();
        if turns.next >= self.statements.len() {
            return None;
        }
        let seat = if turns.readers == 0 { turns.seat.take() } else { Some(snapshots.free_seat()?) };
        turns.readers += 1;
        Some(seat)
    }

    /// The next statement, for who has joined. Who gets none has parted: none is left, or others read what is and the seat is
    /// wanted elsewhere.
    fn take(&self, snapshots: &Snapshots) -> Option<&str> {
        let mut turns = self.turns();
        let should_leave = turns.readers > 1 && snapshots.is_waited_for();
        let statement = self.statements.get(turns.next).filter(|_| !should_leave);
        match statement {
            Some(_) => turns.next += 1,
            None => turns.readers -= 1,
        }
        statement.map(String::as_str)
    }

    /// For who has joined, and goes in the middle of a statement.
    fn part(&self) {
        self.turns().readers -= 1;
    }
}

/// The leaf of a plan that reads from PostgreSQL.
#[derive(Debug)]
pub(super) struct PostgresScan {
    reading: Arc<Reading>,
    slices: Slices,
    queue: Arc<Queue>,
    statistics: Arc<Statistics>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl PostgresScan {
    /// `seat` is for the first partition that reads.
    pub(super) fn new(
        reading: Reading,
        slices: Slices,
        parallelism: usize,
        statistics: Option<Statistics>,
        seat: Seat,
    ) -> Self {
        let partitions = slices.statements.len().clamp(1, parallelism.max(1));
        let statistics = statistics.unwrap_or_else(|| Statistics::new_unknown(&reading.schema));
        Self::over(Arc::new(reading), slices, partitions, Arc::new(statistics), Some(seat))
    }

    /// So many partitions, however few slices there are.
    pub(super) fn over(
        reading: Arc<Reading>,
        slices: Slices,
        partitions: usize,
        statistics: Arc<Statistics>,
        seat: Option<Seat>,
    ) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&reading.schema)),
            Partitioning::UnknownPartitioning(partitions),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Self {
            reading,
            queue: Queue::new(slices.statements.clone(), seat),
            slices,
            statistics,
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }

    pub(super) fn reading(&self) -> &Arc<Reading> {
        &self.reading
    }

    pub(super) fn slices(&self) -> &Slices {
        &self.slices
    }

    /// For a scan that stands in this one's place.
    pub(super) fn take_seat(&self) -> Option<Seat> {
        self.queue.turns().seat.take()
    }
}

impl DisplayAs for PostgresScan {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresScan: {}, slices={}", self.slices.text, self.slices.statements.len())
    }
}

impl ExecutionPlan for PostgresScan {
    fn name(&self) -> &'static str {
        "PostgresScan"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn with_new_children(
        self: Arc<Self>,
        _children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    /// A plan that is run again reads all slices again.
    fn reset_state(self: Arc<Self>) -> EngineResult<Arc<dyn ExecutionPlan>> {
        let partitions = self.properties.partitioning.partition_count();
        let (reading, statistics) = (Arc::clone(&self.reading), Arc::clone(&self.statistics));
        Ok(Arc::new(Self::over(reading, self.slices.clone(), partitions, statistics, self.take_seat())))
    }

    fn apply_expressions(
        &self,
        _f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> EngineResult<TreeNodeRecursion>,
    ) -> EngineResult<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn statistics_from_inputs(
        &self,
        _inputs: &[Arc<Statistics>],
        args: &StatisticsArgs,
    ) -> EngineResult<Arc<Statistics>> {
        Ok(match args.partition() {
            None => Arc::clone(&self.statistics),
            // Which slices a partition reads is decided while it runs.
            Some(_) => Arc::new(Statistics::new_unknown(&self.reading.schema)),
        })
    }

    fn execute(&self, partition: usize, _context: Arc<TaskContext>) -> EngineResult<SendableRecordBatchStream> {
        let reader = Reader {
            reading: Arc::clone(&self.reading),
            queue: Arc::clone(&self.queue),
            session: None,
            has_joined: false,
            has_ended: false,
            decoder: Decoder::new(Arc::clone(&self.reading.schema), &self.reading.codecs, self.reading.batch_rows),
            is_copying: false,
        };
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let batches = stream::try_unfold((reader, metrics), |(mut reader, metrics)| async move {
            let batch = reader.next().await.map_err(DataFusionError::from)?;
            Ok(batch.map(|batch| (batch.record_output(&metrics), (reader, metrics))))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.reading.schema), batches)))
    }
}

/// One partition at work. Dropped in the middle of a slice, its session cancels the statement.
struct Reader {
    reading: Arc<Reading>,
    queue: Arc<Queue>,
    session: Option<Session>,
    /// Whether the queue counts on it.
    has_joined: bool,
    has_ended: bool,
    decoder: Decoder,
    is_copying: bool,
}

impl Reader {
    /// The next batch; `None` when all slices are read, or others read them.
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        if self.session.is_none() && !self.has_ended {
            self.join().await?;
        }
        let queue = Arc::clone(&self.queue);
        loop {
            let Some(session) = &mut self.session else { return self.end().await };
            if !self.is_copying {
                let Some(statement) = queue.take(&self.reading.snapshots) else {
                    self.has_joined = false;
                    return self.end().await;
                };
                session.copy_out(&format!("copy ({statement}) to stdout (format binary)")).await?;
                self.decoder.begin_copy();
                self.is_copying = true;
            }
            let (decoder, reading) = (&mut self.decoder, &*self.reading);
            let copied = session.copy_rows(|message| take(decoder, reading, message)).await?;
            match copied {
                Copied::Paused => return self.batch().map(Some),
                Copied::Done => self.is_copying = false,
            }
        }
    }

    /// Gets a session where this partition is needed.
    async fn join(&mut self) -> Result<()> {
        let snapshots = &self.reading.snapshots;
        let Some(seat) = self.queue.join(snapshots) else { return Ok(()) };
        self.has_joined = true;
        let seat = match seat {
            Some(seat) => seat,
            None => snapshots.seat().await?,
        };
        self.session = Some(snapshots.reader(seat).await?);
        Ok(())
    }

    /// The rows that are left over from the last slice; gives the session back.
    async fn end(&mut self) -> Result<Option<RecordBatch>> {
        self.has_ended = true;
        if let Some(session) = self.session.take() {
            self.reading.snapshots.release(session).await;
        }
        if self.decoder.rows() == 0 {
            return Ok(None);
        }
        self.batch().map(Some)
    }

    fn batch(&mut self) -> Result<RecordBatch> {
        let rows = self.decoder.rows() as u64;
        let batch = self.decoder.finish().map_err(|error| {
            let message = format!("{}: the server's rows are not what it described", self.reading.place);
            Error::internal(message).because(error)
        })?;
        if let Some(quarantine) = &self.reading.quarantine {
            quarantine.read(rows);
        }
        Ok(batch)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if self.has_joined {
            self.queue.part();
        }
    }
}

/// Decodes one message; breaks when the batch is full.
#[inline]
fn take(decoder: &mut Decoder, reading: &Reading, message: &[u8]) -> Result<ControlFlow<()>> {
    let mut rest = message;
    while let Err(fault) = decoder.message(rest) {
        let (column, why, row) = match fault {
            Fault::Malformed(why) => {
                let message = format!("{}: the server sent malformed COPY data: {why}", reading.place);
                return Err(Error::new(Side::Source.transient(), message));
            }
            Fault::Value { column, why, row } => (column, why, row),
        };
        bad_row(reading, column, why, &rest[row.clone()])?;
        rest = &rest[row.end..];
    }
    let is_full = decoder.rows() >= reading.batch_rows || decoder.bytes() >= reading.batch_bytes;
    Ok(if is_full { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
}

/// Puts a row that cannot be read into quarantine; without one, that is the end.
fn bad_row(reading: &Reading, column: usize, why: &str, row: &[u8]) -> Result<()> {
    let text = row_text(&reading.schema, &reading.codecs, row);
    let name = reading.schema.field(column).name();
    if let Some(quarantine) = &reading.quarantine {
        return quarantine.put(reading.place.clone(), text, format!("column `{name}` holds {why}"));
    }
    // The first value usually is the key; all of them could be megabytes.
    let key = text.split(", ").next().unwrap_or_default();
    Err(Error::user(format!(
        "column `{name}` of {} holds {why}, in the row {key}; read it with a query that selects `{name}::text`",
        reading.place
    )))
}
