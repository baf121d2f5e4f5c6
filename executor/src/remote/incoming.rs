//! One partition's rows as they come from another executor, complete or with an error.

use std::future::poll_fn;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow_flight::decode::{DecodedPayload, FlightDataDecoder};
use arrow_flight::error::FlightError;
use arrow_flight::{FlightData, Ticket};
use datafusion::error::{DataFusionError, Result as EngineResult};
use flowetl_proto::code::Class;
use flowetl_proto::control::AttemptId;
use flowetl_proto::trust::Subject;
use flowetl_proto::wire::v1;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt, stream};
use http_body_util::{BodyExt, Full};
use prost::Message;
use tokio::time::timeout;
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::codegen::http::{self, HeaderValue};
use tonic::{Code, Status};

use super::framing::{Arrived, framed};
use super::share::Share;
use super::texts::Texts;
use super::{DO_GET, GRPC, OPEN_LIMIT, failure};
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
    let answered = match timeout(OPEN_LIMIT, ask(link, attempt, ticket)).await {
        Ok(answer) => answer.map_err(|status| failure::error(url, &status))?,
        Err(_) => return Err(failure::lost(url, &format!("it did not answer within {} s", OPEN_LIMIT.as_secs()))),
    };
    Ok(rows(url, messages(answered), share))
}

/// Calls for the rows of a ticket.
async fn ask(mut link: Link, attempt: &AttemptId, ticket: v1::Ticket) -> Result<Body, Status> {
    let message = Ticket::new(ticket.encode_to_vec()).encode_to_vec();
    let mut request = http::Request::new(Body::new(Full::new(framed(&message, 0))));
    *request.method_mut() = http::Method::POST;
    *request.version_mut() = http::Version::HTTP_2;
    *request.uri_mut() = http::Uri::from_static(DO_GET);
    request.headers_mut().insert(http::header::CONTENT_TYPE, GRPC);
    request.headers_mut().insert(http::header::TE, HeaderValue::from_static("trailers"));
    request.extensions_mut().insert(Subject::from(attempt));
    let unanswered = |e| Status::from_error(Box::new(e));
    poll_fn(|cx| link.poll_ready(cx)).await.map_err(unanswered)?;
    let answer = link.call(request).await.map_err(unanswered)?;
    match Status::from_header_map(answer.headers()) {
        Some(status) => Err(status),
        None if answer.status() != http::StatusCode::OK => {
            Err(Status::unavailable(format!("it answered with {}", answer.status())))
        }
        None => Ok(Body::new(answer.into_body())),
    }
}

/// The messages of an answer, up to an error or to the word that they are all.
fn messages(answer: Body) -> impl Stream<Item = Result<FlightData, Status>> + Send {
    stream::try_unfold((answer, Arrived::default()), |(mut answer, mut arrived)| async move {
        loop {
            if let Some(message) = arrived.message()? {
                return Ok(Some((message, (answer, arrived))));
            }
            let frame = answer.frame().await.ok_or_else(|| Status::unavailable("its answer broke off"))??;
            match frame.into_data() {
                Ok(piece) => arrived.push(piece),
                Err(frame) => {
                    let status = frame.trailers_ref().and_then(Status::from_header_map);
                    return match status.map(|status| (status.code(), status)) {
                        Some((Code::Ok, _)) if arrived.is_empty() => Ok(None),
                        Some((Code::Ok, _)) | None => Err(Status::unavailable("its answer broke off")),
                        Some((_, status)) => Err(status),
                    };
                }
            }
        }
    })
}

/// The rows in messages of the executor at `url`.
pub(super) fn rows(
    url: &str,
    messages: impl Stream<Item = Result<FlightData, Status>> + Send + 'static,
    share: Share,
) -> BoxStream<'static, EngineResult<RecordBatch>> {
    let texts = Arc::new(Texts::default());
    let read = Arc::clone(&texts);
    let messages = messages.map(move |message| match message {
        Ok(message) => Ok(read.as_bytes(message)?),
        Err(status) => Err(FlightError::Tonic(Box::new(status))),
    });
    let decoder = FlightDataDecoder::new(messages);
    let incoming = Incoming { url: url.to_owned(), decoder, texts, share, seen: 0, told: None };
    stream::try_unfold(incoming, |incoming| async move { incoming.next().await.map_err(DataFusionError::from) }).boxed()
}

struct Incoming {
    url: String,
    decoder: FlightDataDecoder,
    texts: Arc<Texts>,
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
                let batch = self.texts.as_texts(batch).map_err(|error| self.error(error.into()))?;
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
