//! How much of a stream of rows may be on its way between two executors at once.

use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::MemoryLimit;

/// Memory of a run, for each of its streams on an executor, from which on its rows travel in wide lanes: a dozen partitions
/// that are on their way at once then take no more than a third of it.
const WIDE_BYTES_MIN: usize = 256 << 20;

/// The part of a run's memory that may be in use for another wide lane to be opened.
const CROWDED: usize = 4;

/// What the streams of an attempt hold on their way. An extension of its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Lane {
    /// As much as more of makes nothing faster: with less, each end wakes the other more often than it works.
    Wide,
    /// As little as is not much slower.
    Narrow,
}

impl Lane {
    /// For an attempt of so many streams in a pool of so many bytes.
    pub(crate) fn new(pool_bytes: usize, streams: usize) -> Self {
        if pool_bytes / streams.max(1) >= WIDE_BYTES_MIN { Self::Wide } else { Self::Narrow }
    }

    /// That of one more stream of a task: where many run at once, those that come last are narrow.
    pub(crate) fn of(context: &TaskContext) -> Self {
        let pool = context.memory_pool();
        if matches!(pool.memory_limit(), MemoryLimit::Finite(bytes) if pool.reserved() > bytes / CROWDED) {
            return Self::Narrow;
        }
        context.session_config().get_extension::<Self>().map_or(Self::Wide, |lane| *lane)
    }

    /// Bytes of rows in one message, and in one frame of HTTP/2: it is taken apart and put together once. Any client of gRPC
    /// takes 4 MiB.
    pub(crate) fn piece_bytes(self) -> usize {
        match self {
            Self::Wide => 1 << 20,
            Self::Narrow => 256 << 10,
        }
    }

    /// Bytes of one partition that are on their way: a fast network's worth for some milliseconds, or for one.
    pub(crate) fn window_bytes(self) -> usize {
        match self {
            Self::Wide => 4 << 20,
            Self::Narrow => 512 << 10,
        }
    }
}
