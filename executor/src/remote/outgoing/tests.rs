//! Rows on their way out and in again: whole, in messages that anyone takes, or with an error.

use arrow::array::{Int64Array, StringViewArray};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::execution::memory_pool::{MemoryPool, UnboundedMemoryPool};
use flowetl_proto::code::Class;
use futures::stream::BoxStream;

use super::*;
use crate::memory::Lane;
use crate::remote::incoming;

const LANE: Lane = Lane::Wide;
/// What gRPC's clients take unless they are told otherwise.
const MESSAGE_BYTES_USUAL: usize = 4 << 20;

fn pool() -> Arc<dyn MemoryPool> {
    Arc::new(UnboundedMemoryPool::default())
}

fn batch(rows: i64, width: usize) -> RecordBatch {
    let schema =
        Schema::new(vec![Field::new("n", DataType::Int64, false), Field::new("text", DataType::Utf8View, false)]);
    let texts = StringViewArray::from_iter_values((0..rows).map(|n| format!("{n:width$}")));
    RecordBatch::try_new(Arc::new(schema), vec![Arc::new(Int64Array::from_iter_values(0..rows)), Arc::new(texts)])
        .unwrap()
}

async fn sent(batches: Vec<EngineResult<RecordBatch>>) -> Vec<Result<FlightData, Status>> {
    let (sender, receiver) = mpsc::channel(1000);
    if let Err(error) =
        send(batch(0, 0).schema(), stream::iter(batches), &sender, Share::outgoing(&pool(), LANE).unwrap()).await
    {
        sender.send(Err(crate::remote::failure::status(&error))).await.unwrap();
    }
    drop(sender);
    tokio_stream::wrappers::ReceiverStream::new(receiver).collect().await
}

fn received(messages: Vec<Result<FlightData, Status>>) -> BoxStream<'static, EngineResult<RecordBatch>> {
    incoming::rows("http://a", stream::iter(messages), Share::incoming(&pool(), LANE, "http://a").unwrap())
}

async fn fault(messages: Vec<Result<FlightData, Status>>) -> Error {
    Error::from(received(messages).try_collect::<Vec<_>>().await.unwrap_err())
}

#[tokio::test]
async fn large_batches_come_in_messages_that_anyone_takes() {
    let whole = batch(20_000, 1000);
    // Few rows of a large batch are few bytes.
    let few = whole.slice(500, 3);
    let messages = sent(vec![Ok(whole.clone()), Ok(few.clone())]).await;
    assert!(messages.len() > 10);
    let sizes: Vec<_> = messages.iter().map(|message| message.as_ref().unwrap().encoded_len()).collect();
    assert!(sizes.iter().all(|size| *size < MESSAGE_BYTES_USUAL) && sizes[sizes.len() - 1] < 8000, "{sizes:?}");
    let rows: Vec<_> = received(messages).try_collect().await.unwrap();
    let schema = whole.schema();
    assert_eq!(concat_batches(&schema, &rows).unwrap(), concat_batches(&schema, &[whole, few]).unwrap());
}

#[tokio::test]
async fn short_texts_come_in_no_more_messages_than_their_bytes_need() {
    // They lie in the views, of which each piece of a batch has its part only.
    let batch = batch(200_000, 0);
    let bytes = batch.num_rows() * (size_of::<i64>() + size_of::<u128>());
    let messages = sent(vec![Ok(batch.clone())]).await;
    assert!(
        messages.len() <= 2 + 2 * bytes.div_ceil(LANE.piece_bytes()),
        "{} messages of {bytes} bytes",
        messages.len()
    );
    let rows: Vec<_> = received(messages).try_collect().await.unwrap();
    assert_eq!(concat_batches(&batch.schema(), &rows).unwrap(), batch);
}

#[tokio::test]
async fn rows_that_are_missing_are_missed() {
    let batches = || vec![Ok(batch(10, 5)), Ok(batch(20, 5))];
    assert_eq!(received(sent(batches()).await).count().await, 2);
    assert_eq!(received(sent(Vec::new()).await).count().await, 0);
    for length in 0..3 {
        let mut messages = sent(batches()).await;
        messages.truncate(length);
        assert_eq!(fault(messages).await.class, Class::Truncated, "after {length} messages");
    }
    // The end came, and something before it did not.
    let mut messages = sent(batches()).await;
    drop(messages.remove(1));
    let fault = fault(messages).await;
    assert_eq!(fault.class, Class::Truncated);
    assert_eq!(fault.message, "20 rows came from the executor at `http://a`, of 30");
}

#[tokio::test]
async fn errors_arrive_as_they_were() {
    let ours = Error::new(Class::SourceTransient, "the source is away").in_block(&"orders".into());
    let failure = ours.to_failure();
    let fault_of_ours = fault(sent(vec![Ok(batch(10, 5)), Err(ours.into())]).await).await;
    assert_eq!(fault_of_ours.to_failure(), failure);
    let fault_of_net = fault(vec![Err(Status::unavailable("connection reset"))]).await;
    assert_eq!(fault_of_net.class, Class::LostExecutor);
    let long = Error::user("x".repeat(100_000));
    assert!(fault(sent(vec![Err(long.into())]).await).await.message.len() < 3000);
}
