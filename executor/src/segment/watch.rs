//! Whether an attempt moves, and when one that does not is given up: once its operators only wait for each other.

use std::time::{Duration, Instant};

use flowetl_proto::control::{Activity, Standing};
use flowetl_proto::id::BlockId;
use flowetl_proto::pipeline::Block;

use crate::usage;

/// Of one processor: a process that uses less is not sorting or joining anything between two rows.
const QUIET: f64 = 0.05;
/// How much longer an attempt is left alone in a process that computes, for the work may be its own.
const BUSY_FACTOR: u32 = 30;

/// Since when no row has moved.
#[derive(Debug)]
pub(super) struct Watch {
    rows: u64,
    since: Instant,
    /// CPU time that the process had used by then.
    cpu: Duration,
}

impl Watch {
    pub(super) fn begin() -> Self {
        Self { rows: 0, since: Instant::now(), cpu: usage::process_cpu() }
    }

    /// Notes how many rows have moved by now; says for how long it has been that many.
    pub(super) fn saw(&mut self, rows: u64) -> Duration {
        if rows != self.rows {
            *self = Self { rows, ..Self::begin() };
        }
        self.since.elapsed()
    }

    /// Whether an attempt that stands like this has done so for too long: `limit` in a process that does nothing else, and
    /// longer where it may be at work between two rows (`is_spread`: elsewhere).
    pub(super) fn gives_up(&self, standing: &[Standing], blocks: &[Block], limit: Duration, is_spread: bool) -> bool {
        let still = self.since.elapsed();
        let used = usage::process_cpu().saturating_sub(self.cpu);
        let is_quiet = !is_spread && used <= still.mul_f64(QUIET);
        let limit = if is_quiet { limit } else { limit * BUSY_FACTOR };
        still >= limit && wait_for_each_other(standing, blocks)
    }
}

/// Whether every operator waits for another one of these. A source, a target, a boundary and whoever computes may yet go on,
/// and how long they take is not ours to say.
fn wait_for_each_other(standing: &[Standing], blocks: &[Block]) -> bool {
    let has_inputs = |id: &BlockId| blocks.iter().any(|block| &block.id == id && !block.inputs.is_empty());
    !standing.is_empty()
        && standing.iter().all(|operator| match operator.activity {
            Activity::Waiting => has_inputs(&operator.block),
            Activity::Blocked => true,
            Activity::Computing | Activity::Writing | Activity::Finishing => false,
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::world::{extract, sql};

    #[test]
    fn operators_that_nobody_outside_can_wake_wait_for_each_other() {
        let blocks = [extract("orders", "shop", "orders"), sql("out", &["orders"], "select * from orders")];
        let standing = |all: &[(&str, Activity)]| -> Vec<_> {
            let stands = |(block, activity): &(&str, Activity)| Standing {
                executor: String::new(),
                block: BlockId::new(*block),
                stream: 0,
                activity: *activity,
                ms: 1,
            };
            all.iter().map(stands).collect()
        };
        let stuck = [("out", Activity::Waiting), ("orders", Activity::Blocked)];
        assert!(wait_for_each_other(&standing(&stuck), &blocks));
        assert!(wait_for_each_other(&standing(&stuck[..1]), &blocks), "its source has ended");
        for more in [
            ("orders", Activity::Waiting),
            ("a boundary", Activity::Waiting),
            ("orders", Activity::Computing),
            ("out", Activity::Writing),
            ("out", Activity::Finishing),
        ] {
            assert!(!wait_for_each_other(&standing(&[stuck[0], stuck[1], more]), &blocks), "{more:?}");
        }
        assert!(!wait_for_each_other(&[], &blocks), "it is being planned");
    }
}
