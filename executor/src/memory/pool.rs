//! The pool of a run: what spills gets a fair share, and more of it while others leave theirs unused.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use datafusion::common::{Result as EngineResult, resources_datafusion_err};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation};

/// Of the pool: what any one consumer may hold as long as there is anything left. A plan registers dozens of consumers, of
/// which most never ask for much: a share that counts them all can be too small for a sort's first batch.
const FLOOR: usize = 16;

/// What the names of consumers begin with that hold the smaller side of a join by hash.
const JOIN_INPUT: &str = "HashJoinInput";

/// The engine's `FairSpillPool` gives whoever can spill the same part of the pool, however many of them are idle, so that
/// under a small ceiling a sort may be refused its first batch while the pool is nearly empty. Here half of the pool may also
/// be held beyond that part.
#[derive(Debug)]
pub(super) struct SharePool {
    bytes: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Registered consumers that can spill.
    spillers: usize,
    spillable: usize,
    unspillable: usize,
}

impl SharePool {
    pub(super) fn new(bytes: usize) -> Self {
        Self { bytes, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes that a consumer that can spill and holds `held` may still take.
    fn room(&self, state: &State, held: usize) -> usize {
        let left = self.bytes.saturating_sub(state.spillable + state.unspillable);
        let fair = self.bytes.saturating_sub(state.unspillable) / state.spillers.max(1);
        let own = fair.max(self.bytes / FLOOR).saturating_sub(held).min(left);
        own.max(left.saturating_sub(self.bytes / 2))
    }
}

/// Bytes that a reservation of so many stands for: once it has all rows of a join's smaller side, the engine copies them into
/// one batch, and counts them once.
fn charged(reservation: &MemoryReservation, bytes: usize) -> usize {
    if reservation.consumer().name().starts_with(JOIN_INPUT) { 2 * bytes } else { bytes }
}

impl fmt::Display for SharePool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a pool of {} bytes", self.bytes)
    }
}

impl MemoryPool for SharePool {
    fn name(&self) -> &str {
        "share"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.state().spillers += usize::from(consumer.can_spill());
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        let mut state = self.state();
        state.spillers = state.spillers.saturating_sub(usize::from(consumer.can_spill()));
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        let additional = charged(reservation, additional);
        let mut state = self.state();
        match reservation.consumer().can_spill() {
            true => state.spillable += additional,
            false => state.unspillable += additional,
        }
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        let shrink = charged(reservation, shrink);
        let mut state = self.state();
        match reservation.consumer().can_spill() {
            true => state.spillable = state.spillable.saturating_sub(shrink),
            false => state.unspillable = state.unspillable.saturating_sub(shrink),
        }
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> EngineResult<()> {
        let additional = charged(reservation, additional);
        let mut state = self.state();
        let can_spill = reservation.consumer().can_spill();
        let room = match can_spill {
            true => self.room(&state, reservation.size()),
            false => self.bytes.saturating_sub(state.spillable + state.unspillable),
        };
        if additional > room {
            let (name, held) = (reservation.consumer().name(), reservation.size());
            return Err(resources_datafusion_err!(
                "{name} holds {held} bytes and needs {additional} more, of which it may have {room}, from {self}"
            ));
        }
        match can_spill {
            true => state.spillable += additional,
            false => state.unspillable += additional,
        }
        Ok(())
    }

    fn reserved(&self) -> usize {
        let state = self.state();
        state.spillable + state.unspillable
    }

    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Finite(self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn pool() -> Arc<dyn MemoryPool> {
        Arc::new(SharePool::new(1600))
    }

    #[test]
    fn idle_consumers_cost_the_others_nothing() {
        let pool = pool();
        let all: Vec<_> =
            (0..40).map(|n| MemoryConsumer::new(format!("{n}")).with_can_spill(true).register(&pool)).collect();
        // A fortieth is 40: any gets its floor while there is something, and one alone half of all.
        all[0].try_grow(800).unwrap();
        all[0].try_grow(1).unwrap_err();
        for reservation in &all[1..9] {
            reservation.try_grow(100).unwrap();
            reservation.try_grow(1).unwrap_err();
        }
        assert_eq!(pool.reserved(), 1600);
        let refused = all[9].try_grow(1).unwrap_err().to_string();
        assert!(refused.contains("9 holds 0 bytes and needs 1 more, of which it may have 0"), "{refused}");
        all[0].shrink(500);
        all[9].try_grow(100).unwrap();
    }

    #[test]
    fn what_cannot_spill_takes_what_is_left() {
        let pool = pool();
        let fixed = MemoryConsumer::new("fixed").register(&pool);
        let spills = MemoryConsumer::new("spills").with_can_spill(true).register(&pool);
        spills.try_grow(1500).unwrap();
        fixed.try_grow(101).unwrap_err();
        fixed.try_grow(100).unwrap();
        spills.shrink(1500);
        fixed.try_grow(1400).unwrap();
        // Alone, its fair share is all that is left.
        spills.try_grow(101).unwrap_err();
        spills.try_grow(100).unwrap();
        drop((fixed, spills));
        assert_eq!(pool.reserved(), 0);
    }

    #[test]
    fn the_smaller_side_of_a_join_is_there_twice() {
        let pool = pool();
        let join = MemoryConsumer::new("HashJoinInput[3]").register(&pool);
        join.try_grow(801).unwrap_err();
        join.try_grow(800).unwrap();
        assert_eq!(pool.reserved(), 1600);
        join.shrink(300);
        assert_eq!(pool.reserved(), 1000);
        drop(join);
        assert_eq!(pool.reserved(), 0);
    }
}
