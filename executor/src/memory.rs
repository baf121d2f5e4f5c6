//! The memory ceiling of a run: how it is split, and the pool that keeps the engine's share.

mod lane;
mod pool;

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::TrackConsumersPool;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};

pub(crate) use self::lane::Lane;
use self::pool::SharePool;
use crate::{Error, Result};

/// What the program itself occupies before any row moves: code, tables of the engine, thread stacks, allocator slack.
const BASE_BYTES: u64 = 56 << 20;
/// Below this no pipeline can move a batch through a sort without failing.
const SMALLEST_CEILING: u64 = 96_000_000;
/// Where the pipeline names no ceiling: enough for any plain copy, and small beside everything else on a laptop.
pub const DEFAULT_CEILING: u64 = 1 << 30;
/// Row groups of Parquet: larger ones make files no smaller and nothing faster, in smaller ones the columns' own heads and
/// dictionaries weigh too much.
const ROW_GROUP_BYTES_MAX: usize = 8 << 20;
const ROW_GROUP_BYTES_MIN: usize = 1 << 20;
/// Local disk that sorts, joins and aggregates of one run may fill.
const SPILL_BYTES_MAX: u64 = 100 << 30;

/// How the ceiling of a run is shared out. All in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    pub ceiling: u64,
    /// For sorts, joins and aggregates, which spill when it is used up.
    pub pool: usize,
    /// For what connectors and writers hold: network buffers, encoded row groups.
    pub buffers: usize,
}

impl Budget {
    /// Shares out `ceiling`, or the default; a ceiling too small to work with is refused.
    pub fn new(ceiling: Option<u64>) -> Result<Self> {
        let ceiling = ceiling.unwrap_or(DEFAULT_CEILING);
        if ceiling < SMALLEST_CEILING {
            return Err(Error::user(format!(
                "`memory` is {} MB; a run needs at least {} MB",
                ceiling / 1_000_000,
                SMALLEST_CEILING / 1_000_000
            )));
        }
        let free = ceiling - BASE_BYTES;
        // A plain copy needs buffers only and a join mostly the pool; with more of them eight writers are no faster.
        let buffers = (free * 2 / 5).min(256 << 20);
        let bytes = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        Ok(Self { ceiling, pool: bytes(free - buffers), buffers: bytes(buffers) })
    }

    /// Encoded bytes that each of `writers` gathers for a row group of Parquet. One is in the making and one in the hand,
    /// encoding holds as much again beside them, and what was freed is not all given back at once.
    pub fn row_group_bytes(&self, writers: usize) -> usize {
        (self.buffers / (5 * writers.max(1))).clamp(ROW_GROUP_BYTES_MIN, ROW_GROUP_BYTES_MAX)
    }

    /// The engine's surroundings for one run: its pool, and a folder to spill to.
    pub fn runtime(&self, spill_folder: &Path) -> Result<Arc<RuntimeEnv>> {
        // Five names in a refusal are enough to see who holds the memory.
        const TOP_CONSUMERS: NonZeroUsize = NonZeroUsize::new(5).unwrap();
        let pool = TrackConsumersPool::new(SharePool::new(self.pool), TOP_CONSUMERS);
        let disk = DiskManagerBuilder::default()
            .with_mode(DiskManagerMode::Directories(vec![spill_folder.to_owned()]))
            .with_max_temp_directory_size(SPILL_BYTES_MAX);
        Ok(RuntimeEnvBuilder::new().with_memory_pool(Arc::new(pool)).with_disk_manager_builder(disk).build_arc()?)
    }
}

#[cfg(test)]
mod tests;
