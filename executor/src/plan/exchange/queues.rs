//! The queues of an exchange, one per output, and the tasks that fill them from the inputs.

use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::execution::spill_file::SpillFile;
use datafusion::physical_plan::SpillManager;
use datafusion::physical_plan::repartition::BatchPartitioner;
use flowetl_proto::code::Class;
use futures::{FutureExt, StreamExt};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::Error;
use crate::meter::panic_text;

/// A queue goes to disk when memory is refused, but not for less than this: files of a few rows each cost more time than
/// they give memory back. It is what an output may hold beyond the pool.
const SPILL_BYTES_MIN: usize = 128 << 10;

/// What lies in a queue: rows in memory, or a file of rows.
pub(super) enum Piece {
    Memory(RecordBatch),
    Spilled(Arc<dyn SpillFile>),
}

#[derive(Default)]
struct Queue {
    /// In the order of arrival; with several inputs a file may come after batches that arrived while it was written.
    pieces: VecDeque<Piece>,
    /// Bytes of the batches.
    held: usize,
    /// Nobody reads it any more.
    closed: bool,
    waker: Option<Waker>,
}

struct State {
    queues: Vec<Queue>,
    reservation: MemoryReservation,
    /// Inputs that may still bring rows.
    open_inputs: usize,
    /// What ended an input; every output ends with it.
    error: Option<Arc<DataFusionError>>,
}

/// The queues between the inputs and the outputs of one execution.
///
/// Bounded by the gate: an input waits as long as every queue that is read has something. One slow output cannot hold up
/// the others, so its queue can grow: in memory as far as the pool goes, then on disk.
pub(super) struct Queues {
    state: Mutex<State>,
    /// Told when a queue was emptied or closed.
    room: Notify,
    pub(super) spill: SpillManager,
}

impl Queues {
    pub(super) fn new(outputs: usize, inputs: usize, reservation: MemoryReservation, spill: SpillManager) -> Self {
        let queues = (0..outputs).map(|_| Queue::default()).collect();
        let state = State { queues, reservation, open_inputs: inputs, error: None };
        Self { state: Mutex::new(state), room: Notify::new(), spill }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts the parts of one batch into their queues; what memory refuses goes to disk.
    fn push(&self, parts: Vec<(usize, RecordBatch)>) -> Result<()> {
        // Files are written without the lock: the outputs go on meanwhile.
        let refused = self.lock().push(parts);
        for (output, batches) in refused {
            let file = self.spill.spill_record_batch_and_finish(&batches, "an exchange")?;
            let mut state = self.lock();
            let queue = &mut state.queues[output];
            if let Some(file) = file
                && !queue.closed
            {
                queue.pieces.push_back(Piece::Spilled(file));
                queue.wake();
            }
        }
        Ok(())
    }

    /// The next piece for `output`; `None` at the end.
    pub(super) fn poll_pop(&self, output: usize, cx: &Context<'_>) -> Poll<Result<Option<Piece>>> {
        let mut state = self.lock();
        if let Some(error) = &state.error {
            return Poll::Ready(Err(DataFusionError::Shared(Arc::clone(error))));
        }
        let is_last = state.open_inputs == 0;
        let queue = &mut state.queues[output];
        let Some(piece) = queue.pieces.pop_front() else {
            if is_last {
                return Poll::Ready(Ok(None));
            }
            queue.waker = Some(cx.waker().clone());
            return Poll::Pending;
        };
        let emptied = queue.pieces.is_empty();
        if let Piece::Memory(batch) = &piece {
            let bytes = batch.get_array_memory_size();
            queue.held -= bytes;
            state.reservation.shrink(bytes);
        }
        drop(state);
        if emptied {
            self.room.notify_waiters();
        }
        Poll::Ready(Ok(Some(piece)))
    }

    /// Nobody reads `output` any more: what lies there, and what would come, is dropped.
    pub(super) fn close(&self, output: usize) {
        let mut state = self.lock();
        let queue = std::mem::take(&mut state.queues[output]);
        state.queues[output].closed = true;
        state.reservation.shrink(queue.held);
        drop(state);
        self.room.notify_waiters();
    }

    /// Waits until a queue is empty; `false` when nobody reads any.
    async fn room(&self) -> bool {
        loop {
            let told = self.room.notified();
            tokio::pin!(told);
            // Before the look, so that what changes after it is not missed.
            told.as_mut().enable();
            {
                let state = self.lock();
                let mut read = state.queues.iter().filter(|q| !q.closed).peekable();
                if read.peek().is_none() {
                    return false;
                }
                if read.any(|q| q.pieces.is_empty()) {
                    return true;
                }
            }
            told.await;
        }
    }

    fn input_ended(&self, error: Option<DataFusionError>) {
        let mut state = self.lock();
        state.open_inputs -= 1;
        if let Some(error) = error {
            state.error.get_or_insert_with(|| Arc::new(error));
        }
        if state.open_inputs == 0 || state.error.is_some() {
            state.queues.iter_mut().for_each(Queue::wake);
        }
    }
}

impl State {
    /// Queues `parts`; gives what is to be written to disk because memory was refused, by output.
    fn push(&mut self, parts: Vec<(usize, RecordBatch)>) -> Vec<(usize, Vec<RecordBatch>)> {
        let mut refused = false;
        for (output, batch) in parts {
            let queue = &mut self.queues[output];
            if queue.closed {
                continue;
            }
            let bytes = batch.get_array_memory_size();
            if self.reservation.try_grow(bytes).is_err() {
                self.reservation.grow(bytes);
                refused = true;
            }
            queue.held += bytes;
            queue.pieces.push_back(Piece::Memory(batch));
            queue.wake();
        }
        if !refused {
            return Vec::new();
        }
        let mut spilled = Vec::new();
        for (output, queue) in self.queues.iter_mut().enumerate().filter(|(_, q)| q.held >= SPILL_BYTES_MIN) {
            let mut batches = Vec::new();
            for piece in std::mem::take(&mut queue.pieces) {
                match piece {
                    Piece::Memory(batch) => batches.push(batch),
                    file @ Piece::Spilled(_) => queue.pieces.push_back(file),
                }
            }
            spilled.push((output, batches));
            self.reservation.shrink(std::mem::take(&mut queue.held));
        }
        spilled
    }
}

impl Queue {
    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// The inputs of one execution: streams until an output is polled, then tasks. They end when the last output is dropped.
pub(super) struct Inputs {
    waiting: Mutex<Vec<(SendableRecordBatchStream, BatchPartitioner)>>,
    tasks: Mutex<JoinSet<()>>,
}

impl Inputs {
    pub(super) fn new(streams: Vec<(SendableRecordBatchStream, BatchPartitioner)>) -> Self {
        Self { waiting: Mutex::new(streams), tasks: Mutex::default() }
    }

    /// Begins to read, unless that was done.
    pub(super) fn start(&self, queues: &Arc<Queues>) {
        let waiting = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        for (stream, partitioner) in waiting {
            let queues = Arc::clone(queues);
            tasks.spawn(async move {
                let read = AssertUnwindSafe(read(stream, partitioner, &queues)).catch_unwind().await;
                // A panic in a task that nobody joins would look like the end of the rows.
                let read = read.unwrap_or_else(|panic| {
                    let text = format!("panic below an exchange: {}", panic_text(panic.as_ref()));
                    Err(Error::new(Class::Panic, text).into())
                });
                queues.input_ended(read.err());
            });
        }
    }
}

async fn read(mut input: SendableRecordBatchStream, mut partitioner: BatchPartitioner, queues: &Queues) -> Result<()> {
    while queues.room().await
        && let Some(batch) = input.next().await
    {
        let batch = batch?;
        let rows = batch.num_rows();
        if rows == 0 {
            continue;
        }
        let parts = partitioner.partition_iter(batch)?.map(|part| {
            let (output, part) = part?;
            // Parts of a batch share the text of its views: each would count, and keep, all of it.
            Ok((output, if part.num_rows() < rows { compact(part)? } else { part }))
        });
        queues.push(parts.collect::<Result<_>>()?)?;
    }
    Ok(())
}

/// `batch` with only the text and bytes that its views show.
fn compact(batch: RecordBatch) -> Result<RecordBatch> {
    let own = |column: &ArrayRef| -> ArrayRef {
        if let Some(views) = column.as_string_view_opt() {
            Arc::new(views.gc())
        } else if let Some(views) = column.as_binary_view_opt() {
            Arc::new(views.gc())
        } else {
            Arc::clone(column)
        }
    };
    Ok(RecordBatch::try_new(batch.schema(), batch.columns().iter().map(own).collect())?)
}
