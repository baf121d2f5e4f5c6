//! Rows of the tasks here for whoever holds a ticket: Arrow Flight's `DoGet`, and nothing else of it.

use std::sync::Arc;

use arrow_flight::flight_service_server::FlightService;
use arrow_flight::{
    Action, ActionType, Criteria, Empty, FlightData, FlightDescriptor, FlightInfo, HandshakeRequest, HandshakeResponse,
    PollInfo, PutResult, SchemaResult, Ticket,
};
use datafusion_distributed::{MaybeEncoded, ProducerHead};
use flowetl_proto::control::AttemptId;
use flowetl_proto::trust::Subject;
use flowetl_proto::wire::v1;
use futures::StreamExt;
use futures::stream::BoxStream;
use prost::Message;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::host::Host;
use super::hosting::key;
use super::{MESSAGES_READY_MAX, failure, outgoing};
use crate::Result;
use crate::gate::{self, Gate, NO_TERM};

/// The service; rows are made on `data`.
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

type Reply<T> = Result<Response<T>, Status>;

fn unknown<T>() -> Reply<T> {
    Err(Status::unimplemented("rows are read with a ticket"))
}

#[tonic::async_trait]
impl FlightService for RowService {
    type HandshakeStream = BoxStream<'static, Result<HandshakeResponse, Status>>;
    type ListFlightsStream = BoxStream<'static, Result<FlightInfo, Status>>;
    type DoGetStream = BoxStream<'static, Result<FlightData, Status>>;
    type DoPutStream = BoxStream<'static, Result<PutResult, Status>>;
    type DoExchangeStream = BoxStream<'static, Result<FlightData, Status>>;
    type DoActionStream = BoxStream<'static, Result<arrow_flight::Result, Status>>;
    type ListActionsStream = BoxStream<'static, Result<ActionType, Status>>;

    async fn do_get(&self, request: Request<Ticket>) -> Reply<Self::DoGetStream> {
        let (gate, pass) = (self.gate.clone(), gate::shown(&request).cloned());
        let permits = move |attempt: &AttemptId| gate.allows(pass.as_ref(), &Subject::from(attempt), NO_TERM);
        let ticket = v1::Ticket::decode(request.into_inner().ticket);
        let ticket = ticket.map_err(|_| Status::invalid_argument("this is no ticket"))?;
        let (messages, ready) = mpsc::channel(MESSAGES_READY_MAX);
        self.data.spawn(give(Arc::clone(&self.host), ticket, permits, messages));
        Ok(Response::new(ReceiverStream::new(ready).boxed()))
    }

    async fn handshake(&self, _: Request<Streaming<HandshakeRequest>>) -> Reply<Self::HandshakeStream> {
        unknown()
    }

    async fn list_flights(&self, _: Request<Criteria>) -> Reply<Self::ListFlightsStream> {
        unknown()
    }

    async fn get_flight_info(&self, _: Request<FlightDescriptor>) -> Reply<FlightInfo> {
        unknown()
    }

    async fn poll_flight_info(&self, _: Request<FlightDescriptor>) -> Reply<PollInfo> {
        unknown()
    }

    async fn get_schema(&self, _: Request<FlightDescriptor>) -> Reply<SchemaResult> {
        unknown()
    }

    async fn do_put(&self, _: Request<Streaming<FlightData>>) -> Reply<Self::DoPutStream> {
        unknown()
    }

    async fn do_exchange(&self, _: Request<Streaming<FlightData>>) -> Reply<Self::DoExchangeStream> {
        unknown()
    }

    async fn do_action(&self, _: Request<Action>) -> Reply<Self::DoActionStream> {
        unknown()
    }

    async fn list_actions(&self, _: Request<Empty>) -> Reply<Self::ListActionsStream> {
        unknown()
    }
}
