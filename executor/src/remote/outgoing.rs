//! One partition's rows as messages of Arrow Flight: cut to size, and counted in the last one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, SchemaRef};
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

use super::PIECE_BYTES;
use crate::{Error, Result};

/// Sends the rows until their end, or until nobody listens.
pub(super) async fn send(
    schema: SchemaRef,
    rows: impl Stream<Item = EngineResult<RecordBatch>> + Send + 'static,
    messages: &mpsc::Sender<Result<FlightData, Status>>,
) -> Result<()> {
    let count = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&count);
    let pieces = rows.map(move |batch| {
        let batch = batch?;
        counter.fetch_add(batch.num_rows() as u64, Ordering::Relaxed);
        Ok::<_, DataFusionError>(stream::iter(cut(batch)?.into_iter().map(Ok)))
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

/// The same rows in batches that fit a message, as far as single rows do.
fn cut(batch: RecordBatch) -> EngineResult<Vec<RecordBatch>> {
    let batch = compact(&batch)?;
    let rows = batch.num_rows();
    if rows <= 1 || size(&batch)? <= PIECE_BYTES {
        return Ok(vec![batch]);
    }
    let half = rows / 2;
    let mut pieces = cut(batch.slice(0, half))?;
    pieces.extend(cut(batch.slice(half, rows - half))?);
    Ok(pieces)
}

/// About the bytes that the batch has once it is written.
fn size(batch: &RecordBatch) -> Result<usize, ArrowError> {
    let sizes = batch.columns().iter().map(|column| match column.data_type() {
        DataType::Utf8View | DataType::BinaryView => Ok(column.get_buffer_memory_size()),
        _ => column.to_data().get_slice_memory_size(),
    });
    sizes.sum()
}

/// The batch without the bytes that its views do not show: all buffers behind a view are written, however few rows are left.
fn compact(batch: &RecordBatch) -> EngineResult<RecordBatch> {
    let is_view = |column: &ArrayRef| matches!(column.data_type(), DataType::Utf8View | DataType::BinaryView);
    if !batch.columns().iter().any(is_view) {
        return Ok(batch.clone());
    }
    let columns = batch.columns().iter().map(|column| -> ArrayRef {
        match column.data_type() {
            DataType::Utf8View => Arc::new(column.as_string_view().gc()),
            DataType::BinaryView => Arc::new(column.as_binary_view().gc()),
            _ => Arc::clone(column),
        }
    });
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(batch.schema(), columns.collect(), &options)?)
}

#[cfg(test)]
mod tests;
