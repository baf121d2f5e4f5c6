//! An executor made for tests as others call it: what it does is [`FakeExecutor`]'s, who may ask is looked at.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use flowetl_proto::trust::{ClusterKey, Subject};
use flowetl_proto::wire::v1;
use flowetl_proto::wire::v1::reported::What;
use futures::stream::{self, Stream, StreamExt};
use tonic::{Request, Response, Status, Streaming};

use super::super::*;
use crate::clock;
use crate::tests::world::FakeExecutor;

#[derive(Clone)]
pub(super) struct Service {
    pub(super) id: String,
    pub(super) executor: Arc<FakeExecutor>,
    /// Every event so far.
    pub(super) events: watch::Receiver<Vec<String>>,
    /// Set to end the streams that are open.
    pub(super) cut: watch::Sender<u64>,
    /// Takes no more attempts.
    pub(super) closed: Arc<AtomicBool>,
    /// What it says it has, as it was started.
    pub(super) held: Arc<Mutex<Vec<String>>>,
    /// Opens the pass that each call must have.
    pub(super) key: Option<ClusterKey>,
    pub(super) calls: Arc<AtomicUsize>,
}

impl Service {
    /// Fails the test unless the call has a pass for what it asks.
    pub(super) fn takes<T>(&self, request: &Request<T>, subject: &Subject) {
        self.calls.fetch_add(1, Ordering::SeqCst);
        if let Some(key) = &self.key {
            let pass = key.shown(request, clock::now()).unwrap();
            assert_eq!((&pass.subject, pass.term), (subject, 1));
        }
    }

    pub(super) fn takes_attempt<T>(&self, request: &Request<T>, attempt_json: &str) {
        self.takes(request, &Subject::from(&read::<AttemptSpec>(attempt_json).id));
    }
}

#[tonic::async_trait]
impl v1::executor_server::Executor for Service {
    type ReportStream = Pin<Box<dyn Stream<Item = std::result::Result<v1::Reported, Status>> + Send>>;
    type DiscoverStream = stream::Empty<Result<v1::Found, Status>>;

    async fn describe(&self, request: Request<v1::DescribeRequest>) -> Reply<v1::Description> {
        self.takes(&request, &Subject::Executor);
        Ok(Response::new(v1::Description {
            id: self.id.clone(),
            version: flowetl_proto::VERSION.into(),
            catalogue_json: serde_json::to_string(&Catalogue { blocks: vec![], connectors: vec![] }).unwrap(),
        }))
    }

    async fn start(&self, request: Request<v1::StartRequest>) -> Reply<v1::Answer> {
        self.takes_attempt(&request, &request.get_ref().attempt_json);
        if self.closed.load(Ordering::SeqCst) {
            return Ok(Response::new(v1::Answer { failure_json: String::new(), closed: true }));
        }
        self.held.lock().unwrap().push(request.get_ref().attempt_json.clone());
        accepted(self.executor.start(read(&request.get_ref().attempt_json)).await)
    }

    async fn commit(&self, request: Request<v1::CommitRequest>) -> Reply<v1::Answer> {
        self.takes_attempt(&request, &request.get_ref().attempt_json);
        let asked = request.into_inner();
        accepted(self.executor.commit(read(&asked.attempt_json), read(&asked.prepared_json)).await)
    }

    async fn discard(&self, request: Request<v1::DiscardRequest>) -> Reply<v1::Answer> {
        self.takes_attempt(&request, &request.get_ref().attempt_json);
        accepted(self.executor.discard(read(&request.get_ref().attempt_json)).await)
    }

    async fn forget(&self, request: Request<v1::ForgetRequest>) -> Reply<v1::Answer> {
        let run = RunId::new(&request.get_ref().run_id);
        self.takes(&request, &Subject::Run(run.clone()));
        accepted(self.executor.forget(run).await)
    }

    async fn boundaries(&self, request: Request<v1::BoundariesRequest>) -> Reply<v1::Found> {
        self.takes(&request, &Subject::Executor);
        found(self.executor.boundaries().await)
    }

    async fn sweep(&self, request: Request<v1::SweepRequest>) -> Reply<v1::Answer> {
        self.takes(&request, &Subject::Executor);
        accepted(self.executor.sweep(read(&request.get_ref().folders_json)).await)
    }

    async fn read_log(&self, request: Request<v1::ReadLogRequest>) -> Reply<v1::Found> {
        self.takes(&request, &Subject::Run(RunId::new(&request.get_ref().run_id)));
        found(self.executor.log(read(&request.get_ref().query_json)).await)
    }

    async fn read_quarantine(&self, request: Request<v1::ReadQuarantineRequest>) -> Reply<v1::Found> {
        self.takes(&request, &Subject::Run(RunId::new(&request.get_ref().run_id)));
        found(self.executor.quarantined(read(&request.get_ref().query_json)).await)
    }

    async fn sweep_logs(&self, request: Request<v1::SweepLogsRequest>) -> Reply<v1::Found> {
        self.takes(&request, &Subject::Executor);
        found(self.executor.sweep_logs(RunId::new(&request.get_ref().before_run_id)).await)
    }

    async fn retain(&self, request: Request<v1::RetainRequest>) -> Reply<v1::Answer> {
        self.takes(&request, &Subject::Executor);
        let asked = request.into_inner();
        accepted(self.executor.retain(asked.run_ids.iter().map(RunId::new).collect(), Token(asked.until)).await)
    }

    async fn help(&self, request: Request<v1::HelpRequest>) -> Reply<v1::Answer> {
        self.takes_attempt(&request, &request.get_ref().attempt_json);
        accepted(Ok(()))
    }

    async fn cancel(&self, request: Request<v1::CancelRequest>) -> Reply<v1::Answer> {
        let (run, token) = (RunId::new(&request.get_ref().run_id), Token(request.get_ref().token));
        self.takes(&request, &Subject::End { run: run.clone(), token });
        accepted(self.executor.cancel(run, token, Duration::ZERO).await)
    }

    async fn plan_segments(&self, _: Request<v1::PlanSegmentsRequest>) -> Reply<v1::Found> {
        Err(Status::unimplemented("nobody looks here"))
    }

    async fn preview_rows(&self, _: Request<v1::PreviewRowsRequest>) -> Reply<v1::Found> {
        Err(Status::unimplemented("nobody looks here"))
    }

    async fn test_connection(&self, _: Request<v1::TestConnectionRequest>) -> Reply<v1::Found> {
        Err(Status::unimplemented("nobody looks here"))
    }

    async fn discover(&self, _: Request<v1::DiscoverRequest>) -> Reply<Self::DiscoverStream> {
        Err(Status::unimplemented("nobody looks here"))
    }

    async fn sample_rows(&self, _: Request<v1::SampleRowsRequest>) -> Reply<v1::Found> {
        Err(Status::unimplemented("nobody looks here"))
    }

    async fn list_files(&self, _: Request<v1::ListFilesRequest>) -> Reply<v1::Found> {
        Err(Status::unimplemented("nobody looks here"))
    }

    async fn drain(&self, _: Request<v1::DrainRequest>) -> Result<Response<v1::Answer>, Status> {
        Err(Status::unimplemented("nothing here asks for it"))
    }

    async fn report(&self, request: Request<Streaming<v1::Heard>>) -> Reply<Self::ReportStream> {
        self.takes(&request, &Subject::Executor);
        let held = self.held.lock().unwrap().clone().into_iter();
        let attempts = held.map(|attempt_json| v1::HeldAttempt { attempt_json, prepared: false }).collect();
        let held = stream::once(async { Ok(v1::Reported { what: Some(What::Held(v1::Held { attempts })) }) });
        // Everything again, on every stream.
        let events = stream::unfold((self.events.clone(), 0), |(mut events, sent)| async move {
            let event_json = events.wait_for(|all| all.len() > sent).await.ok()?[sent].clone();
            let happened = v1::Happened { number: sent as u64 + 1, event_json };
            Some((Ok(v1::Reported { what: Some(What::Happened(happened)) }), (events, sent + 1)))
        });
        let (mut cut, now) = (self.cut.subscribe(), *self.cut.borrow());
        let until_cut = async move { drop(cut.wait_for(|cuts| *cuts > now).await) };
        Ok(Response::new(held.chain(events).take_until(Box::pin(until_cut)).boxed()))
    }
}

type Reply<T> = std::result::Result<Response<T>, Status>;

fn accepted(done: std::result::Result<(), Failure>) -> Reply<v1::Answer> {
    let failure_json = done.err().map(|failure| serde_json::to_string(&failure).unwrap()).unwrap_or_default();
    Ok(Response::new(v1::Answer { failure_json, closed: false }))
}

fn found(done: std::result::Result<impl serde::Serialize, Failure>) -> Reply<v1::Found> {
    Ok(Response::new(v1::Found { failure_json: String::new(), found: serde_json::to_vec(&done.unwrap()).unwrap() }))
}

fn read<T: serde::de::DeserializeOwned>(json: &str) -> T {
    serde_json::from_str(json).unwrap()
}
