//! What a stream of rows between executors may hold, taken from the memory of its run.

use std::sync::Arc;

use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation};
use flowetl_proto::code::Class;

use super::MESSAGES_READY_MAX;
use crate::memory::Lane;
use crate::{Error, Result};

/// Pieces that a reader holds beside what is on its way: a message that is not whole yet, and the batch it becomes.
const INCOMING_PIECES: usize = 2;
/// Pieces that a giver holds beside those that are ready: one of the batch, the same written, one kept back to be the last,
/// and two that the connection has taken.
const OUTGOING_PIECES: usize = MESSAGES_READY_MAX + 5;

/// The memory of one partition's stream, for as long as this is kept.
pub(super) struct Share {
    reservation: MemoryReservation,
    /// Bytes beside the pieces.
    window: usize,
    pieces: usize,
    piece_bytes: usize,
}

impl Share {
    /// For rows of the executor at `url`.
    pub(super) fn incoming(pool: &Arc<dyn MemoryPool>, lane: Lane, url: &str) -> Result<Self> {
        Self::new(pool, format!("rows from the executor at `{url}`"), lane, lane.window_bytes(), INCOMING_PIECES)
    }

    /// For rows that another executor reads.
    pub(super) fn outgoing(pool: &Arc<dyn MemoryPool>, lane: Lane) -> Result<Self> {
        Self::new(pool, "rows for another executor".to_owned(), lane, 0, OUTGOING_PIECES)
    }

    fn new(pool: &Arc<dyn MemoryPool>, what: String, lane: Lane, window: usize, pieces: usize) -> Result<Self> {
        let reservation = MemoryConsumer::new(what).register(pool);
        let mut share = Self { reservation, window, pieces, piece_bytes: lane.piece_bytes() };
        share.fit(0)?;
        Ok(share)
    }

    /// Bytes of a usual piece.
    pub(super) fn piece_bytes(&self) -> usize {
        self.piece_bytes
    }

    /// Makes room for pieces of so many bytes: more than usual where a single row is larger than a piece.
    pub(super) fn fit(&mut self, bytes: usize) -> Result<()> {
        let wanted = self.window + self.pieces * bytes.max(self.piece_bytes);
        if wanted == self.reservation.size() {
            return Ok(());
        }
        self.reservation.try_resize(wanted).map_err(|refused| {
            let text = format!(
                "`memory` is too small for {}, of which each stream needs {} KB: raise it, or use fewer executors",
                self.reservation.consumer().name(),
                wanted.div_ceil(1000)
            );
            Error::new(Class::Resource, text).because(refused)
        })
    }
}

#[cfg(test)]
mod tests {
    use datafusion::execution::memory_pool::GreedyMemoryPool;

    use super::*;

    #[test]
    fn a_stream_takes_its_share_and_gives_it_back() {
        let lane = Lane::Narrow;
        let (window, piece) = (lane.window_bytes(), lane.piece_bytes());
        let one = window + INCOMING_PIECES * piece;
        let pool: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(2 * one));
        let mut first = Share::incoming(&pool, lane, "http://a").unwrap();
        let second = Share::incoming(&pool, lane, "http://b").unwrap();
        assert_eq!(pool.reserved(), 2 * one);
        let refused = Share::incoming(&pool, lane, "http://c").err().unwrap();
        assert_eq!(refused.class, Class::Resource);
        let text = "`memory` is too small for rows from the executor at `http://c`, of which each stream needs ";
        assert!(refused.message.starts_with(text), "{refused}");
        // A row larger than a piece.
        assert_eq!(first.fit(2 * piece).unwrap_err().class, Class::Resource);
        drop(second);
        first.fit(2 * piece).unwrap();
        assert_eq!(pool.reserved(), one + INCOMING_PIECES * piece);
        first.fit(1).unwrap();
        assert_eq!(pool.reserved(), one);
        drop(first);
        assert_eq!(pool.reserved(), 0);
    }
}
