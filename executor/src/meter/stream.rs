//! The stream of a block's rows: counts what passes, names its block in errors, and makes an error of a panic.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::error::Result as EngineResult;
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream};
use flowetl_proto::code::Class;
use flowetl_proto::control::Activity;
use flowetl_proto::id::BlockId;
use futures::{Stream, StreamExt};

use super::BlockMeter;
use super::shift::{Shift, nanos};
use crate::Error;

thread_local! {
    /// Nanoseconds that metered streams further down have spent in the poll that runs now, so that each block is charged
    /// with its own work only. A poll never leaves its thread.
    static NESTED_NS: Cell<u64> = const { Cell::new(0) };
}

/// One stream of a block's rows.
pub struct MeteredStream {
    /// Gone after the first error: what broke must not be asked again.
    input: Option<SendableRecordBatchStream>,
    schema: SchemaRef,
    block: BlockId,
    meter: Arc<BlockMeter>,
    /// Whether these are the block's own rows, and not what becomes of them on their way.
    counts: bool,
    /// From its first poll to its end.
    shift: Option<Shift>,
}

impl MeteredStream {
    pub fn new(input: SendableRecordBatchStream, block: BlockId, meter: Arc<BlockMeter>) -> Self {
        Self { schema: input.schema(), input: Some(input), block, meter, counts: true, shift: None }
    }

    /// The rows of a stage below the block: its time is the block's, its rows are not.
    pub fn below(input: SendableRecordBatchStream, block: BlockId, meter: Arc<BlockMeter>) -> Self {
        Self { counts: false, ..Self::new(input, block, meter) }
    }

    /// The next batch of the input. A panic would name no block, and in a task that nobody joins look like the end.
    fn poll_input(&mut self, cx: &mut Context<'_>) -> Poll<Option<EngineResult<RecordBatch>>> {
        let Some(input) = &mut self.input else { return Poll::Ready(None) };
        let polled = catch_unwind(AssertUnwindSafe(|| input.poll_next_unpin(cx)));
        let polled = polled.unwrap_or_else(|panic| {
            let text = format!("panic in an operator: {}", panic_text(panic.as_ref()));
            Poll::Ready(Some(Err(Error::new(Class::Panic, text).into())))
        });
        polled.map_err(|error| Error::from(error).in_block(&self.block).into())
    }
}

impl Stream for MeteredStream {
    type Item = EngineResult<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.input.is_none() {
            return Poll::Ready(None);
        }
        let start = Instant::now();
        let outer = NESTED_NS.replace(0);
        let mut shift = self.shift.take().unwrap_or_else(|| Shift::begin(Arc::clone(&self.meter)));
        shift.turn_at(Some(Activity::Computing), start, Duration::ZERO);
        let polled = self.poll_input(cx);
        let end = Instant::now();
        let next = match &polled {
            Poll::Pending => Some(Activity::Waiting),
            Poll::Ready(Some(Ok(batch))) => {
                if self.counts {
                    self.meter.add_rows(batch.num_rows() as u64, batch.get_array_memory_size() as u64);
                }
                Some(Activity::Blocked)
            }
            Poll::Ready(Some(Err(_)) | None) => {
                self.input = None;
                None
            }
        };
        shift.turn_at(next, end, Duration::from_nanos(NESTED_NS.get()));
        self.shift = next.map(|_| shift);
        NESTED_NS.set(outer + nanos(end - start));
        polled
    }
}

impl RecordBatchStream for MeteredStream {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a message")
}
