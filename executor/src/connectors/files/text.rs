//! Text files as a table: all partitions of a scan take chunks of the same files and parse them side by side.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result as EngineResult, Statistics, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::common::spawn_buffered;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, ReplaceChildrenOptions};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet, RecordOutput};
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties};
use datafusion::scalar::ScalarValue;
use futures::stream;

use super::decode::{BadRow, Decoder, Source};
use super::format::{Compression, Dialect, Format};
use super::split::{Chunk, Cutter, Splitter};
use crate::connectors::Quarantine;
use crate::storage::{Storage, Stored};
use crate::{Error, Result};

/// Text files, with their columns known.
#[derive(Debug)]
pub struct TextTable {
    /// The pipeline's name for the storage.
    pub connection: String,
    pub storage: Storage,
    pub format: Format,
    pub dialect: Dialect,
    pub files: Vec<TextFile>,
    pub schema: SchemaRef,
    /// How the columns became known, for the plan: `id int64, name utf8 (from 1000 rows)`.
    pub columns: String,
    pub quarantine: Option<Arc<dyn Quarantine>>,
    /// Rows that the guess of the types looked at.
    pub guessed_from: usize,
    /// About how many rows all files hold.
    pub rows: usize,
    pub parallelism: usize,
    pub batch_rows: usize,
}

#[derive(Clone, Debug)]
pub struct TextFile {
    pub file: Stored,
    pub compression: Compression,
    /// In the file's order, with the table's types.
    pub schema: SchemaRef,
    /// The values that its folders name, with the table's types.
    pub folders: Vec<(String, ScalarValue)>,
}

#[async_trait]
impl TableProvider for TextTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        let schema = match projection {
            Some(columns) => Arc::new(self.schema.project(columns)?),
            None => Arc::clone(&self.schema),
        };
        Ok(Arc::new(self.reader(&schema, limit)?))
    }
}

impl TextTable {
    /// Reads the columns of `schema`, and of rows as many as the limit says.
    pub(super) fn reader(&self, schema: &SchemaRef, limit: Option<usize>) -> Result<TextScan> {
        let mut files = VecDeque::with_capacity(self.files.len());
        for file in &self.files {
            let decoder = self.decoder(file, schema)?;
            files.push_back(Reading { file: file.clone(), decoder: Arc::new(decoder) });
        }
        let shown = format!("{} of {} files, columns=[{}]", self.format.ending(), files.len(), self.columns);
        let what = What {
            connection: self.connection.clone(),
            storage: self.storage.clone(),
            format: self.format,
            dialect: self.dialect.clone(),
            batch_rows: self.batch_rows,
            files,
            quarantine: self.quarantine.clone(),
            guessed_from: self.guessed_from,
            limit,
        };
        let rows = limit.map_or(self.rows, |limit| limit.min(self.rows));
        Ok(TextScan::new(what, Arc::clone(schema), shown, rows, self.parallelism.max(1)))
    }

    fn decoder(&self, file: &TextFile, output: &SchemaRef) -> Result<Decoder> {
        let mut sources = Vec::with_capacity(output.fields().len());
        for field in output.fields() {
            let folder = file.folders.iter().find(|(name, _)| name == field.name()).map(|(_, value)| value.clone());
            sources.push(match (folder, file.schema.index_of(field.name())) {
                (Some(value), _) => Source::Constant(value),
                (None, Ok(at)) => Source::File(at),
                (None, Err(_)) => Source::Constant(ScalarValue::Null),
            });
        }
        let how = (self.format, self.dialect.clone());
        Decoder::new(
            how,
            Arc::clone(&file.schema),
            Arc::clone(output),
            sources,
            self.batch_rows,
            self.quarantine.is_some(),
        )
    }
}

/// Batches that a partition parses ahead of its reader; one is enough to keep both at work.
const AHEAD_BATCHES: usize = 1;

/// The plan node: reads text files.
#[derive(Debug)]
pub(super) struct TextScan {
    pub(super) what: Arc<What>,
    pub(super) shown: String,
    pub(super) rows: usize,
    plan: Arc<PlanProperties>,
    /// The execution that partitions join; a partition that asks twice begins a new one.
    run: Mutex<Option<(Arc<Run>, Vec<bool>)>>,
    metrics: ExecutionPlanMetricsSet,
}

#[derive(Clone, Debug)]
pub(super) struct What {
    pub(super) connection: String,
    pub(super) storage: Storage,
    pub(super) format: Format,
    pub(super) dialect: Dialect,
    pub(super) batch_rows: usize,
    pub(super) files: VecDeque<Reading>,
    pub(super) quarantine: Option<Arc<dyn Quarantine>>,
    pub(super) guessed_from: usize,
    pub(super) limit: Option<usize>,
}

#[derive(Clone, Debug)]
pub(super) struct Reading {
    pub(super) file: TextFile,
    decoder: Arc<Decoder>,
}

/// One execution: the files nobody has begun, and the file that each partition has open.
struct Run {
    what: Arc<What>,
    waiting: Mutex<VecDeque<Reading>>,
    open: Vec<tokio::sync::Mutex<Option<(Reading, Splitter)>>>,
    left: std::sync::atomic::AtomicUsize,
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").finish_non_exhaustive()
    }
}

impl TextScan {
    pub(super) fn new(what: What, schema: SchemaRef, shown: String, rows: usize, partitions: usize) -> Self {
        let plan = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(partitions),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        let (run, metrics) = (Mutex::default(), ExecutionPlanMetricsSet::new());
        Self { what: Arc::new(what), shown, rows, plan: Arc::new(plan), run, metrics }
    }

    fn join(&self, partition: usize) -> Arc<Run> {
        let partitions = self.plan.partitioning.partition_count();
        let mut run = self.run.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((run, joined)) = run.as_mut().filter(|(_, joined)| !joined[partition]) {
            joined[partition] = true;
            return Arc::clone(run);
        }
        let new = Arc::new(Run {
            what: Arc::clone(&self.what),
            waiting: Mutex::new(self.what.files.clone()),
            open: (0..partitions).map(|_| tokio::sync::Mutex::default()).collect(),
            left: self.what.limit.unwrap_or(usize::MAX).into(),
        });
        let mut joined = vec![false; partitions];
        joined[partition] = true;
        *run = Some((Arc::clone(&new), joined));
        new
    }
}

impl DisplayAs for TextScan {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TextScan: {}", self.shown)?;
        if let Some(limit) = self.what.limit {
            write!(f, ", limit={limit}")?;
        }
        Ok(())
    }
}

impl ExecutionPlan for TextScan {
    fn name(&self) -> &str {
        "TextScan"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.plan
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> EngineResult<TreeNodeRecursion>,
    ) -> EngineResult<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        _: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn with_new_children(self: Arc<Self>, _: Vec<Arc<dyn ExecutionPlan>>) -> EngineResult<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(&self, partition: usize, _: Arc<TaskContext>) -> EngineResult<SendableRecordBatchStream> {
        if partition >= self.plan.partitioning.partition_count() {
            return internal_err!("a text scan has no partition {partition}");
        }
        let state = Parsing {
            run: self.join(partition),
            partition,
            ready: VecDeque::new(),
            metrics: BaselineMetrics::new(&self.metrics, partition),
        };
        let batches = stream::try_unfold(state, |mut state| async move {
            let batch = state.next().await?;
            Ok(batch.map(|batch| (batch, state)))
        });
        // Parsed in a task of its own: waiting for the disk, here or behind it, leaves no core idle.
        Ok(spawn_buffered(Box::pin(RecordBatchStreamAdapter::new(self.schema(), batches)), AHEAD_BATCHES))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn statistics_from_inputs(&self, _: &[Arc<Statistics>], args: &StatisticsArgs) -> EngineResult<Arc<Statistics>> {
        let share = args.partition().map_or(1, |_| self.plan.partitioning.partition_count());
        let rows = Precision::Inexact(self.rows / share);
        Ok(Arc::new(Statistics { num_rows: rows, ..Statistics::new_unknown(&self.schema()) }))
    }
}

/// One partition at work.
struct Parsing {
    run: Arc<Run>,
    partition: usize,
    ready: VecDeque<RecordBatch>,
    metrics: BaselineMetrics,
}

impl Parsing {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        use std::sync::atomic::Ordering::Relaxed;
        loop {
            if let Some(batch) = self.ready.pop_front() {
                let claim =
                    self.run.left.fetch_update(Relaxed, Relaxed, |left| Some(left.saturating_sub(batch.num_rows())));
                let left = claim.unwrap_or_default();
                let batch = if left < batch.num_rows() { batch.slice(0, left) } else { batch };
                return Ok((batch.num_rows() > 0).then(|| batch.record_output(&self.metrics)));
            }
            if self.run.left.load(Relaxed) == 0 {
                return Ok(None);
            }
            let Some((reading, chunk)) = self.run.chunk(self.partition).await? else { return Ok(None) };
            let timer = self.metrics.elapsed_compute().timer();
            let parsed = reading.decoder.decode(&chunk);
            timer.done();
            match parsed {
                Ok(batches) => self.ready.extend(batches.into_iter().filter(|batch| batch.num_rows() > 0)),
                Err(_) => self.sort_out(&reading, &chunk)?,
            }
            if let Some(quarantine) = &self.run.what.quarantine {
                quarantine.read(self.ready.iter().map(|batch| batch.num_rows() as u64).sum());
            }
        }
    }

    /// A chunk with a bad row in it: put aside, or the end.
    fn sort_out(&mut self, reading: &Reading, chunk: &Chunk) -> Result<()> {
        let (good, bad) = reading.decoder.recover(chunk);
        let name = &reading.file.file.name;
        for row in bad {
            let Some(quarantine) = &self.run.what.quarantine else {
                return Err(self.run.what.refuse(name, row));
            };
            quarantine.put(format!("{name} line {}", row.line), row.text, row.reason)?;
        }
        self.ready.extend(good.into_iter().filter(|batch| batch.num_rows() > 0));
        Ok(())
    }
}

impl What {
    fn refuse(&self, name: &str, row: BadRow) -> Error {
        let BadRow { line, reason, remedy, .. } = row;
        let mut message = format!("{name} line {line}: {reason}");
        if let Some((column, fits)) = remedy {
            let rows = self.guessed_from;
            message.push_str(&format!(
                "; types come from the first {rows} rows, say `types: {{{column}: {fits}}}` to fix this"
            ));
        }
        Error::user(message)
    }
}

impl Run {
    /// The next chunk: of the partition's own file, of a file that nobody has begun, of another partition's file.
    async fn chunk(&self, partition: usize) -> Result<Option<(Reading, Chunk)>> {
        let partitions = self.open.len();
        for turn in 0..partitions {
            let mut open = self.open[(partition + turn) % partitions].lock().await;
            loop {
                if let Some((reading, splitter)) = open.as_mut() {
                    if let Some(chunk) = splitter.next().await? {
                        return Ok(Some((reading.clone(), chunk)));
                    }
                    *open = None;
                }
                if turn > 0 {
                    break;
                }
                let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                let Some(reading) = waiting else { break };
                let splitter = self.begin(&reading)?;
                *open = Some((reading, splitter));
            }
        }
        Ok(None)
    }

    fn begin(&self, reading: &Reading) -> Result<Splitter> {
        let decoder = &reading.decoder;
        let cutter = Cutter::new(decoder.format, decoder.dialect.delimiter);
        let header = decoder.format == Format::Csv && decoder.dialect.header;
        Splitter::new(&self.what.storage, &reading.file.file, reading.file.compression, cutter, header)
    }
}
