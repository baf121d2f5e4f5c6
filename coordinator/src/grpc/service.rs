//! The calls of the service, each a few lines over the handle.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

use flowetl_proto::code::Failure;
use flowetl_proto::id::{BlockId, ExecutorId, RunId};
use flowetl_proto::log::Query;
use flowetl_proto::look::RowsForm;
use flowetl_proto::pipeline::{Parsed, Problem, ProblemCode, Source};
use flowetl_proto::wire::v1;
use futures::future::ready;
use futures::stream::{self, BoxStream, StreamExt};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use super::Seat;
use super::status::{looked, no_executor, not_understood, stands_by, status, stopping};
use crate::connections::Connections;
use crate::fleet::Roster;
use crate::{Handle, Result, cut};

/// Lines of a log in one answer.
const LOG_LINES_MAX: usize = 10_000;

type Answer<T> = std::result::Result<Response<T>, Status>;

pub(super) struct Service {
    seat: watch::Receiver<Seat>,
    stopping: CancellationToken,
}

impl Service {
    pub(super) fn new(seat: watch::Receiver<Seat>, stopping: CancellationToken) -> Self {
        Self { seat, stopping }
    }

    fn handle(&self) -> std::result::Result<Handle, Status> {
        Ok(self.seat.borrow().taken()?.0)
    }

    fn roster(&self) -> std::result::Result<Arc<dyn Roster>, Status> {
        Ok(self.seat.borrow().taken()?.1)
    }

    /// Reads a pipeline with what the executors can do. Secrets are theirs, so that none is asked for here.
    /// Connections that it does not say itself are those of the default organization.
    async fn parse(&self, source: Option<v1::Source>) -> std::result::Result<Result<Parsed, Vec<Problem>>, Status> {
        let source = source.ok_or_else(|| Status::invalid_argument("`source` is missing"))?;
        let source = Source::try_from(source).map_err(|e| not_understood(&e))?;
        let (handle, roster) = self.seat.borrow().taken()?;
        let catalogue = roster.catalogue().ok_or_else(no_executor)?;
        let stored = Connections::new(handle.vault(), roster).named_by_default(&catalogue).await;
        Ok(source.parse_with(&catalogue, None, &stored.map_err(|e| status(&e))?))
    }
}

/// Does what must not end half way when its caller goes away: the call is dropped then, this is not.
async fn whole<T: Send + 'static>(
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> std::result::Result<T, Status> {
    let done = tokio::spawn(work).await.map_err(|e| Status::internal(e.to_string()))?;
    done.map_err(|e| status(&e))
}

/// A pipeline that is only looked at: parameters that are told no value have their defaults.
fn bound(parsed: Parsed) -> std::result::Result<Parsed, Status> {
    let pipeline = parsed.pipeline.bound(&BTreeMap::new()).map_err(Status::invalid_argument)?;
    Ok(Parsed { pipeline, ..parsed })
}

/// Why a pipeline cannot be planned: a problem at the place of its block, where there is one.
fn unseen(parsed: &Parsed, failure: Failure) -> std::result::Result<Vec<v1::Problem>, Status> {
    let Some(block) = &failure.block else { return Err(looked(&failure)) };
    let problem = parsed.positions.problem(block, ProblemCode::WrongValue, failure.message);
    Ok(problems(&[problem]))
}

fn problems(found: &[Problem]) -> Vec<v1::Problem> {
    found.iter().map(Into::into).collect()
}

#[tonic::async_trait]
impl v1::coordinator_server::Coordinator for Service {
    type FollowStream = BoxStream<'static, std::result::Result<v1::Run, Status>>;

    async fn validate(&self, request: Request<v1::ValidateRequest>) -> Answer<v1::ValidateResponse> {
        let found = self.parse(request.into_inner().source).await?.err().unwrap_or_default();
        Ok(Response::new(v1::ValidateResponse { problems: problems(&found) }))
    }

    async fn plan(&self, request: Request<v1::PlanRequest>) -> Answer<v1::PlanResponse> {
        let parsed = match self.parse(request.into_inner().source).await? {
            Ok(parsed) => parsed,
            Err(found) => {
                let refused = v1::PlanResponse { plan_json: String::new(), problems: problems(&found) };
                return Ok(Response::new(refused));
            }
        };
        let parsed = bound(parsed)?;
        let remembered = self.handle()?.remembered(&parsed.pipeline.name).await.map_err(|e| status(&e))?;
        let segments = cut::cut(&parsed.pipeline);
        let secrets = self.handle()?.unsealed(&parsed.pipeline).await.map_err(|e| status(&e))?;
        let plans = match self.roster()?.plan(&parsed.pipeline, &segments, &remembered, &secrets).await {
            Ok(plans) => plans,
            Err(failure) => {
                let problems = unseen(&parsed, failure)?;
                return Ok(Response::new(v1::PlanResponse { plan_json: String::new(), problems }));
            }
        };
        let plan_json = serde_json::to_string(&plans).map_err(|e| Status::internal(e.to_string()))?;
        Ok(Response::new(v1::PlanResponse { plan_json, problems: Vec::new() }))
    }

    async fn preview(&self, request: Request<v1::PreviewRequest>) -> Answer<v1::PreviewResponse> {
        let asked = request.into_inner();
        let parsed = match self.parse(asked.source).await? {
            Ok(parsed) => parsed,
            Err(found) => {
                let refused = v1::PreviewResponse { arrow_stream: Vec::new(), problems: problems(&found) };
                return Ok(Response::new(refused));
            }
        };
        let parsed = bound(parsed)?;
        let secrets = self.handle()?.unsealed(&parsed.pipeline).await.map_err(|e| status(&e))?;
        let (block, count) = (BlockId::new(asked.block), asked.rows as usize);
        let rows = self.roster()?.preview(&parsed.pipeline, &block, (count, RowsForm::Arrow), &secrets).await;
        match rows {
            Ok(arrow_stream) => Ok(Response::new(v1::PreviewResponse { arrow_stream, problems: Vec::new() })),
            Err(failure) => Err(looked(&failure)),
        }
    }

    async fn submit(&self, request: Request<v1::SubmitRequest>) -> Answer<v1::SubmitResponse> {
        let mut asked = request.into_inner();
        let parsed = match self.parse(asked.source.take()).await? {
            Ok(parsed) => parsed,
            Err(found) => {
                let refused = v1::SubmitResponse { run_id: String::new(), problems: problems(&found) };
                return Ok(Response::new(refused));
            }
        };
        let (handle, options) = (self.handle()?, asked.options());
        let run = whole(async move { handle.submit(parsed.pipeline, options).await }).await?;
        Ok(Response::new(v1::SubmitResponse { run_id: run.to_string(), problems: Vec::new() }))
    }

    async fn follow(&self, request: Request<v1::FollowRequest>) -> Answer<Self::FollowStream> {
        let run = RunId::new(request.into_inner().run_id);
        let handle = self.handle()?;
        let views = handle.follow(&run).await.map_err(|e| status(&e))?;
        let views = views.map(move |view| match view {
            Ok(view) => Ok(v1::Run::from(&*view)),
            // It goes on where another leads.
            Err(_) if handle.is_deposed() => Err(stands_by(None)),
            Err(error) => Err(status(&error)),
        });
        let stop = self.stopping.clone();
        let end = stream::once(async move { stop.is_cancelled().then(|| Err(stopping())) }).filter_map(ready);
        Ok(Response::new(views.take_until(self.stopping.clone().cancelled_owned()).chain(end).boxed()))
    }

    async fn cancel(&self, request: Request<v1::CancelRunRequest>) -> Answer<v1::CancelRunResponse> {
        let (handle, run) = (self.handle()?, RunId::new(request.into_inner().run_id));
        whole(async move { handle.cancel(&run).await }).await?;
        Ok(Response::new(v1::CancelRunResponse {}))
    }

    async fn resume(&self, request: Request<v1::ResumeRequest>) -> Answer<v1::ResumeResponse> {
        let (handle, run) = (self.handle()?, RunId::new(request.into_inner().run_id));
        whole(async move { handle.resume(&run).await }).await?;
        Ok(Response::new(v1::ResumeResponse {}))
    }

    async fn get_run(&self, request: Request<v1::GetRunRequest>) -> Answer<v1::Run> {
        let view = self.handle()?.run(&RunId::new(request.into_inner().run_id)).await.map_err(|e| status(&e))?;
        Ok(Response::new(v1::Run::from(&view)))
    }

    async fn list_runs(&self, _: Request<v1::ListRunsRequest>) -> Answer<v1::ListRunsResponse> {
        let runs = self.handle()?.runs().await.map_err(|e| status(&e))?;
        Ok(Response::new(v1::ListRunsResponse { runs: runs.iter().map(Into::into).collect() }))
    }

    async fn list_events(&self, request: Request<v1::ListEventsRequest>) -> Answer<v1::ListEventsResponse> {
        let events = self.handle()?.events(&RunId::new(request.into_inner().run_id)).await.map_err(|e| status(&e))?;
        Ok(Response::new(v1::ListEventsResponse { events: events.iter().map(Into::into).collect() }))
    }

    async fn read_run_log(&self, request: Request<v1::ReadRunLogRequest>) -> Answer<v1::ReadRunLogResponse> {
        let wrong = |e: serde_json::Error| Status::invalid_argument(format!("the query cannot be read: {e}"));
        let query: Query = serde_json::from_str(&request.into_inner().query_json).map_err(wrong)?;
        let query = Query { limit: query.limit.min(LOG_LINES_MAX), ..query };
        let page = self.handle()?.log(&query).await.map_err(|e| status(&e))?;
        let page_json = serde_json::to_string(&page).map_err(|e| Status::internal(e.to_string()))?;
        Ok(Response::new(v1::ReadRunLogResponse { page_json }))
    }

    async fn list_executors(&self, _: Request<v1::ListExecutorsRequest>) -> Answer<v1::ListExecutorsResponse> {
        Ok(Response::new(v1::ListExecutorsResponse { executors: self.roster()?.executors() }))
    }

    async fn drain_executor(&self, request: Request<v1::DrainExecutorRequest>) -> Answer<v1::DrainExecutorResponse> {
        let id = ExecutorId::new(request.into_inner().id);
        self.roster()?.drain(&id).await.map_err(|failure| looked(&failure))?;
        Ok(Response::new(v1::DrainExecutorResponse {}))
    }
}
