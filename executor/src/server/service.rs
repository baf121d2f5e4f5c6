//! The service as tonic calls it: messages into calls of the node, and back.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use flowetl_proto::VERSION;
use flowetl_proto::code::{Class, Failure};
use flowetl_proto::control::{AttemptSpec, Executor};
use flowetl_proto::id::{BlockId, ExecutorId, RunId, Token};
use flowetl_proto::log::Query;
use flowetl_proto::look::{Inspector, RowsForm};
use flowetl_proto::quarantine;
use flowetl_proto::tables::Table;
use flowetl_proto::trust::Subject;
use flowetl_proto::wire::v1::reported::What;
use flowetl_proto::wire::{TERM_HEADER, v1};
use futures::FutureExt;
use futures::stream::{self, Stream, StreamExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};

use super::desk::{Desk, Next};
use crate::Node;
use crate::gate::Gate;
use crate::inspect::Here;

/// Pages of tables that are told and not sent yet: the system is asked for more while one travels.
const PAGES_WAITING_MAX: usize = 2;

type Reply<T> = Result<Response<T>, Status>;

pub(super) struct Service {
    id: ExecutorId,
    node: Node,
    inspector: Here,
    desk: Arc<Desk>,
    /// Cancelled when this executor is to finish what it has and end.
    drain: CancellationToken,
    gate: Gate,
}

impl Service {
    pub(super) fn new(
        id: ExecutorId,
        node: Node,
        inspector: Here,
        desk: Arc<Desk>,
        drain: CancellationToken,
        gate: Gate,
    ) -> Self {
        Self { id, node, inspector, desk, drain, gate }
    }
}

#[tonic::async_trait]
impl v1::executor_server::Executor for Service {
    type ReportStream = Pin<Box<dyn Stream<Item = Result<v1::Reported, Status>> + Send>>;
    type DiscoverStream = Pin<Box<dyn Stream<Item = Result<v1::Found, Status>> + Send>>;

    async fn describe(&self, request: Request<v1::DescribeRequest>) -> Reply<v1::Description> {
        self.admit(&request, &Subject::Executor)?;
        let catalogue_json = written(&crate::catalogue())?;
        Ok(Response::new(v1::Description { id: self.id.to_string(), version: VERSION.to_owned(), catalogue_json }))
    }

    async fn start(&self, request: Request<v1::StartRequest>) -> Reply<v1::Answer> {
        let attempt: AttemptSpec = read(&request.get_ref().attempt_json)?;
        self.admit(&request, &Subject::from(&attempt.id))?;
        let token = attempt.id.token;
        let Some(unknown) = self.desk.starts(&attempt) else {
            return Ok(Response::new(v1::Answer { failure_json: String::new(), closed: true }));
        };
        let begun = self.node.begin(attempt).await;
        if unknown && !matches!(begun, Ok(true)) {
            // Refused, or repeated after its end.
            self.desk.change(|outbox| outbox.let_go(token));
        }
        answer(begun.map(|_| ()))
    }

    async fn commit(&self, request: Request<v1::CommitRequest>) -> Reply<v1::Answer> {
        let attempt: AttemptSpec = read(&request.get_ref().attempt_json)?;
        self.admit(&request, &Subject::from(&attempt.id))?;
        let prepared = read(&request.get_ref().prepared_json)?;
        let token = attempt.id.token;
        self.desk.change(|outbox| outbox.asked(&attempt));
        let accepted = self.node.commit(attempt, prepared).await;
        self.answer_asked(token, accepted)
    }

    async fn discard(&self, request: Request<v1::DiscardRequest>) -> Reply<v1::Answer> {
        let attempt: AttemptSpec = read(&request.get_ref().attempt_json)?;
        self.admit(&request, &Subject::from(&attempt.id))?;
        let token = attempt.id.token;
        self.desk.change(|outbox| outbox.asked(&attempt));
        let accepted = self.node.discard(attempt).await;
        self.answer_asked(token, accepted)
    }

    async fn forget(&self, request: Request<v1::ForgetRequest>) -> Reply<v1::Answer> {
        let run = RunId::new(&request.get_ref().run_id);
        self.admit(&request, &Subject::Run(run.clone()))?;
        answer(self.node.forget(run).await)
    }

    async fn boundaries(&self, request: Request<v1::BoundariesRequest>) -> Reply<v1::Found> {
        self.admit(&request, &Subject::Executor)?;
        found_json(self.node.boundaries().await)
    }

    async fn sweep(&self, request: Request<v1::SweepRequest>) -> Reply<v1::Answer> {
        self.admit(&request, &Subject::Executor)?;
        answer(self.node.sweep(read(&request.get_ref().folders_json)?).await)
    }

    async fn read_log(&self, request: Request<v1::ReadLogRequest>) -> Reply<v1::Found> {
        let run = RunId::new(&request.get_ref().run_id);
        self.admit(&request, &Subject::Run(run.clone()))?;
        let query = Query { run, ..read(&request.get_ref().query_json)? };
        found_json(self.node.log(query).await)
    }

    async fn read_quarantine(&self, request: Request<v1::ReadQuarantineRequest>) -> Reply<v1::Found> {
        let run = RunId::new(&request.get_ref().run_id);
        self.admit(&request, &Subject::Run(run.clone()))?;
        let query = quarantine::Query { run, ..read(&request.get_ref().query_json)? };
        found_json(self.node.quarantined(query).await)
    }

    async fn sweep_logs(&self, request: Request<v1::SweepLogsRequest>) -> Reply<v1::Found> {
        self.admit(&request, &Subject::Executor)?;
        found_json(self.node.sweep_logs(RunId::new(&request.get_ref().before_run_id)).await)
    }

    async fn retain(&self, request: Request<v1::RetainRequest>) -> Reply<v1::Answer> {
        self.admit(&request, &Subject::Executor)?;
        let asked = request.get_ref();
        let runs = asked.run_ids.iter().map(RunId::new).collect();
        answer(self.node.retain(runs, Token(asked.until)).await)
    }

    async fn help(&self, request: Request<v1::HelpRequest>) -> Reply<v1::Answer> {
        let attempt: AttemptSpec = read(&request.get_ref().attempt_json)?;
        self.admit(&request, &Subject::from(&attempt.id))?;
        let named = self.node.help(attempt.clone()).await;
        if named.is_ok() {
            self.desk.change(|outbox| outbox.helped(&attempt));
        }
        answer(named)
    }

    async fn cancel(&self, request: Request<v1::CancelRequest>) -> Reply<v1::Answer> {
        let asked = request.get_ref();
        let (run, token) = (RunId::new(&asked.run_id), Token(asked.token));
        let limit = Duration::from_millis(asked.limit_ms.into());
        self.admit(&request, &Subject::End { run: run.clone(), token })?;
        answer(self.node.cancel(run, token, limit).await)
    }

    async fn plan_segments(&self, request: Request<v1::PlanSegmentsRequest>) -> Reply<v1::Found> {
        self.admit(&request, &Subject::Executor)?;
        let asked = request.get_ref();
        let pipeline = read(&asked.pipeline_json)?;
        let segments: Vec<_> = read(&asked.segments_json)?;
        let remembered = read(&asked.remembered_json)?;
        let secrets = read(&asked.secrets_json)?;
        found_json(self.inspector.plan(&pipeline, &segments, &remembered, &secrets).await)
    }

    async fn preview_rows(&self, request: Request<v1::PreviewRowsRequest>) -> Reply<v1::Found> {
        self.admit(&request, &Subject::Executor)?;
        let asked = request.get_ref();
        let pipeline = read(&asked.pipeline_json)?;
        let secrets = read(&asked.secrets_json)?;
        let (block, count) = (BlockId::new(&asked.block), asked.rows as usize);
        let form = if asked.as_text { RowsForm::Text } else { RowsForm::Arrow };
        found(self.inspector.preview(&pipeline, &block, (count, form), &secrets).await)
    }

    async fn test_connection(&self, request: Request<v1::TestConnectionRequest>) -> Reply<v1::Found> {
        self.admit(&request, &Subject::Executor)?;
        let asked = request.get_ref();
        let (connection, secrets) = (read(&asked.connection_json)?, read(&asked.secrets_json)?);
        found_json(self.inspector.test(&asked.name, &connection, &secrets).await)
    }

    async fn discover(&self, request: Request<v1::DiscoverRequest>) -> Reply<Self::DiscoverStream> {
        self.admit(&request, &Subject::Executor)?;
        let asked = request.into_inner();
        let (connection, secrets) = (read(&asked.connection_json)?, read(&asked.secrets_json)?);
        let (pages, told) = mpsc::channel(PAGES_WAITING_MAX);
        let inspector = self.inspector.clone();
        // Dropped with the stream, which ends the looking.
        let looking = async move { inspector.discover(&asked.name, &connection, &secrets, pages).await };
        let end = looking.into_stream().filter_map(|ended| async { ended.err().map(Err) });
        let pages = ReceiverStream::new(told).map(Ok);
        let all = stream::select(pages, end.map(|failure: Result<Vec<Table>, Failure>| failure));
        Ok(Response::new(all.map(|page| found_json(page).map(Response::into_inner)).boxed()))
    }

    async fn sample_rows(&self, request: Request<v1::SampleRowsRequest>) -> Reply<v1::Found> {
        self.admit(&request, &Subject::Executor)?;
        let asked = request.get_ref();
        let (connection, secrets) = (read(&asked.connection_json)?, read(&asked.secrets_json)?);
        let from = read(&asked.from_json)?;
        found_json(self.inspector.sample(&connection, &from, asked.rows as usize, &secrets).await)
    }

    async fn list_files(&self, request: Request<v1::ListFilesRequest>) -> Reply<v1::Found> {
        self.admit(&request, &Subject::Executor)?;
        let asked = request.get_ref();
        let (connection, secrets) = (read(&asked.connection_json)?, read(&asked.secrets_json)?);
        let place = read(&asked.place_json)?;
        found_json(self.inspector.files(&connection, &place, &secrets).await)
    }

    async fn drain(&self, request: Request<v1::DrainRequest>) -> Reply<v1::Answer> {
        self.admit(&request, &Subject::Executor)?;
        self.drain.cancel();
        answer(Ok(()))
    }

    async fn report(&self, request: Request<Streaming<v1::Heard>>) -> Reply<Self::ReportStream> {
        self.admit(&request, &Subject::Executor)?;
        let (number, held) = self.desk.open_stream();
        tokio::spawn(hear(Arc::clone(&self.desk), number, request.into_inner()));
        let first = stream::once(async move { told_first(&held) });
        let events = stream::unfold((Arc::clone(&self.desk), Some(0)), move |(desk, sent)| async move {
            match desk.next(number, sent?).await {
                Next::Send(event_number, event) => {
                    let happened = written(&event).map(|event_json| v1::Happened { number: event_number, event_json });
                    let reported = happened.map(|h| v1::Reported { what: Some(What::Happened(h)) });
                    Some((reported, (desk, Some(event_number))))
                }
                Next::Replaced => {
                    Some((Err(Status::aborted("another stream took its place, or the executor ends")), (desk, None)))
                }
            }
        });
        Ok(Response::new(first.chain(events).boxed()))
    }
}

impl Service {
    /// Refuses who has no pass for `subject`, and a coordinator that leads no more. One that names no term is as old as can
    /// be.
    fn admit<T>(&self, request: &Request<T>, subject: &Subject) -> Result<(), Status> {
        let term = request.metadata().get(TERM_HEADER).map_or(Some(0), |term| term.to_str().ok()?.parse().ok());
        let term = term.ok_or_else(|| Status::invalid_argument(format!("`{TERM_HEADER}` is no number")))?;
        // Before the term is believed.
        self.gate.permits(request, subject, term)?;
        let refused = || Status::failed_precondition(format!("a newer coordinator leads than that of term {term}"));
        self.desk.admits(term).then_some(()).ok_or_else(refused)
    }

    fn answer_asked(&self, token: Token, accepted: Result<(), Failure>) -> Reply<v1::Answer> {
        if accepted.is_err() {
            self.desk.change(|outbox| outbox.let_go(token));
        }
        answer(accepted)
    }
}

/// Takes what the coordinator acknowledges until the stream ends or another takes its place.
async fn hear(desk: Arc<Desk>, number: u64, mut heard: Streaming<v1::Heard>) {
    loop {
        tokio::select! {
            message = heard.message() => match message {
                Ok(Some(message)) => desk.heard(number, message.number),
                Ok(None) | Err(_) => break,
            },
            () = desk.replaced(number) => break,
        }
    }
    desk.stream_ended(number);
}

fn told_first(held: &[(AttemptSpec, bool)]) -> Result<v1::Reported, Status> {
    let mut attempts = Vec::new();
    for (spec, prepared) in held {
        attempts.push(v1::HeldAttempt { attempt_json: written(spec)?, prepared: *prepared });
    }
    Ok(v1::Reported { what: Some(What::Held(v1::Held { attempts })) })
}

fn answer(accepted: Result<(), Failure>) -> Reply<v1::Answer> {
    let failure_json = match accepted {
        Ok(()) => String::new(),
        Err(failure) => written(&failure)?,
    };
    Ok(Response::new(v1::Answer { failure_json, closed: false }))
}

fn found(found: Result<Vec<u8>, Failure>) -> Reply<v1::Found> {
    Ok(Response::new(match found {
        Ok(found) => v1::Found { failure_json: String::new(), found },
        Err(failure) => v1::Found { failure_json: written(&failure)?, found: Vec::new() },
    }))
}

fn found_json(value: Result<impl Serialize, Failure>) -> Reply<v1::Found> {
    found(value.and_then(|value| serde_json::to_vec(&value).map_err(|e| Failure::new(Class::Internal, e.to_string()))))
}

fn read<T: DeserializeOwned>(json: &str) -> Result<T, Status> {
    serde_json::from_str(json).map_err(|e| Status::invalid_argument(format!("cannot read the request: {e}")))
}

fn written(value: &impl Serialize) -> Result<String, Status> {
    serde_json::to_string(value).map_err(|e| Status::internal(format!("cannot write the answer: {e}")))
}
