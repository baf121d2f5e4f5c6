//! Counters with streams that compute for a known time.

use std::thread::sleep;
use std::time::Instant;

use arrow::array::{Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::error::Result as EngineResult;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use flowetl_proto::code::Class;
use futures::{FutureExt, Stream, StreamExt, stream};

use super::*;
use crate::Error;

const PAUSE: Duration = Duration::from_millis(20);

fn batch(rows: i64) -> RecordBatch {
    let schema = Schema::new(vec![Field::new("n", DataType::Int64, false)]);
    RecordBatch::try_new(Arc::new(schema), vec![Arc::new(Int64Array::from_iter_values(0..rows))]).unwrap()
}

fn stream_of(items: impl Stream<Item = EngineResult<RecordBatch>> + Send + 'static) -> SendableRecordBatchStream {
    Box::pin(RecordBatchStreamAdapter::new(batch(0).schema(), items))
}

/// `inner` computes for one pause a batch, `outer`, above it, for two.
fn nested(batches: usize) -> (Meters, SendableRecordBatchStream) {
    let mut meters = Meters::default();
    let (inner, outer) = (BlockId::new("inner"), BlockId::new("outer"));
    let slow = stream::iter((0..batches).map(|_| {
        sleep(PAUSE);
        Ok(batch(10))
    }));
    let marked = MeteredStream::new(stream_of(slow), inner.clone(), meters.block(&inner));
    let slower = marked.map(|batch| {
        sleep(2 * PAUSE);
        batch
    });
    let marked = MeteredStream::new(stream_of(slower), outer.clone(), meters.block(&outer));
    let meter = meters.block(&inner);
    meters.feeds(&inner, meter, &outer);
    (meters, Box::pin(marked))
}

#[tokio::test]
async fn each_block_is_charged_with_its_own_time() {
    let begin = Instant::now();
    let (meters, mut rows) = nested(3);
    while rows.next().await.transpose().unwrap().is_some() {}
    let wall = begin.elapsed().as_millis() as u64;
    let all = meters.snapshot();
    let (inner, outer) = (&all["inner"], &all["outer"]);
    assert_eq!((inner.rows_in, inner.rows_out, outer.rows_in, outer.rows_out), (30, 30, 30, 30));
    assert!(inner.busy_ms >= 60 && outer.busy_ms >= 120, "{all:?}");
    // Counted twice, the inner time would make the sum longer than the clock.
    assert!(inner.busy_ms + outer.busy_ms <= wall, "{wall} ms, {all:?}");
}

#[tokio::test]
async fn says_where_the_rows_are() {
    let mut meters = Meters::default();
    let ids = ["b_source", "a_join", "c_sink"].map(BlockId::new);
    let [source, join, sink] = &ids;
    let boundary = Arc::new(BlockMeter::default());
    let from = meters.block(source);
    meters.feeds(source, from, join);
    meters.feeds(&BlockId::new("before"), Arc::clone(&boundary), join);
    let from = meters.block(join);
    meters.feeds(join, from, sink);
    assert_eq!(meters.whereabouts(), None);
    let marked = |input, id: &BlockId, meter| -> SendableRecordBatchStream {
        Box::pin(MeteredStream::new(input, id.clone(), meter))
    };
    let pending = || stream_of(stream::pending());
    let mut inner = marked(marked(pending(), source, meters.block(source)), join, meters.block(join));
    assert!(inner.next().now_or_never().is_none());
    assert_eq!(meters.whereabouts().as_deref(), Some("`b_source` waits for its source"));
    // Another partition that has ended takes nothing of that away.
    let mut ended = marked(stream_of(stream::empty()), source, meters.block(source));
    assert!(ended.next().await.is_none());
    assert_eq!(meters.whereabouts().as_deref(), Some("`b_source` waits for its source"));
    drop(inner);
    assert_eq!(meters.whereabouts(), None);
    let mut read = marked(marked(pending(), &BlockId::new("before"), boundary), join, meters.block(join));
    assert!(read.next().now_or_never().is_none());
    assert_eq!(meters.whereabouts().as_deref(), Some("`a_join` waits for its source"));
    drop(read);
    let mut full = marked(stream_of(stream::iter([Ok(batch(1))])), join, meters.block(join));
    full.next().await.unwrap().unwrap();
    assert_eq!(meters.whereabouts().as_deref(), Some("what comes after `a_join` does not take its rows"));
    let heard = Arc::new(std::sync::Mutex::new(None));
    let (ear, meters) = (Arc::clone(&heard), Arc::new(meters));
    let listening = Arc::clone(&meters);
    let computing = stream::once(async move {
        *ear.lock().unwrap() = listening.whereabouts();
        Ok(batch(1))
    });
    let at = |id: &BlockId| Arc::clone(&meters.blocks[id]);
    marked(marked(stream_of(computing), source, at(source)), join, at(join)).next().await.unwrap().unwrap();
    assert_eq!(heard.lock().unwrap().as_deref(), Some("`b_source` is computing"));
}

#[tokio::test]
async fn a_panic_names_its_block_and_ends_the_stream() {
    let broken = stream::iter(0..3).map(|n| if n == 1 { panic!("number {n}") } else { Ok(batch(1)) });
    let inner = MeteredStream::new(stream_of(broken), BlockId::new("inner"), Arc::default());
    let mut rows = MeteredStream::new(Box::pin(inner), BlockId::new("outer"), Arc::default());
    rows.next().await.unwrap().unwrap();
    let error = Error::from(rows.next().await.unwrap().unwrap_err()).to_failure();
    assert_eq!((error.class, error.block), (Class::Panic, Some(BlockId::new("inner"))));
    assert_eq!(error.message, "panic in an operator: number 1");
    assert!(rows.next().await.is_none());
}
