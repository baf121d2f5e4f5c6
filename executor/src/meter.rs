//! Counters of the blocks of one attempt: rows, bytes, and where the time went.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::error::Result as EngineResult;
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream};
use flowetl_proto::control::Meter;
use flowetl_proto::id::BlockId;
use futures::{Stream, StreamExt};

use crate::Error;

/// Live counters of one block; shared by all partitions of its marker.
#[derive(Debug, Default)]
pub struct BlockMeter {
    rows: AtomicU64,
    bytes: AtomicU64,
    quarantined: AtomicU64,
    busy_ns: AtomicU64,
    waiting_ns: AtomicU64,
    blocked_ns: AtomicU64,
    /// What the stream that was polled last is doing: an [`Activity`].
    activity: AtomicU8,
}

/// What a block's stream is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Activity {
    Idle = 0,
    Computing = 1,
    Waiting = 2,
    Blocked = 3,
}

impl BlockMeter {
    pub fn add_rows(&self, rows: u64, bytes: u64) {
        self.rows.fetch_add(rows, Relaxed);
        self.bytes.fetch_add(bytes, Relaxed);
    }

    pub fn rows(&self) -> u64 {
        self.rows.load(Relaxed)
    }

    fn set(&self, activity: Activity) {
        self.activity.store(activity as u8, Relaxed);
    }

    fn is(&self, activity: Activity) -> bool {
        self.activity.load(Relaxed) == activity as u8
    }

    fn add_time(&self, counter: &AtomicU64, time: Duration) {
        counter.fetch_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX), Relaxed);
    }
}

/// The meters of one attempt: one per block, and one per boundary read, whose rows are only somebody's input.
#[derive(Debug, Default)]
pub struct Meters {
    blocks: BTreeMap<BlockId, Arc<BlockMeter>>,
    /// Where each block's rows come from: blocks of this segment or boundaries.
    inputs: BTreeMap<BlockId, Vec<Arc<BlockMeter>>>,
}

impl Meters {
    /// The meter of `block`, made at the first call.
    pub fn block(&mut self, block: &BlockId) -> Arc<BlockMeter> {
        Arc::clone(self.blocks.entry(block.clone()).or_default())
    }

    /// Says that the rows `from` counts go into `block`.
    pub fn feeds(&mut self, from: Arc<BlockMeter>, block: &BlockId) {
        self.inputs.entry(block.clone()).or_default().push(from);
    }

    /// Says how many rows of `block` were put aside.
    pub fn set_quarantined(&self, block: &BlockId, rows: u64) {
        if let Some(meter) = self.blocks.get(block) {
            meter.quarantined.store(rows, Relaxed);
        }
    }

    /// Where the rows are, in one sentence, for a run that does not move.
    pub fn whereabouts(&self) -> String {
        let doing = |activity| self.blocks.iter().find(|(_, meter)| meter.is(activity)).map(|(block, _)| block);
        if let Some(block) = doing(Activity::Computing) {
            return format!("`{block}` is computing");
        }
        // The source is the one that waits and has nobody before it.
        let waiting = |(block, meter): &(&BlockId, &Arc<BlockMeter>)| {
            meter.is(Activity::Waiting) && !self.inputs.contains_key(*block)
        };
        if let Some((block, _)) = self.blocks.iter().find(waiting) {
            return format!("`{block}` waits for its source");
        }
        match doing(Activity::Blocked) {
            Some(block) => format!("what comes after `{block}` does not take its rows"),
            None => "no operator has begun to read".to_owned(),
        }
    }

    pub fn snapshot(&self) -> BTreeMap<BlockId, Meter> {
        self.blocks.iter().map(|(block, meter)| (block.clone(), self.read(block, meter))).collect()
    }

    fn read(&self, block: &BlockId, meter: &BlockMeter) -> Meter {
        let inputs = self.inputs.get(block).map_or(&[][..], Vec::as_slice);
        let ms = |ns: &AtomicU64| ns.load(Relaxed) / 1_000_000;
        Meter {
            // A source takes its rows from outside: what it read is what it gave.
            rows_in: if inputs.is_empty() { meter.rows() } else { inputs.iter().map(|m| m.rows()).sum() },
            rows_out: meter.rows(),
            rows_quarantined: meter.quarantined.load(Relaxed),
            bytes_out: meter.bytes.load(Relaxed),
            busy_ms: ms(&meter.busy_ns),
            waiting_ms: ms(&meter.waiting_ns),
            blocked_ms: ms(&meter.blocked_ns),
        }
    }
}

thread_local! {
    /// Nanoseconds that metered streams further down have spent in the poll that runs now, so that each block is charged
    /// with its own work only. A poll never leaves its thread.
    static NESTED_NS: Cell<u64> = const { Cell::new(0) };
}

/// What the stream does between two polls.
#[derive(Clone, Copy)]
enum Idle {
    Waiting,
    Blocked,
}

/// A stream that counts what passes and names its block in errors.
pub struct MeteredStream {
    input: SendableRecordBatchStream,
    block: BlockId,
    meter: Arc<BlockMeter>,
    idle: Option<(Idle, Instant)>,
}

impl MeteredStream {
    pub fn new(input: SendableRecordBatchStream, block: BlockId, meter: Arc<BlockMeter>) -> Self {
        Self { input, block, meter, idle: None }
    }
}

impl Stream for MeteredStream {
    type Item = EngineResult<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let start = Instant::now();
        match self.idle.take() {
            Some((Idle::Waiting, since)) => self.meter.add_time(&self.meter.waiting_ns, start - since),
            Some((Idle::Blocked, since)) => self.meter.add_time(&self.meter.blocked_ns, start - since),
            None => {}
        }
        self.meter.set(Activity::Computing);
        let outer = NESTED_NS.replace(0);
        let polled = self.input.poll_next_unpin(cx);
        let end = Instant::now();
        let spent = end - start;
        let nested = Duration::from_nanos(NESTED_NS.get());
        NESTED_NS.set(outer + u64::try_from(spent.as_nanos()).unwrap_or(u64::MAX));
        self.meter.add_time(&self.meter.busy_ns, spent.saturating_sub(nested));
        match polled {
            Poll::Pending => {
                self.idle = Some((Idle::Waiting, end));
                self.meter.set(Activity::Waiting);
                Poll::Pending
            }
            Poll::Ready(Some(Ok(batch))) => {
                self.meter.add_rows(batch.num_rows() as u64, batch.get_array_memory_size() as u64);
                self.idle = Some((Idle::Blocked, end));
                self.meter.set(Activity::Blocked);
                Poll::Ready(Some(Ok(batch)))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(Error::from(error).in_block(&self.block).into()))),
            Poll::Ready(None) => {
                self.meter.set(Activity::Idle);
                Poll::Ready(None)
            }
        }
    }
}

impl RecordBatchStream for MeteredStream {
    fn schema(&self) -> SchemaRef {
        self.input.schema()
    }
}
