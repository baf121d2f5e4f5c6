//! A stream of rows that ends with an error where it would have panicked, or where its task is ended.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use arrow::array::RecordBatch;
use datafusion::error::Result as EngineResult;
use datafusion::execution::SendableRecordBatchStream;
use flowetl_proto::code::Class;
use futures::{Stream, StreamExt};
use tokio_util::sync::WaitForCancellationFutureOwned;

use crate::Error;
use crate::meter::panic_text;

/// A panic on the way to a consumer in another process would look to it like the end of the rows.
pub(super) struct Guarded {
    /// Gone after the end: what broke must not be asked again.
    rows: Option<SendableRecordBatchStream>,
    ended: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Guarded {
    pub(super) fn new(rows: SendableRecordBatchStream, ended: WaitForCancellationFutureOwned) -> Self {
        Self { rows: Some(rows), ended: Box::pin(ended) }
    }
}

impl Stream for Guarded {
    type Item = EngineResult<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(mut rows) = self.rows.take() else { return Poll::Ready(None) };
        if self.ended.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Some(Err(Error::new(Class::Cancelled, "the task was ended").into())));
        }
        let polled = catch_unwind(AssertUnwindSafe(|| rows.poll_next_unpin(cx))).unwrap_or_else(|panic| {
            let text = format!("panic in an operator: {}", panic_text(panic.as_ref()));
            Poll::Ready(Some(Err(Error::new(Class::Panic, text).into())))
        });
        if matches!(polled, Poll::Pending | Poll::Ready(Some(Ok(_)))) {
            self.rows = Some(rows);
        }
        polled
    }
}
