//! The service that executors ask each other for tasks by, as tonic calls it.

use std::sync::Arc;

use flowetl_proto::control::AttemptId;
use flowetl_proto::trust::Subject;
use flowetl_proto::wire::v1;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::host::Host;
use super::hosting::host_task;
use crate::gate::{self, Gate, NO_TERM};
use crate::node::Surroundings;

/// Counters of a task that wait to be sent: newer ones say all that older ones do, and come once a second.
const COUNTS_WAITING_MAX: usize = 2;

type Reply<T> = Result<Response<T>, Status>;

/// The tasks of a node.
pub(crate) struct TaskService {
    host: Arc<Host>,
    surroundings: Arc<Surroundings>,
    gate: Gate,
}

impl TaskService {
    pub(crate) fn new(host: Arc<Host>, surroundings: Arc<Surroundings>, gate: Gate) -> Self {
        Self { host, surroundings, gate }
    }
}

#[tonic::async_trait]
impl v1::tasks_server::Tasks for TaskService {
    type HostStream = ReceiverStream<Result<v1::Hosted, Status>>;

    async fn greet(&self, request: Request<v1::GreetRequest>) -> Reply<v1::Greeting> {
        self.gate.permits(&request, &Subject::Executor, NO_TERM)?;
        Ok(Response::new(v1::Greeting { id: self.host.id.to_string() }))
    }

    async fn host(&self, request: Request<Streaming<v1::Hosting>>) -> Reply<Self::HostStream> {
        let (counts, hosted) = mpsc::channel(COUNTS_WAITING_MAX);
        let (host, surroundings) = (Arc::clone(&self.host), Arc::clone(&self.surroundings));
        let (gate, pass) = (self.gate.clone(), gate::shown(&request).cloned());
        let permits = move |attempt: &AttemptId| gate.allows(pass.as_ref(), &Subject::from(attempt), NO_TERM);
        tokio::spawn(host_task(host, surroundings, permits, request.into_inner(), counts));
        Ok(Response::new(ReceiverStream::new(hosted)))
    }
}
