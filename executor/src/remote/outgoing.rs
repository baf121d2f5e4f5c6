//! One partition's rows as messages of Arrow Flight: cut to size, and counted in the last one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions};
use arrow::buffer::Buffer;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow_flight::FlightData;
use arrow_flight::encode::{DictionaryHandling, FlightDataEncoderBuilder};
use arrow_flight::error::FlightError;
use datafusion::error::{DataFusionError, Result as EngineResult};
use flowetl_proto::wire::v1;
use futures::{Stream, StreamExt, TryStreamExt, stream};
use prost::Message;
use tokio::sync::mpsc;
use tonic::Status;

use super::share::Share;
use crate::{Error, Result};

/// Texts of so many bytes lie in the views themselves, by Arrow's format.
const INLINE_BYTES_MAX: u32 = 12;

/// Sends the rows until their end, or until nobody listens.
pub(super) async fn send(
    schema: SchemaRef,
    rows: impl Stream<Item = EngineResult<RecordBatch>> + Send + 'static,
    messages: &mpsc::Sender<Result<FlightData, Status>>,
    mut share: Share,
) -> Result<()> {
    let count = Arc::new(AtomicU64::new(0));
    let (counter, piece_bytes) = (Arc::clone(&count), share.piece_bytes());
    let pieces = rows.map(move |batch| {
        let batch = batch?;
        counter.fetch_add(batch.num_rows() as u64, Ordering::Relaxed);
        let mut pieces = Vec::new();
        cut(&batch, piece_bytes, &mut pieces)?;
        // Each is made dense when its turn comes, and is then still in the processor's cache when it is written.
        Ok::<_, DataFusionError>(stream::iter(pieces).map(|piece| compact(&piece)))
    });
    let pieces = pieces.try_flatten().map_err(|e: DataFusionError| FlightError::ExternalError(Box::new(e)));
    let mut encoded = FlightDataEncoderBuilder::new()
        .with_schema(schema)
        .with_max_flight_data_size(usize::MAX)
        .with_dictionary_handling(DictionaryHandling::Resend)
        .build(pieces);
    // One message is kept back, for the last one says that it is the last.
    let mut last: Option<FlightData> = None;
    while let Some(message) = encoded.try_next().await.map_err(engine_error)? {
        share.fit(message.data_body.len())?;
        if let Some(message) = last.replace(message)
            && messages.send(Ok(message)).await.is_err()
        {
            return Ok(());
        }
    }
    if let Some(mut message) = last {
        let end = v1::End { rows: Some(count.load(Ordering::Relaxed)) };
        message.app_metadata = end.encode_to_vec().into();
        if messages.send(Ok(message)).await.is_err() {
            tracing::debug!("the last rows of a task were not wanted");
        }
    }
    Ok(())
}

/// Our own error out of what the encoder makes of it.
fn engine_error(error: FlightError) -> Error {
    match error {
        FlightError::ExternalError(inner) => Error::from(DataFusionError::External(inner)),
        other => Error::internal("rows cannot be sent").because(other),
    }
}

/// Puts the same rows into `pieces` that fit a message, as far as single rows do.
fn cut(batch: &RecordBatch, piece_bytes: usize, pieces: &mut Vec<RecordBatch>) -> EngineResult<()> {
    let (rows, bytes) = (batch.num_rows(), size(batch)?);
    if rows <= 1 || bytes <= piece_bytes {
        pieces.push(batch.clone());
        return Ok(());
    }
    // Rows are not of one size: a part that is still too large is cut again.
    let part_rows = rows.div_ceil(bytes.div_ceil(piece_bytes).min(rows));
    for first in (0..rows).step_by(part_rows) {
        cut(&batch.slice(first, part_rows.min(rows - first)), piece_bytes, pieces)?;
    }
    Ok(())
}

/// About the bytes that the batch has once it is written.
fn size(batch: &RecordBatch) -> Result<usize, ArrowError> {
    let sizes = batch.columns().iter().map(|column| match Views::of(column) {
        Some(views) => Ok(size_of_val(views.views) + views.shown()),
        None => column.to_data().get_slice_memory_size(),
    });
    sizes.sum()
}

/// The batch without the bytes that its views do not show: all buffers behind a view are written, however few rows are left.
fn compact(batch: &RecordBatch) -> EngineResult<RecordBatch> {
    let columns = batch.columns().iter().map(|column| -> ArrayRef {
        match Views::of(column) {
            Some(views) if views.shown() < views.held() => match column.as_string_view_opt() {
                Some(text) => Arc::new(text.gc()),
                None => Arc::new(column.as_binary_view().gc()),
            },
            _ => Arc::clone(column),
        }
    });
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(batch.schema(), columns.collect(), &options)?)
}

/// A column of views: where each text or bytes is, and what they are in.
struct Views<'a> {
    views: &'a [u128],
    buffers: &'a [Buffer],
}

impl<'a> Views<'a> {
    fn of(column: &'a ArrayRef) -> Option<Self> {
        if let Some(text) = column.as_string_view_opt() {
            return Some(Self { views: text.views(), buffers: text.data_buffers() });
        }
        column.as_binary_view_opt().map(|bytes| Self { views: bytes.views(), buffers: bytes.data_buffers() })
    }

    /// Bytes of the buffers.
    fn held(&self) -> usize {
        self.buffers.iter().map(Buffer::len).sum()
    }

    /// Bytes of them that are seen: what is short lies in the view itself.
    fn shown(&self) -> usize {
        // A view begins with its length.
        let lengths = self.views.iter().map(|view| *view as u32);
        lengths.filter(|length| *length > INLINE_BYTES_MAX).map(|length| length as usize).sum()
    }
}

#[cfg(test)]
mod tests;
