//! A connection to a coordinator, and what may be asked of it.

use std::time::Duration;

use flowetl_proto::id::RunId;
use flowetl_proto::pipeline::{Problem, Source};
use flowetl_proto::run::{Options, RunSummary};
use flowetl_proto::wire::Unknown;
use flowetl_proto::wire::v1::coordinator_client::CoordinatorClient;
use flowetl_proto::wire::v1::{self, ExecutorInfo};
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response, Status};

use crate::error::innermost;
use crate::{Error, Result, Run};

/// How long a connection may take to come about.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// A connection that is silent for so long is asked for a sign of life, and has as long again to give it.
const KEEPALIVE: Duration = Duration::from_secs(10);

/// How long an answer may take: a few reads or writes of the metadata database, which is itself waited for up to 30 s.
pub(crate) const ANSWER_LIMIT: Duration = Duration::from_secs(60);

/// How long a run may take to begin: what an earlier run of the pipeline left open is settled first.
const BEGIN_LIMIT: Duration = Duration::from_secs(600);

/// A thousand blocks take half a mebibyte, a thousand runs in a list as much; tests bring samples of rows.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// A coordinator. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    stub: CoordinatorClient<Channel>,
    url: String,
}

impl Client {
    /// Connects to the coordinator at `url`, such as `http://127.0.0.1:50051`.
    pub async fn connect(url: &str) -> Result<Self> {
        let address = || Error::Address(url.to_owned());
        // Anything else would be sent in the clear all the same.
        if !url.starts_with("http://") {
            return Err(address());
        }
        let endpoint = Endpoint::from_shared(url.to_owned()).map_err(|_| address())?;
        let endpoint = endpoint
            .connect_timeout(CONNECT_LIMIT)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(KEEPALIVE)
            .keep_alive_timeout(KEEPALIVE);
        let channel = endpoint.connect().await.map_err(|e| Error::Unreachable {
            url: url.to_owned(),
            reason: innermost(&e).unwrap_or_else(|| e.to_string()),
        })?;
        let stub = CoordinatorClient::new(channel).max_decoding_message_size(ANSWER_BYTES_MAX);
        Ok(Self { stub, url: url.to_owned() })
    }

    /// Where it was found.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Everything that is wrong with a pipeline. Touches nothing.
    pub async fn validate(&self, pipeline: impl Into<Source>) -> Result<Vec<Problem>> {
        let request = within(ANSWER_LIMIT, v1::ValidateRequest { source: Some(pipeline.into().into()) });
        let answer = self.answer(self.stub().validate(request).await)?;
        problems(answer.problems)
    }

    /// Runs a pipeline: one drawn in code, one read from a file, or its text. Returns as soon as the run has begun;
    /// it goes on also when this program ends.
    ///
    /// The pipeline's newest run is continued instead where beginning anew would waste or harm: it was cut off, or had
    /// appended to some of its targets.
    pub async fn submit(&self, pipeline: impl Into<Source>, options: Options) -> Result<Run> {
        let request = within(BEGIN_LIMIT, v1::SubmitRequest::new(pipeline.into(), options));
        let answer = self.answer(self.stub().submit(request).await)?;
        let problems = problems(answer.problems)?;
        match problems.is_empty() {
            true => Ok(self.run(RunId::new(answer.run_id))),
            false => Err(Error::Problems(problems)),
        }
    }

    /// Goes on with a run that failed, was cancelled or was cut off, from its last durable boundary.
    pub async fn resume(&self, run: &RunId) -> Result<Run> {
        let request = within(BEGIN_LIMIT, v1::ResumeRequest { run_id: run.to_string() });
        self.answer(self.stub().resume(request).await)?;
        Ok(self.run(run.clone()))
    }

    /// The run of an id; whether there is one shows when it is asked.
    pub fn run(&self, id: RunId) -> Run {
        Run::new(self.clone(), id)
    }

    /// All runs, newest first, up to a thousand.
    pub async fn runs(&self) -> Result<Vec<RunSummary>> {
        let request = within(ANSWER_LIMIT, v1::ListRunsRequest {});
        let answer = self.answer(self.stub().list_runs(request).await)?;
        Ok(answer.runs.into_iter().map(TryInto::try_into).collect::<Result<_, Unknown>>()?)
    }

    /// The executors that are alive.
    pub async fn executors(&self) -> Result<Vec<ExecutorInfo>> {
        let request = within(ANSWER_LIMIT, v1::ListExecutorsRequest {});
        Ok(self.answer(self.stub().list_executors(request).await)?.executors)
    }

    pub(crate) fn stub(&self) -> CoordinatorClient<Channel> {
        self.stub.clone()
    }

    pub(crate) fn answer<T>(&self, answer: Result<Response<T>, Status>) -> Result<T> {
        answer.map(Response::into_inner).map_err(|status| Error::of(&self.url, status))
    }
}

/// A request that must be answered within `limit`.
fn within<T>(limit: Duration, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(limit);
    request
}

/// A request as [`Client`]'s own, for runs.
pub(crate) fn request<T>(message: T) -> Request<T> {
    within(ANSWER_LIMIT, message)
}

fn problems(found: Vec<v1::Problem>) -> Result<Vec<Problem>> {
    Ok(found.into_iter().map(TryInto::try_into).collect::<Result<_, Unknown>>()?)
}
