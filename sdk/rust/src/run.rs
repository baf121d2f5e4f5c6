//! One run on a coordinator.

use std::fmt;

use flowetl_proto::id::RunId;
use flowetl_proto::log::{Cursor, Filter, Page, Query};
use flowetl_proto::run::{RunEvent, RunView};
use flowetl_proto::wire::{Unknown, v1};
use futures::Stream;
use futures::stream::{self, StreamExt, TryStreamExt};
use tokio::time::timeout;
use tonic::{Status, Streaming};

use crate::client::{ANSWER_LIMIT, request};
use crate::peers::Repeat;
use crate::{Client, Error, Result};

/// A run to follow, wait for and cancel. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Run {
    client: Client,
    id: RunId,
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.id.fmt(f)
    }
}

impl Run {
    pub(crate) fn new(client: Client, id: RunId) -> Self {
        Self { client, id }
    }

    pub fn id(&self) -> &RunId {
        &self.id
    }

    /// The run as it stands now.
    pub async fn view(&self) -> Result<RunView> {
        let answer = self.client.peers().ask(Repeat::Safe, |mut stub| {
            let request = request(v1::GetRunRequest { run_id: self.id.to_string() });
            async move { stub.get_run(request).await }
        });
        Ok(answer.await?.try_into()?)
    }

    /// Snapshots, the first at once, the last with the end state. A slow reader misses some, never the last. A run that
    /// was cut off ends the stream with an error, and can be resumed. Where the client knows several coordinators, the end
    /// of the one that leads costs a pause at most.
    pub async fn follow(&self) -> Result<impl Stream<Item = Result<RunView>> + Send + use<>> {
        let begun = self.snapshots().await?;
        let run = self.clone();
        let views = stream::try_unfold(begun, move |(mut url, mut snapshots)| {
            let run = run.clone();
            async move {
                loop {
                    match snapshots.message().await {
                        Ok(Some(view)) => return Ok(Some((RunView::try_from(view)?, (url, snapshots)))),
                        Ok(None) => return Ok(None),
                        Err(status) => {
                            run.client.peers().reconnect(&url, status).await?;
                            (url, snapshots) = run.snapshots().await?;
                        }
                    }
                }
            }
        });
        Ok(views.boxed())
    }

    /// A stream of snapshots, and the URL of the coordinator that sends it.
    async fn snapshots(&self) -> Result<(String, Streaming<v1::Run>)> {
        let peers = self.client.peers();
        let snapshots = peers.ask(Repeat::Safe, |mut stub| async move {
            // No deadline goes with the request: it would be that of the whole stream.
            let begun = stub.follow(v1::FollowRequest { run_id: self.id.to_string() });
            let late = |_| Err(Status::deadline_exceeded("it took too long to answer"));
            timeout(ANSWER_LIMIT, begun).await.unwrap_or_else(late)
        });
        let snapshots = snapshots.await?;
        Ok((peers.current_url(), snapshots))
    }

    /// The run once it has ended, however it ended.
    pub async fn wait(&self) -> Result<RunView> {
        let mut views = self.follow().await?;
        let mut last = None;
        while let Some(view) = views.try_next().await? {
            last = Some(view);
        }
        last.filter(|view| view.state.is_terminal()).ok_or_else(|| Error::Silent(self.id.clone()))
    }

    /// Asks the run to end; [`Self::wait`] tells when it has. A run that has ended is left as it is.
    pub async fn cancel(&self) -> Result<()> {
        let answer = self.client.peers().ask(Repeat::Safe, |mut stub| {
            let request = request(v1::CancelRunRequest { run_id: self.id.to_string() });
            async move { stub.cancel(request).await }
        });
        answer.await.map(drop)
    }

    /// The next lines of the run's log behind `after`, at most `limit`.
    pub async fn log(&self, after: Cursor, filter: Filter, limit: usize) -> Result<Page> {
        let query = Query { run: self.id.clone(), after, filter, limit };
        let unfit = |e: serde_json::Error| Error::NotUnderstood(Unknown { what: "page of a log", text: e.to_string() });
        let query_json = serde_json::to_string(&query).map_err(unfit)?;
        let answer = self.client.peers().ask(Repeat::Safe, |mut stub| {
            let request = request(v1::ReadRunLogRequest { query_json: query_json.clone() });
            async move { stub.read_run_log(request).await }
        });
        serde_json::from_str(&answer.await?.page_json).map_err(unfit)
    }

    /// What happened in the run, in order.
    pub async fn events(&self) -> Result<Vec<RunEvent>> {
        let answer = self.client.peers().ask(Repeat::Safe, |mut stub| {
            let request = request(v1::ListEventsRequest { run_id: self.id.to_string() });
            async move { stub.list_events(request).await }
        });
        let answer = answer.await?;
        Ok(answer.events.into_iter().map(TryInto::try_into).collect::<Result<_, Unknown>>()?)
    }
}
