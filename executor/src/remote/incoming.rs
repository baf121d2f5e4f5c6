//! One partition's rows as they come from another executor, complete or with an error.

use arrow::array::RecordBatch;
use arrow_flight::decode::{DecodedPayload, FlightDataDecoder};
use arrow_flight::error::FlightError;
use arrow_flight::flight_service_client::FlightServiceClient;
use arrow_flight::{FlightData, Ticket};
use datafusion::error::{DataFusionError, Result as EngineResult};
use flowetl_proto::code::Class;
use flowetl_proto::control::AttemptId;
use flowetl_proto::trust::{Subject, about};
use flowetl_proto::wire::{MESSAGE_BYTES_MAX, v1};
use futures::stream::BoxStream;
use futures::{Stream, StreamExt, TryStreamExt, stream};
use prost::Message;
use tokio::time::timeout;
use tonic::Status;

use super::share::Share;
use super::{OPEN_LIMIT, failure};
use crate::gate::Link;
use crate::{Error, Result};

/// Opens the partition now, so that its rows are made and on their way before anyone polls.
pub(super) async fn open(
    url: &str,
    link: Link,
    attempt: &AttemptId,
    ticket: v1::Ticket,
    share: Share,
) -> Result<BoxStream<'static, EngineResult<RecordBatch>>> {
    let mut client = FlightServiceClient::new(link).max_decoding_message_size(MESSAGE_BYTES_MAX);
    let asked = client.do_get(about(Subject::from(attempt), Ticket::new(ticket.encode_to_vec())));
    let messages = match timeout(OPEN_LIMIT, asked).await {
        Ok(answer) => answer.map_err(|status| failure::error(url, &status))?.into_inner(),
        Err(_) => return Err(failure::lost(url, &format!("it did not answer within {} s", OPEN_LIMIT.as_secs()))),
    };
    Ok(rows(url, messages, share))
}

/// The rows in messages of the executor at `url`.
pub(super) fn rows(
    url: &str,
    messages: impl Stream<Item = Result<FlightData, Status>> + Send + 'static,
    share: Share,
) -> BoxStream<'static, EngineResult<RecordBatch>> {
    let decoder = FlightDataDecoder::new(messages.map_err(|status| FlightError::Tonic(Box::new(status))));
    let incoming = Incoming { url: url.to_owned(), decoder, share, seen: 0, told: None };
    stream::try_unfold(incoming, |incoming| async move { incoming.next().await.map_err(DataFusionError::from) }).boxed()
}

struct Incoming {
    url: String,
    decoder: FlightDataDecoder,
    share: Share,
    /// Rows that came.
    seen: u64,
    /// Rows that there are, once the last message has come.
    told: Option<u64>,
}

impl Incoming {
    async fn next(mut self) -> Result<Option<(RecordBatch, Self)>> {
        while let Some(message) = self.decoder.next().await {
            let message = message.map_err(|error| self.error(error))?;
            let bytes = message.inner.data_body.len();
            if !message.inner.app_metadata.is_empty() {
                let unreadable = |e| Error::internal(format!("`{}` ended rows in an unknown way", self.url)).because(e);
                self.told = v1::End::decode(message.inner.app_metadata.clone()).map_err(unreadable)?.rows;
            }
            if let DecodedPayload::RecordBatch(batch) = message.payload {
                self.share.fit(bytes)?;
                self.seen += batch.num_rows() as u64;
                return Ok(Some((batch, self)));
            }
        }
        if self.told == Some(self.seen) {
            return Ok(None);
        }
        let told = self.told.map_or_else(|| "and no end".to_owned(), |told| format!("of {told}"));
        let text = format!("{} rows came from the executor at `{}`, {told}", self.seen, self.url);
        Err(Error::new(Class::Truncated, text))
    }

    fn error(&self, error: FlightError) -> Error {
        match error {
            FlightError::Tonic(status) => failure::error(&self.url, &status),
            other => Error::internal(format!("rows of the executor at `{}` cannot be read", self.url)).because(other),
        }
    }
}
