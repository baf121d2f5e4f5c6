//! Counters of the blocks of one attempt: rows, bytes, and where the time went.

use std::any::Any;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::error::Result as EngineResult;
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream};
use flowetl_proto::code::Class;
use flowetl_proto::control::Meter;
use flowetl_proto::id::BlockId;
use futures::{Stream, StreamExt};
use serde::{Deserialize, Serialize};

use crate::Error;

/// Live counters of one block; shared by all partitions of its marker.
#[derive(Debug, Default)]
pub struct BlockMeter {
    rows: AtomicU64,
    bytes: AtomicU64,
    quarantined: AtomicU64,
    discarded: AtomicU64,
    busy_ns: AtomicU64,
    waiting_ns: AtomicU64,
    blocked_ns: AtomicU64,
    /// How many streams compute, wait and are blocked, by [`Activity`].
    streams: [AtomicUsize; 3],
}

/// What a block's streams on another executor have counted: grows while its task runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    rows: u64,
    bytes: u64,
    busy_ns: u64,
    waiting_ns: u64,
    blocked_ns: u64,
}

/// What a stream is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Activity {
    Computing,
    /// Its input has nothing for it.
    Waiting,
    /// Its consumer does not ask for more.
    Blocked,
}

impl BlockMeter {
    pub fn add_rows(&self, rows: u64, bytes: u64) {
        self.rows.fetch_add(rows, Relaxed);
        self.bytes.fetch_add(bytes, Relaxed);
    }

    /// Says that so many more rows were left out.
    pub fn add_discarded(&self, rows: u64) {
        self.discarded.fetch_add(rows, Relaxed);
    }

    pub fn discarded(&self) -> u64 {
        self.discarded.load(Relaxed)
    }

    pub fn rows(&self) -> u64 {
        self.rows.load(Relaxed)
    }

    fn counts(&self) -> Counts {
        Counts {
            rows: self.rows.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
            busy_ns: self.busy_ns.load(Relaxed),
            waiting_ns: self.waiting_ns.load(Relaxed),
            blocked_ns: self.blocked_ns.load(Relaxed),
        }
    }

    /// Adds what another executor has counted since it told `before`.
    pub fn add(&self, now: &Counts, before: &Counts) {
        self.add_rows(now.rows.saturating_sub(before.rows), now.bytes.saturating_sub(before.bytes));
        self.busy_ns.fetch_add(now.busy_ns.saturating_sub(before.busy_ns), Relaxed);
        self.waiting_ns.fetch_add(now.waiting_ns.saturating_sub(before.waiting_ns), Relaxed);
        self.blocked_ns.fetch_add(now.blocked_ns.saturating_sub(before.blocked_ns), Relaxed);
    }

    /// Whether any stream of the block does this.
    fn is(&self, activity: Activity) -> bool {
        self.streams[activity as usize].load(Relaxed) > 0
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

    /// Where the rows are, in one sentence, for a run that does not move; `None` where no operator reads.
    pub fn whereabouts(&self) -> Option<String> {
        if let Some(block) = self.innermost(Activity::Computing) {
            return Some(format!("`{block}` is computing"));
        }
        if let Some(block) = self.innermost(Activity::Waiting) {
            return Some(format!("`{block}` waits for its source"));
        }
        let (block, _) = self.blocks.iter().find(|(_, meter)| meter.is(Activity::Blocked))?;
        Some(format!("what comes after `{block}` does not take its rows"))
    }

    /// The block that does this while none of its inputs does: a poll, and a wait, begin at the sink and end at a source.
    fn innermost(&self, activity: Activity) -> Option<&BlockId> {
        let busy = self.blocks.iter().filter(|(_, meter)| meter.is(activity));
        let mut inner = busy.filter(|(block, _)| {
            let inputs = self.inputs.get(*block).map_or(&[][..], Vec::as_slice);
            !inputs.iter().any(|input| self.is_block(input) && input.is(activity))
        });
        inner.next().map(|(block, _)| block)
    }

    /// Whether the meter is of a block, and not of a boundary that is read.
    fn is_block(&self, meter: &Arc<BlockMeter>) -> bool {
        self.blocks.values().any(|block| Arc::ptr_eq(block, meter))
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
            rows_discarded: meter.discarded(),
            bytes_out: meter.bytes.load(Relaxed),
            busy_ms: ms(&meter.busy_ns),
            waiting_ms: ms(&meter.waiting_ns),
            blocked_ms: ms(&meter.blocked_ns),
        }
    }
}

/// The meters of one task that is done here for another executor, which adds them to its own.
#[derive(Debug, Default)]
pub struct TaskMeters(Mutex<BTreeMap<BlockId, Arc<BlockMeter>>>);

impl TaskMeters {
    /// The meter of `block`, made at the first call.
    pub fn block(&self, block: &BlockId) -> Arc<BlockMeter> {
        let mut blocks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(blocks.entry(block.clone()).or_default())
    }

    pub fn counts(&self) -> BTreeMap<BlockId, Counts> {
        let blocks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        blocks.iter().map(|(block, meter)| (block.clone(), meter.counts())).collect()
    }
}

thread_local! {
    /// Nanoseconds that metered streams further down have spent in the poll that runs now, so that each block is charged
    /// with its own work only. A poll never leaves its thread.
    static NESTED_NS: Cell<u64> = const { Cell::new(0) };
}

/// A stream that counts what passes, names its block in errors, and makes an error of a panic.
pub struct MeteredStream {
    /// Gone after the first error: what broke must not be asked again.
    input: Option<SendableRecordBatchStream>,
    schema: SchemaRef,
    block: BlockId,
    meter: Arc<BlockMeter>,
    /// What it does, and since when; `None` before the first poll and after the end.
    doing: Option<(Activity, Instant)>,
}

impl MeteredStream {
    pub fn new(input: SendableRecordBatchStream, block: BlockId, meter: Arc<BlockMeter>) -> Self {
        Self { schema: input.schema(), input: Some(input), block, meter, doing: None }
    }

    /// Charges the time of what it did until `now`, and turns to what it does next.
    fn turn(&mut self, next: Option<Activity>, now: Instant) {
        if let Some((before, since)) = self.doing.take() {
            self.meter.streams[before as usize].fetch_sub(1, Relaxed);
            match before {
                Activity::Computing => {
                    let spent = now - since;
                    let nested = Duration::from_nanos(NESTED_NS.get());
                    self.meter.add_time(&self.meter.busy_ns, spent.saturating_sub(nested));
                }
                Activity::Waiting => self.meter.add_time(&self.meter.waiting_ns, now - since),
                Activity::Blocked => self.meter.add_time(&self.meter.blocked_ns, now - since),
            }
        }
        if let Some(next) = next {
            self.meter.streams[next as usize].fetch_add(1, Relaxed);
            self.doing = Some((next, now));
        }
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
        let start = Instant::now();
        let outer = NESTED_NS.replace(0);
        self.turn(Some(Activity::Computing), start);
        let polled = self.poll_input(cx);
        let end = Instant::now();
        let next = match &polled {
            Poll::Pending => Some(Activity::Waiting),
            Poll::Ready(Some(Ok(batch))) => {
                self.meter.add_rows(batch.num_rows() as u64, batch.get_array_memory_size() as u64);
                Some(Activity::Blocked)
            }
            Poll::Ready(Some(Err(_)) | None) => {
                self.input = None;
                None
            }
        };
        self.turn(next, end);
        NESTED_NS.set(outer + u64::try_from((end - start).as_nanos()).unwrap_or(u64::MAX));
        polled
    }
}

impl Drop for MeteredStream {
    fn drop(&mut self) {
        self.turn(None, Instant::now());
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

#[cfg(test)]
mod tests;
