//! What one operator is doing and since when: charged to its block, and shown to whoever asks why nothing moves.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use flowetl_proto::control::Activity;

use super::BlockMeter;

const ALL: [Activity; 5] =
    [Activity::Computing, Activity::Waiting, Activity::Blocked, Activity::Writing, Activity::Finishing];
/// Bits of a state that say which of them it is, from 1; the others are the nanoseconds at which it began.
const BITS: u32 = 3;

/// What an operator does, to be looked at from any thread.
#[derive(Debug)]
pub(super) struct Pulse {
    /// The operator's place among those of its block.
    pub(super) stream: usize,
    born: Instant,
    state: AtomicU64,
}

impl Pulse {
    pub(super) fn new(stream: usize) -> Self {
        Self { stream, born: Instant::now(), state: AtomicU64::new(0) }
    }

    fn set(&self, doing: Option<(Activity, Instant)>) {
        let state = doing.map_or(0, |(activity, since)| {
            let number = ALL.iter().position(|known| *known == activity).map_or(0, |at| at as u64 + 1);
            nanos(since.saturating_duration_since(self.born)) << BITS | number
        });
        self.state.store(state, Relaxed);
    }

    /// What it does, and for how long.
    pub(super) fn now(&self) -> Option<(Activity, Duration)> {
        let state = self.state.load(Relaxed);
        let number = usize::try_from(state & ((1 << BITS) - 1)).ok()?;
        let activity = ALL.get(number.checked_sub(1)?)?;
        Some((*activity, self.born.elapsed().saturating_sub(Duration::from_nanos(state >> BITS))))
    }
}

/// One operator's time, from its first move to its end.
pub(crate) struct Shift {
    meter: Arc<BlockMeter>,
    pulse: Arc<Pulse>,
    doing: Option<(Activity, Instant)>,
}

impl Shift {
    pub(crate) fn begin(meter: Arc<BlockMeter>) -> Self {
        let pulse = meter.enter();
        Self { meter, pulse, doing: None }
    }

    /// Charges the time of what it did until now, and turns to what it does next.
    pub(crate) fn turn(&mut self, next: Activity) {
        self.turn_at(Some(next), Instant::now(), Duration::ZERO);
    }

    /// Like [`Self::turn`]; of the time it computed, `elsewhere` was other blocks'.
    pub(super) fn turn_at(&mut self, next: Option<Activity>, now: Instant, elsewhere: Duration) {
        if let Some((before, since)) = self.doing.take() {
            self.meter.charge(before, (now - since).saturating_sub(elsewhere));
        }
        self.doing = next.map(|next| (next, now));
        self.pulse.set(self.doing);
    }
}

impl Drop for Shift {
    fn drop(&mut self) {
        self.turn_at(None, Instant::now(), Duration::ZERO);
        self.meter.leave(&self.pulse);
    }
}

pub(super) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
