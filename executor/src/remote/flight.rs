//! Rows of the tasks here for whoever holds a ticket: Arrow Flight's `DoGet`, and nothing else of it.
//!
//! Written on HTTP rather than on tonic's own services, which copy every message into a buffer of theirs.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use arrow_flight::{FlightData, Ticket};
use datafusion_distributed::{MaybeEncoded, ProducerHead};
use flowetl_proto::control::AttemptId;
use flowetl_proto::trust::{Pass, Subject};
use flowetl_proto::wire::v1;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, future, stream};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use prost::Message;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::codegen::http::{self, HeaderMap};
use tonic::server::NamedService;
use tonic::{Code, Status};

use super::framing::{Arrived, apart};
use super::host::Host;
use super::hosting::key;
use super::{DO_GET, GRPC, MESSAGES_READY_MAX, OPEN_LIMIT, failure, outgoing};
use crate::Result;
use crate::gate::{Gate, NO_TERM};

/// The service; rows are made on `data`.
#[derive(Clone)]
pub(crate) struct RowService {
    host: Arc<Host>,
    data: Handle,
    gate: Gate,
}

impl RowService {
    pub(crate) fn new(host: Arc<Host>, data: Handle, gate: Gate) -> Self {
        Self { host, data, gate }
    }
}

/// Sends the ticket's rows, or why there are none.
async fn give(
    host: Arc<Host>,
    ticket: v1::Ticket,
    permits: impl Fn(&AttemptId) -> Result<(), Status>,
    messages: mpsc::Sender<Result<FlightData, Status>>,
) {
    let giving = async {
        let task = host.task(&key(ticket.task.as_ref())?).await?;
        if let Err(refused) = permits(&task.attempt) {
            // Whoever asked has gone, or hears it.
            let _ = messages.send(Err(refused)).await;
            return Ok(());
        }
        let head = match ticket.partitioning {
            none if none.is_empty() => ProducerHead::None,
            partitioning => ProducerHead::RepartitionExec { partitioning: MaybeEncoded::Encoded(partitioning) },
        };
        let rows = task.rows(ticket.partition as usize, head)?;
        outgoing::send(task.schema(), rows, &messages, task.share()?).await
    };
    tokio::select! {
        biased;
        // Whoever asked has gone, and what is made for it with it.
        () = messages.closed() => {}
        given = giving => if let Err(error) = given
            && messages.send(Err(failure::status(&error))).await.is_err()
        {
            tracing::debug!(reason = error.message, "nobody waits for rows that cannot be given");
        },
    }
}

impl Service<http::Request<Body>> for RowService {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let service = self.clone();
        async move { Ok(service.answer(request).await.unwrap_or_else(Status::into_http)) }.boxed()
    }
}

impl NamedService for RowService {
    const NAME: &'static str = "arrow.flight.protocol.FlightService";
}

impl RowService {
    async fn answer(&self, request: http::Request<Body>) -> Result<http::Response<Body>, Status> {
        if request.uri().path() != DO_GET {
            return Err(Status::unimplemented("rows are read with a ticket"));
        }
        let (parts, body) = request.into_parts();
        let (gate, pass) = (self.gate.clone(), parts.extensions.get::<Pass>().cloned());
        let permits = move |attempt: &AttemptId| gate.allows(pass.as_ref(), &Subject::from(attempt), NO_TERM);
        let ticket = timeout(OPEN_LIMIT, ticket(body)).await;
        let ticket = ticket.map_err(|_| Status::deadline_exceeded("the ticket did not come"))??;
        let (messages, ready) = mpsc::channel(MESSAGES_READY_MAX);
        self.data.spawn(give(Arc::clone(&self.host), ticket, permits, messages));
        let mut response = http::Response::new(answer(ready));
        response.headers_mut().insert(http::header::CONTENT_TYPE, GRPC);
        Ok(response)
    }
}

/// What a call asks for.
async fn ticket(mut body: Body) -> Result<v1::Ticket, Status> {
    let mut arrived = Arrived::default();
    loop {
        if let Some(ticket) = arrived.message::<Ticket>()? {
            return v1::Ticket::decode(ticket.ticket).map_err(|_| Status::invalid_argument("this is no ticket"));
        }
        let frame = body.frame().await.ok_or_else(|| Status::invalid_argument("a call has no ticket"))??;
        if let Ok(piece) = frame.into_data() {
            arrived.push(piece);
        }
    }
}

/// The messages, and after them how it ended.
fn answer(messages: mpsc::Receiver<Result<FlightData, Status>>) -> Body {
    let end = stream::once(future::ready(Err(Status::new(Code::Ok, ""))));
    let mut has_ended = false;
    let told = ReceiverStream::new(messages).chain(end).take_while(move |message| {
        let goes_on = !has_ended;
        has_ended = message.is_err();
        future::ready(goes_on)
    });
    let frames = told.flat_map(|message| {
        let frames = match message {
            Ok(message) => {
                apart(message).into_iter().filter(|part| !part.is_empty()).map(|part| Ok(Frame::data(part))).collect()
            }
            Err(status) => vec![trailers(&status).map(Frame::trailers)],
        };
        stream::iter(frames)
    });
    Body::new(StreamBody::new(frames))
}

fn trailers(status: &Status) -> Result<HeaderMap, Status> {
    let mut trailers = HeaderMap::new();
    status.add_header(&mut trailers)?;
    Ok(trailers)
}
