//! Speaks to one executor over gRPC.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use flowetl_proto::catalogue::Catalogue;
use flowetl_proto::code::{Class, Failure};
use flowetl_proto::control::{BoundaryFolder, Segment};
use flowetl_proto::id::{BlockId, RunId, Token};
use flowetl_proto::log::{Page, Query};
use flowetl_proto::look::{FILES_LIMIT, FileState, Found, NotFound, RowsForm, SegmentPlan};
use flowetl_proto::pipeline::{ConnectionSpec, Pipeline, Reference, Unsealed};
use flowetl_proto::quarantine;
use flowetl_proto::tables::{SAMPLE_LIMIT, Sample, Table};
use flowetl_proto::trust::{ClusterKey, Subject, Trust, about};
use flowetl_proto::wire::v1::executor_client::ExecutorClient;
use flowetl_proto::wire::{MESSAGE_BYTES_MAX, TERM_HEADER, v1};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::metadata::MetadataValue;
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Response, Status, Streaming};

use crate::clock;
use crate::lead::Tenure;
use crate::place::{Answer, Job};

/// How long an executor that is there may take to take up a connection.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);
/// How long a call may take: each returns once the work is accepted, only forgetting a run waits for storage.
const CALL_LIMIT: Duration = Duration::from_secs(20);
/// How long looking may take: sources and targets are asked, and what a preview shows is computed.
const LOOK_LIMIT: Duration = Duration::from_secs(300);
/// How long a test of a connection may take: the executor gives it 5 s.
const TEST_LIMIT: Duration = Duration::from_secs(8);
/// How long the next tables of a system may take to be told: the executor gives all of them 600 s.
const PAGE_LIMIT: Duration = Duration::from_secs(610);
/// How long rows to look at may take: the executor gives them 10 s, and the connection its own time before.
const ROWS_LIMIT: Duration = Duration::from_secs(SAMPLE_LIMIT.as_secs() + 5);
/// How long the files of a place may take to be listed.
const LIST_LIMIT: Duration = Duration::from_secs(FILES_LIMIT.as_secs() + 5);
/// How long all boundaries may take to be listed, or many of them to be removed; what is left is removed the next time.
const STORAGE_LIMIT: Duration = Duration::from_secs(300);
/// How long an executor may take to say who it is and to open its stream.
const OPEN_LIMIT: Duration = Duration::from_secs(5);
/// How often an open connection is asked whether its other end is still there, and how long that may take: together less
/// than a lease in etcd lasts, so that a dead link is known before the lease is gone.
const KEEPALIVE: Duration = Duration::from_secs(3);
const KEEPALIVE_LIMIT: Duration = Duration::from_secs(5);
/// Acknowledgements waiting to be sent; a newer one says all that an older one does.
const HEARD_WAITING_MAX: usize = 16;

/// One connection. Cheap to clone.
#[derive(Clone)]
pub(super) struct Client {
    executor: ExecutorClient<InterceptedService<Channel, Caller>>,
}

/// Names the coordinator's term in every call, and shows a pass for what the call says it is about.
#[derive(Clone)]
struct Caller {
    tenure: Tenure,
    key: Option<ClusterKey>,
}

impl Interceptor for Caller {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let term = self.tenure.term();
        request.metadata_mut().insert(TERM_HEADER, MetadataValue::from(term));
        if let Some(key) = &self.key {
            key.stamp_own(&mut request, term, clock::now());
        }
        Ok(request)
    }
}

/// An open stream of reports.
pub(super) struct Reports {
    pub(super) heard: mpsc::Sender<v1::Heard>,
    pub(super) reported: Streaming<v1::Reported>,
}

impl Client {
    pub(super) async fn connect(url: &str, trust: &Trust, tenure: Tenure) -> Result<Self, String> {
        let endpoint = trust.endpoint(url).map_err(|e| chain(&e))?;
        let endpoint = endpoint
            .connect_timeout(CONNECT_LIMIT)
            .http2_keep_alive_interval(KEEPALIVE)
            .keep_alive_timeout(KEEPALIVE_LIMIT)
            .keep_alive_while_idle(true);
        let channel = match timeout(OPEN_LIMIT, endpoint.connect()).await {
            Ok(connected) => connected.map_err(|e| format!("`{url}`: {}", chain(&e)))?,
            Err(_) => return Err(late(OPEN_LIMIT)),
        };
        let executor = ExecutorClient::with_interceptor(channel, Caller { tenure, key: trust.key.clone() })
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX);
        Ok(Self { executor })
    }

    /// What it can do, and its own id and version.
    pub(super) async fn describe(&self) -> Result<(v1::Description, Catalogue), String> {
        let mut executor = self.executor.clone();
        let described = in_time(OPEN_LIMIT, executor.describe(v1::DescribeRequest {})).await?;
        let catalogue = read(&described.catalogue_json)?;
        Ok((described, catalogue))
    }

    pub(super) async fn report(&self) -> Result<Reports, String> {
        let mut executor = self.executor.clone();
        let (heard, waiting) = mpsc::channel(HEARD_WAITING_MAX);
        let reported = in_time(OPEN_LIMIT, executor.report(ReceiverStream::new(waiting))).await?;
        Ok(Reports { heard, reported })
    }

    pub(super) async fn perform(&self, job: Job) -> Answer {
        match self.call(job).await {
            Ok(v1::Answer { closed: true, .. }) => Answer::Closed,
            Ok(answer) if answer.failure_json.is_empty() => Answer::Accepted,
            Ok(answer) => match read(&answer.failure_json) {
                Ok(failure) => Answer::Refused(failure),
                Err(reason) => Answer::Unsure(reason),
            },
            Err(reason) => Answer::Unsure(reason),
        }
    }

    async fn call(&self, job: Job) -> Result<v1::Answer, String> {
        let mut executor = self.executor.clone();
        match job {
            Job::Reattach(_) => Ok(v1::Answer::default()),
            Job::Start(spec) => {
                let request = v1::StartRequest { attempt_json: written(&*spec)? };
                in_time(CALL_LIMIT, executor.start(about(Subject::from(&spec.id), request))).await
            }
            Job::Help(spec) => {
                let request = v1::HelpRequest { attempt_json: written(&*spec)? };
                in_time(CALL_LIMIT, executor.help(about(Subject::from(&spec.id), request))).await
            }
            Job::Commit(spec, prepared) => {
                let request = v1::CommitRequest { attempt_json: written(&*spec)?, prepared_json: written(&*prepared)? };
                in_time(CALL_LIMIT, executor.commit(about(Subject::from(&spec.id), request))).await
            }
            Job::Discard(spec) => {
                let request = v1::DiscardRequest { attempt_json: written(&*spec)? };
                in_time(CALL_LIMIT, executor.discard(about(Subject::from(&spec.id), request))).await
            }
            Job::Cancel { run, token, limit } => {
                let limit_ms = u32::try_from(limit.as_millis()).unwrap_or(u32::MAX);
                let request = v1::CancelRequest { run_id: run.to_string(), token: token.0, limit_ms };
                in_time(CALL_LIMIT, executor.cancel(about(Subject::End { run, token }, request))).await
            }
        }
    }

    pub(super) async fn plan(
        &self,
        pipeline: &Pipeline,
        segments: &[Segment],
        remembered: &BTreeMap<BlockId, Value>,
        secrets: &Unsealed,
    ) -> Result<Vec<SegmentPlan>, Failure> {
        let mut executor = self.executor.clone();
        let planned = async {
            let request = v1::PlanSegmentsRequest {
                pipeline_json: written(pipeline)?,
                segments_json: written(&segments)?,
                remembered_json: written(remembered)?,
                secrets_json: written(secrets)?,
            };
            in_time(LOOK_LIMIT, executor.plan_segments(request)).await
        };
        let plans = found(planned.await)?;
        serde_json::from_slice(&plans).map_err(|e| Failure::new(Class::Internal, format!("a plan cannot be read: {e}")))
    }

    pub(super) async fn preview(
        &self,
        pipeline: &Pipeline,
        block: &BlockId,
        (count, form): (usize, RowsForm),
        secrets: &Unsealed,
    ) -> Result<Vec<u8>, Failure> {
        let mut executor = self.executor.clone();
        let rows = u32::try_from(count).unwrap_or(u32::MAX);
        let previewed = async {
            let request = v1::PreviewRowsRequest {
                pipeline_json: written(pipeline)?,
                block: block.to_string(),
                rows,
                secrets_json: written(secrets)?,
                as_text: form == RowsForm::Text,
            };
            in_time(LOOK_LIMIT, executor.preview_rows(request)).await
        };
        found(previewed.await)
    }

    pub(super) async fn test(
        &self,
        name: &str,
        connection: &ConnectionSpec,
        secrets: &Unsealed,
    ) -> Result<Result<Found, NotFound>, Failure> {
        let mut executor = self.executor.clone();
        let tested = async {
            let request = v1::TestConnectionRequest {
                name: name.to_owned(),
                connection_json: written(connection)?,
                secrets_json: written(secrets)?,
            };
            in_time(TEST_LIMIT, executor.test_connection(request)).await
        };
        let told = found(tested.await)?;
        serde_json::from_slice(&told).map_err(|e| Failure::new(Class::Internal, format!("a test cannot be read: {e}")))
    }

    pub(super) async fn discover(
        &self,
        name: &str,
        connection: &ConnectionSpec,
        secrets: &Unsealed,
        pages: mpsc::Sender<Vec<Table>>,
    ) -> Result<(), Failure> {
        let mut executor = self.executor.clone();
        let lost = |reason| Failure::new(Class::LostExecutor, reason);
        let request = v1::DiscoverRequest {
            name: name.to_owned(),
            connection_json: written(connection).map_err(lost)?,
            secrets_json: written(secrets).map_err(lost)?,
        };
        let mut told = in_time(OPEN_LIMIT, executor.discover(request)).await.map_err(lost)?;
        loop {
            let page = match timeout(PAGE_LIMIT, told.message()).await {
                Ok(Ok(Some(page))) => found(Ok(page))?,
                Ok(Ok(None)) => return Ok(()),
                Ok(Err(status)) => return Err(lost(said(&status))),
                Err(_) => return Err(lost(late(PAGE_LIMIT))),
            };
            let page = serde_json::from_slice(&page);
            let page = page.map_err(|e| Failure::new(Class::Internal, format!("tables cannot be read: {e}")))?;
            if pages.send(page).await.is_err() {
                return Ok(());
            }
        }
    }

    pub(super) async fn sample(
        &self,
        connection: &ConnectionSpec,
        from: &Reference,
        count: usize,
        secrets: &Unsealed,
    ) -> Result<Sample, Failure> {
        let mut executor = self.executor.clone();
        let sampled = async {
            let request = v1::SampleRowsRequest {
                connection_json: written(connection)?,
                from_json: written(from)?,
                rows: u32::try_from(count).unwrap_or(u32::MAX),
                secrets_json: written(secrets)?,
            };
            in_time(ROWS_LIMIT, executor.sample_rows(request)).await
        };
        let told = found(sampled.await)?;
        serde_json::from_slice(&told).map_err(|e| Failure::new(Class::Internal, format!("rows cannot be read: {e}")))
    }

    pub(super) async fn files(
        &self,
        connection: &ConnectionSpec,
        place: &Reference,
        secrets: &Unsealed,
    ) -> Result<Vec<FileState>, Failure> {
        let mut executor = self.executor.clone();
        let listed = async {
            let request = v1::ListFilesRequest {
                connection_json: written(connection)?,
                place_json: written(place)?,
                secrets_json: written(secrets)?,
            };
            in_time(LIST_LIMIT, executor.list_files(request)).await
        };
        let told = found(listed.await)?;
        serde_json::from_slice(&told).map_err(|e| Failure::new(Class::Internal, format!("files cannot be read: {e}")))
    }

    pub(super) async fn drain(&self) -> Result<(), Failure> {
        let mut executor = self.executor.clone();
        let answer = in_time(CALL_LIMIT, executor.drain(v1::DrainRequest {})).await;
        answer.map(drop).map_err(|reason| Failure::new(Class::LostExecutor, reason))
    }

    pub(super) async fn forget(&self, run: &RunId) -> Result<(), Failure> {
        let mut executor = self.executor.clone();
        let request = v1::ForgetRequest { run_id: run.to_string() };
        done(in_time(CALL_LIMIT, executor.forget(about(Subject::Run(run.clone()), request))).await)
    }

    pub(super) async fn boundaries(&self) -> Result<Vec<BoundaryFolder>, Failure> {
        let mut executor = self.executor.clone();
        let folders = found(in_time(STORAGE_LIMIT, executor.boundaries(v1::BoundariesRequest {})).await)?;
        serde_json::from_slice(&folders)
            .map_err(|e| Failure::new(Class::Internal, format!("a list cannot be read: {e}")))
    }

    pub(super) async fn sweep(&self, folders: &[BoundaryFolder]) -> Result<(), Failure> {
        let mut executor = self.executor.clone();
        let swept = async {
            let request = v1::SweepRequest { folders_json: written(&folders)? };
            in_time(STORAGE_LIMIT, executor.sweep(request)).await
        };
        done(swept.await)
    }

    pub(super) async fn log(&self, query: &Query) -> Result<Page, Failure> {
        let mut executor = self.executor.clone();
        let asked = async {
            let request = v1::ReadLogRequest { run_id: query.run.to_string(), query_json: written(query)? };
            in_time(CALL_LIMIT, executor.read_log(about(Subject::Run(query.run.clone()), request))).await
        };
        let page = found(asked.await)?;
        serde_json::from_slice(&page).map_err(|e| Failure::new(Class::Internal, format!("a log cannot be read: {e}")))
    }

    pub(super) async fn quarantined(&self, query: &quarantine::Query) -> Result<quarantine::Page, Failure> {
        let mut executor = self.executor.clone();
        let asked = async {
            let request = v1::ReadQuarantineRequest { run_id: query.run.to_string(), query_json: written(query)? };
            in_time(CALL_LIMIT, executor.read_quarantine(about(Subject::Run(query.run.clone()), request))).await
        };
        let page = found(asked.await)?;
        serde_json::from_slice(&page)
            .map_err(|e| Failure::new(Class::Internal, format!("a quarantine cannot be read: {e}")))
    }

    pub(super) async fn sweep_logs(&self, before: &RunId) -> Result<usize, Failure> {
        let mut executor = self.executor.clone();
        let request = v1::SweepLogsRequest { before_run_id: before.to_string() };
        let count = found(in_time(STORAGE_LIMIT, executor.sweep_logs(request)).await)?;
        serde_json::from_slice(&count)
            .map_err(|e| Failure::new(Class::Internal, format!("a number cannot be read: {e}")))
    }

    pub(super) async fn retain(&self, runs: &BTreeSet<RunId>, until: Token) -> Result<(), Failure> {
        let mut executor = self.executor.clone();
        let run_ids = runs.iter().map(ToString::to_string).collect();
        done(in_time(CALL_LIMIT, executor.retain(v1::RetainRequest { run_ids, until: until.0 })).await)
    }
}

fn done(answer: Result<v1::Answer, String>) -> Result<(), Failure> {
    let answer = answer.map_err(|reason| Failure::new(Class::LostExecutor, reason))?;
    if answer.failure_json.is_empty() {
        return Ok(());
    }
    Err(read(&answer.failure_json).unwrap_or_else(|reason| Failure::new(Class::Internal, reason)))
}

fn found(answer: Result<v1::Found, String>) -> Result<Vec<u8>, Failure> {
    let answer = answer.map_err(|reason| Failure::new(Class::LostExecutor, reason))?;
    if answer.failure_json.is_empty() {
        return Ok(answer.found);
    }
    Err(read(&answer.failure_json).unwrap_or_else(|reason| Failure::new(Class::Internal, reason)))
}

async fn in_time<T>(limit: Duration, call: impl Future<Output = Result<Response<T>, Status>>) -> Result<T, String> {
    match timeout(limit, call).await {
        Ok(answered) => answered.map(Response::into_inner).map_err(|status| said(&status)),
        Err(_) => Err(late(limit)),
    }
}

/// What a status says, and what is behind it.
pub(super) fn said(status: &Status) -> String {
    format!("{}: {}", status.code().description().to_lowercase(), status.message())
}

fn late(limit: Duration) -> String {
    format!("it did not answer within {} s", limit.as_secs())
}

fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", chain(cause)),
        None => error.to_string(),
    }
}

pub(super) fn read<T: DeserializeOwned>(json: &str) -> Result<T, String> {
    serde_json::from_str(json).map_err(|e| format!("its message cannot be read: {e}"))
}

fn written(value: &impl Serialize) -> Result<String, String> {
    serde_json::to_string(value).map_err(|e| format!("the message cannot be written: {e}"))
}
