//! A connection to a coordinator, and what may be asked of it.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use flowetl_proto::id::RunId;
use flowetl_proto::look::SegmentPlan;
use flowetl_proto::pipeline::{Problem, Source};
use flowetl_proto::run::{Options, RunSummary};
use flowetl_proto::wire::Unknown;
use flowetl_proto::wire::v1::{self, ExecutorInfo};
use tonic::Request;

use crate::peers::{Peers, Repeat};
use crate::{Access, Error, Result, Run};

/// How long an answer may take: a few reads or writes of the metadata database, which is itself waited for up to 30 s.
pub(crate) const ANSWER_LIMIT: Duration = Duration::from_secs(60);

/// How long looking may take: sources and targets are asked, and what a preview shows is computed.
const LOOK_LIMIT: Duration = Duration::from_secs(300);

/// How long a run may take to begin: what an earlier run of the pipeline left open is settled first.
const BEGIN_LIMIT: Duration = Duration::from_secs(600);

/// A coordinator, or those of a cluster, of which one leads at a time. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    peers: Arc<Peers>,
}

/// Rows to look at.
#[derive(Clone, Debug)]
pub struct Rows {
    pub schema: SchemaRef,
    /// Of that schema; none where there are no rows.
    pub batches: Vec<RecordBatch>,
}

impl Client {
    /// Connects to the coordinator at a URL such as `http://127.0.0.1:50051` or `https://etl.example:50051`, or to whichever leads of several, with commas
    /// between. Where several are named, calls that may be repeated survive the end of the leader: the next one is waited
    /// for up to 30 s.
    pub async fn connect(servers: &str) -> Result<Self> {
        Self::connect_with(servers, Access::default()).await
    }

    /// As [`Self::connect`], to coordinators that want a token, or whose certificates another authority signed than those
    /// that this machine trusts. What is wrong with the token shows when something is asked.
    pub async fn connect_with(servers: &str, access: Access) -> Result<Self> {
        Ok(Self { peers: Arc::new(Peers::connect(servers, access).await?) })
    }

    /// What it was connected to.
    pub fn url(&self) -> &str {
        self.peers.servers()
    }

    /// Everything that is wrong with a pipeline. Touches nothing.
    pub async fn validate(&self, pipeline: impl Into<Source>) -> Result<Vec<Problem>> {
        let source = v1::Source::from(pipeline.into());
        let answer = self.peers.ask(Repeat::Safe, |mut stub| {
            let request = within(ANSWER_LIMIT, v1::ValidateRequest { source: Some(source.clone()) });
            async move { stub.validate(request).await }
        });
        let answer = answer.await?;
        problems(answer.problems)
    }

    /// What a run would do, segment by segment: operators, what is sent to each source, what would change in each target.
    /// Touches nothing.
    pub async fn plan(&self, pipeline: impl Into<Source>) -> Result<Vec<SegmentPlan>> {
        let source = v1::Source::from(pipeline.into());
        let answer = self.peers.ask(Repeat::Safe, |mut stub| {
            let request = within(LOOK_LIMIT, v1::PlanRequest { source: Some(source.clone()) });
            async move { stub.plan(request).await }
        });
        let answer = answer.await?;
        nothing_wrong(answer.problems)?;
        Ok(serde_json::from_str(&answer.plan_json).map_err(|e| Unknown { what: "plan", text: e.to_string() })?)
    }

    /// The first `rows` rows of a block, computed from the sources up to it; a `load` shows what it would write. Writes
    /// nothing.
    pub async fn preview(&self, pipeline: impl Into<Source>, block: &str, rows: u32) -> Result<Rows> {
        let source = v1::Source::from(pipeline.into());
        let answer = self.peers.ask(Repeat::Safe, |mut stub| {
            let asked = v1::PreviewRequest { source: Some(source.clone()), block: block.to_owned(), rows };
            let request = within(LOOK_LIMIT, asked);
            async move { stub.preview(request).await }
        });
        let answer = answer.await?;
        nothing_wrong(answer.problems)?;
        let unknown = |e: ArrowError| Unknown { what: "Arrow stream", text: e.to_string() };
        let stream = StreamReader::try_new(answer.arrow_stream.as_slice(), None).map_err(unknown)?;
        let schema = stream.schema();
        Ok(Rows { schema, batches: stream.collect::<Result<_, _>>().map_err(unknown)? })
    }

    /// Runs a pipeline: one drawn in code, one read from a file, or its text. Returns as soon as the run has begun;
    /// it goes on also when this program ends.
    ///
    /// The pipeline's newest run is continued instead where beginning anew would waste or harm: it was cut off, or had
    /// appended to some of its targets.
    pub async fn submit(&self, pipeline: impl Into<Source>, options: Options) -> Result<Run> {
        let message = v1::SubmitRequest::new(pipeline.into(), options);
        let answer = self.peers.ask(Repeat::Never, |mut stub| {
            let request = within(BEGIN_LIMIT, message.clone());
            async move { stub.submit(request).await }
        });
        let answer = answer.await?;
        nothing_wrong(answer.problems)?;
        Ok(self.run(RunId::new(answer.run_id)))
    }

    /// Goes on with a run that failed, was cancelled or was cut off, from its last durable boundary.
    pub async fn resume(&self, run: &RunId) -> Result<Run> {
        let answer = self.peers.ask(Repeat::Never, |mut stub| {
            let request = within(BEGIN_LIMIT, v1::ResumeRequest { run_id: run.to_string() });
            async move { stub.resume(request).await }
        });
        answer.await?;
        Ok(self.run(run.clone()))
    }

    /// The run of an id; whether there is one shows when it is asked.
    pub fn run(&self, id: RunId) -> Run {
        Run::new(self.clone(), id)
    }

    /// All runs, newest first, up to a thousand.
    pub async fn runs(&self) -> Result<Vec<RunSummary>> {
        let answer = self.peers.ask(Repeat::Safe, |mut stub| async move {
            stub.list_runs(within(ANSWER_LIMIT, v1::ListRunsRequest {})).await
        });
        let answer = answer.await?;
        Ok(answer.runs.into_iter().map(TryInto::try_into).collect::<Result<_, Unknown>>()?)
    }

    /// The executors that are alive.
    pub async fn executors(&self) -> Result<Vec<ExecutorInfo>> {
        let answer = self.peers.ask(Repeat::Safe, |mut stub| async move {
            stub.list_executors(within(ANSWER_LIMIT, v1::ListExecutorsRequest {})).await
        });
        Ok(answer.await?.executors)
    }

    /// Asks an executor to take nothing new, to finish what it has and to end its process. Returns as soon as it has heard
    /// of it; [`Self::executors`] shows it draining, and then no more.
    pub async fn drain(&self, executor: &str) -> Result<()> {
        let answer = self.peers.ask(Repeat::Safe, |mut stub| {
            let request = within(ANSWER_LIMIT, v1::DrainExecutorRequest { id: executor.to_owned() });
            async move { stub.drain_executor(request).await }
        });
        answer.await.map(drop)
    }

    pub(crate) fn peers(&self) -> &Peers {
        &self.peers
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

fn nothing_wrong(found: Vec<v1::Problem>) -> Result<()> {
    let problems = problems(found)?;
    if problems.is_empty() { Ok(()) } else { Err(Error::Problems(problems)) }
}

fn problems(found: Vec<v1::Problem>) -> Result<Vec<Problem>> {
    Ok(found.into_iter().map(TryInto::try_into).collect::<Result<_, Unknown>>()?)
}
