//! Counters of the blocks of one attempt: rows, bytes, and where the time went.

mod shift;
mod stream;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use flowetl_proto::control::{Activity, EdgeMeter, Meter, Standing};
use flowetl_proto::id::BlockId;
use serde::{Deserialize, Serialize};

pub(crate) use self::shift::Shift;
use self::shift::{Pulse, nanos};
pub use self::stream::MeteredStream;
pub(crate) use self::stream::panic_text;

/// Live counters of one block; shared by all partitions of its marker.
#[derive(Debug, Default)]
pub struct BlockMeter {
    rows: AtomicU64,
    bytes: AtomicU64,
    quarantined: AtomicU64,
    discarded: AtomicU64,
    /// By operators here, and by those of its tasks on other executors.
    spilled: AtomicU64,
    spilled_elsewhere: AtomicU64,
    busy_ns: AtomicU64,
    busy_elsewhere_ns: AtomicU64,
    waiting_ns: AtomicU64,
    blocked_ns: AtomicU64,
    /// Its operators that are at work here, and how many there ever were, on all executors.
    pulses: Mutex<Vec<Arc<Pulse>>>,
    streams: AtomicUsize,
}

/// What a block's streams on another executor have counted: grows while its task runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    rows: u64,
    bytes: u64,
    spilled: u64,
    streams: usize,
    busy_ns: u64,
    waiting_ns: u64,
    blocked_ns: u64,
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

    /// Says how many bytes its operators here have spilled.
    pub fn set_spilled(&self, bytes: u64) {
        self.spilled.store(bytes, Relaxed);
    }

    /// The time its operators here have computed or written.
    pub fn computed(&self) -> Duration {
        Duration::from_nanos(self.busy_ns.load(Relaxed))
    }

    fn charge(&self, activity: Activity, time: Duration) {
        let counter = match activity {
            Activity::Computing | Activity::Writing | Activity::Finishing => &self.busy_ns,
            Activity::Waiting => &self.waiting_ns,
            Activity::Blocked => &self.blocked_ns,
        };
        counter.fetch_add(nanos(time), Relaxed);
    }

    #[cfg(test)]
    pub fn add_computed(&self, time: Duration) {
        self.charge(Activity::Computing, time);
    }

    fn counts(&self) -> Counts {
        Counts {
            rows: self.rows.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
            spilled: self.spilled.load(Relaxed),
            streams: self.streams.load(Relaxed),
            busy_ns: self.busy_ns.load(Relaxed),
            waiting_ns: self.waiting_ns.load(Relaxed),
            blocked_ns: self.blocked_ns.load(Relaxed),
        }
    }

    /// Adds what another executor has counted since it told `before`.
    pub fn add(&self, now: &Counts, before: &Counts) {
        self.add_rows(now.rows.saturating_sub(before.rows), now.bytes.saturating_sub(before.bytes));
        self.spilled_elsewhere.fetch_add(now.spilled.saturating_sub(before.spilled), Relaxed);
        self.streams.fetch_add(now.streams.saturating_sub(before.streams), Relaxed);
        self.busy_elsewhere_ns.fetch_add(now.busy_ns.saturating_sub(before.busy_ns), Relaxed);
        self.waiting_ns.fetch_add(now.waiting_ns.saturating_sub(before.waiting_ns), Relaxed);
        self.blocked_ns.fetch_add(now.blocked_ns.saturating_sub(before.blocked_ns), Relaxed);
    }

    fn pulses(&self) -> MutexGuard<'_, Vec<Arc<Pulse>>> {
        self.pulses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self) -> Arc<Pulse> {
        let pulse = Arc::new(Pulse::new(self.streams.fetch_add(1, Relaxed)));
        self.pulses().push(Arc::clone(&pulse));
        pulse
    }

    fn leave(&self, gone: &Arc<Pulse>) {
        self.pulses().retain(|pulse| !Arc::ptr_eq(pulse, gone));
    }

    /// Whether any operator of the block does this.
    fn is(&self, activity: Activity) -> bool {
        self.pulses().iter().any(|pulse| pulse.now().is_some_and(|(doing, _)| doing == activity))
    }

    /// What each of its operators here does, as those of `block` on the executor at `executor`.
    pub fn standing(&self, block: &BlockId, executor: &str) -> Vec<Standing> {
        let pulses = self.pulses();
        let standing = pulses.iter().filter_map(|pulse| {
            let (activity, time) = pulse.now()?;
            Some(Standing {
                executor: executor.to_owned(),
                block: block.clone(),
                stream: pulse.stream,
                activity,
                ms: u64::try_from(time.as_millis()).unwrap_or(u64::MAX),
            })
        });
        standing.collect()
    }
}

/// The meters of one attempt: one per block, and one per boundary read, whose rows are only somebody's input.
#[derive(Debug, Default)]
pub struct Meters {
    blocks: BTreeMap<BlockId, Arc<BlockMeter>>,
    /// Where each block's rows come from: blocks of this segment or boundaries.
    inputs: BTreeMap<BlockId, Vec<(BlockId, Arc<BlockMeter>)>>,
}

impl Meters {
    /// The meter of `block`, made at the first call.
    pub fn block(&mut self, block: &BlockId) -> Arc<BlockMeter> {
        Arc::clone(self.blocks.entry(block.clone()).or_default())
    }

    /// Says that the rows of `from`, which `meter` counts, go into `block`.
    pub fn feeds(&mut self, from: &BlockId, meter: Arc<BlockMeter>, block: &BlockId) {
        self.inputs.entry(block.clone()).or_default().push((from.clone(), meter));
    }

    /// Says how many rows of `block` were put aside.
    pub fn set_quarantined(&self, block: &BlockId, rows: u64) {
        if let Some(meter) = self.blocks.get(block) {
            meter.quarantined.store(rows, Relaxed);
        }
    }

    /// Says how many bytes the operators of each block have spilled here.
    pub fn set_spilled(&self, spilled: &BTreeMap<BlockId, u64>) {
        for (block, bytes) in spilled {
            if let Some(meter) = self.blocks.get(block) {
                meter.set_spilled(*bytes);
            }
        }
    }

    /// Whether any operator here computes.
    pub fn computes(&self) -> bool {
        self.blocks.values().any(|meter| meter.is(Activity::Computing))
    }

    /// Where the rows are, in one sentence, for a run that does not move; `None` where no operator reads.
    pub fn whereabouts(&self) -> Option<String> {
        if let Some(block) = self.innermost(Activity::Computing) {
            return Some(format!("`{block}` is computing"));
        }
        if let Some((block, _)) = self.blocks.iter().find(|(_, meter)| meter.is(Activity::Writing)) {
            return Some(format!("the target of `{block}` does not take its rows"));
        }
        if let Some(block) = self.innermost(Activity::Waiting) {
            let inputs = self.inputs(block);
            let reads = inputs.iter().any(|(_, from)| !self.is_block(from) && from.is(Activity::Waiting));
            let is_source = inputs.is_empty() || reads;
            let words = if is_source { "waits for its source" } else { "is not done with what it was given" };
            return Some(format!("`{block}` {words}"));
        }
        let (block, _) = self.blocks.iter().find(|(_, meter)| meter.is(Activity::Blocked))?;
        Some(format!("what comes after `{block}` does not take its rows"))
    }

    /// The block that does this while none of its inputs does: a poll, and a wait, begin at the sink and end at a source.
    fn innermost(&self, activity: Activity) -> Option<&BlockId> {
        let busy = self.blocks.iter().filter(|(_, meter)| meter.is(activity));
        let mut inner = busy
            .filter(|(block, _)| !self.inputs(block).iter().any(|(_, from)| self.is_block(from) && from.is(activity)));
        inner.next().map(|(block, _)| block)
    }

    fn inputs(&self, block: &BlockId) -> &[(BlockId, Arc<BlockMeter>)] {
        self.inputs.get(block).map_or(&[][..], Vec::as_slice)
    }

    /// Whether the meter is of a block, and not of a boundary that is read.
    fn is_block(&self, meter: &Arc<BlockMeter>) -> bool {
        self.blocks.values().any(|block| Arc::ptr_eq(block, meter))
    }

    /// The meters of the blocks.
    pub fn all(&self) -> Vec<Arc<BlockMeter>> {
        self.blocks.values().map(Arc::clone).collect()
    }

    /// What each operator here does, of blocks and of boundaries that are read.
    pub fn standing(&self, executor: &str) -> Vec<Standing> {
        let boundaries = self.inputs.values().flatten().filter(|(_, meter)| !self.is_block(meter));
        let all = self.blocks.iter().chain(boundaries.map(|(block, meter)| (block, meter)));
        all.flat_map(|(block, meter)| meter.standing(block, executor)).collect()
    }

    pub fn snapshot(&self) -> BTreeMap<BlockId, Meter> {
        self.blocks.iter().map(|(block, meter)| (block.clone(), self.read(block, meter))).collect()
    }

    fn read(&self, block: &BlockId, meter: &BlockMeter) -> Meter {
        let inputs = self.inputs(block);
        Meter {
            // A source takes its rows from outside: what it read is what it gave.
            rows_in: if inputs.is_empty() { meter.rows() } else { inputs.iter().map(|(_, m)| m.rows()).sum() },
            rows_out: meter.rows(),
            rows_quarantined: meter.quarantined.load(Relaxed),
            rows_discarded: meter.discarded(),
            bytes_out: meter.bytes.load(Relaxed),
            bytes_spilled: meter.spilled.load(Relaxed) + meter.spilled_elsewhere.load(Relaxed),
            streams: meter.streams.load(Relaxed) as u64,
            busy_ms: ms(&meter.busy_ns) + ms(&meter.busy_elsewhere_ns),
            waiting_ms: ms(&meter.waiting_ns),
            blocked_ms: ms(&meter.blocked_ns),
            inputs: inputs.iter().map(|(from, meter)| (from.clone(), edge(meter))).collect(),
        }
    }
}

/// The edge that the rows of `meter` go over.
fn edge(meter: &BlockMeter) -> EdgeMeter {
    EdgeMeter {
        rows: meter.rows(),
        bytes: meter.bytes.load(Relaxed),
        empty_ms: ms(&meter.waiting_ns),
        full_ms: ms(&meter.blocked_ns),
    }
}

fn ms(ns: &AtomicU64) -> u64 {
    ns.load(Relaxed) / 1_000_000
}

/// The meters of one task that is done here for another executor, which adds them to its own.
#[derive(Debug, Default)]
pub struct TaskMeters(Mutex<BTreeMap<BlockId, Arc<BlockMeter>>>);

impl TaskMeters {
    /// The meter of `block`, made at the first call.
    pub fn block(&self, block: &BlockId) -> Arc<BlockMeter> {
        Arc::clone(self.blocks().entry(block.clone()).or_default())
    }

    /// The meters of the blocks.
    pub fn all(&self) -> Vec<Arc<BlockMeter>> {
        self.blocks().values().map(Arc::clone).collect()
    }

    pub fn counts(&self) -> BTreeMap<BlockId, Counts> {
        self.blocks().iter().map(|(block, meter)| (block.clone(), meter.counts())).collect()
    }

    /// What each operator here does, as those of the executor at `executor`.
    pub fn standing(&self, executor: &str) -> Vec<Standing> {
        self.blocks().iter().flat_map(|(block, meter)| meter.standing(block, executor)).collect()
    }

    fn blocks(&self) -> MutexGuard<'_, BTreeMap<BlockId, Arc<BlockMeter>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
