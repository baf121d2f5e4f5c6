//! One output of an exchange as a stream.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use arrow::array::RecordBatch;
use arrow::compute::BatchCoalescer;
use arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet};
use futures::{Stream, StreamExt};

use super::queues::{Inputs, Piece, Queues};
use crate::plan::BATCH_BYTES;

/// Joins the small parts that a partitioning makes into batches of the usual size again.
pub(super) struct Output {
    number: usize,
    queues: Arc<Queues>,
    /// Kept so that the inputs live as long as an output.
    inputs: Arc<Inputs>,
    coalescer: BatchCoalescer,
    /// Bytes that went into the batch being joined.
    joined: usize,
    /// The file being read.
    file: Option<SendableRecordBatchStream>,
    ended: bool,
    schema: SchemaRef,
    metrics: BaselineMetrics,
}

impl Output {
    pub(super) fn new(
        number: usize,
        queues: Arc<Queues>,
        inputs: Arc<Inputs>,
        schema: SchemaRef,
        rows: usize,
        metrics: &ExecutionPlanMetricsSet,
    ) -> Self {
        // What is half a batch already goes on as it is: joining would only copy it.
        let coalescer = BatchCoalescer::new(Arc::clone(&schema), rows).with_biggest_coalesce_batch_size(Some(rows / 2));
        let metrics = BaselineMetrics::new(metrics, number);
        Self { number, queues, inputs, coalescer, joined: 0, file: None, ended: false, schema, metrics }
    }

    fn join(&mut self, batch: RecordBatch) -> Result<()> {
        self.joined += batch.get_array_memory_size();
        self.coalescer.push_batch(batch)?;
        if self.joined >= BATCH_BYTES {
            self.coalescer.finish_buffered_batch()?;
        }
        Ok(())
    }

    fn poll_batch(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<RecordBatch>>> {
        loop {
            if let Some(batch) = self.coalescer.next_completed_batch() {
                self.joined = 0;
                return Poll::Ready(Ok(Some(batch)));
            }
            if self.ended {
                return Poll::Ready(Ok(None));
            }
            if let Some(file) = &mut self.file {
                match ready!(file.poll_next_unpin(cx)) {
                    Some(batch) => self.join(batch?)?,
                    None => self.file = None,
                }
                continue;
            }
            match ready!(self.queues.poll_pop(self.number, cx))? {
                Some(Piece::Memory(batch)) => self.join(batch)?,
                Some(Piece::Spilled(file)) => self.file = Some(self.queues.spill.read_spill_as_stream(file, None)?),
                None => {
                    self.coalescer.finish_buffered_batch()?;
                    self.ended = true;
                }
            }
        }
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output").field("number", &self.number).finish_non_exhaustive()
    }
}

impl Stream for Output {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.inputs.start(&self.queues);
        let polled = self.poll_batch(cx).map(Result::transpose);
        if matches!(polled, Poll::Ready(Some(Err(_)))) {
            self.ended = true;
        }
        self.metrics.record_poll(polled)
    }
}

impl RecordBatchStream for Output {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.queues.close(self.number);
    }
}
