//! One run on a coordinator.

use std::fmt;

use flowetl_proto::id::RunId;
use flowetl_proto::run::{RunEvent, RunView};
use flowetl_proto::wire::{Unknown, v1};
use futures::Stream;
use futures::stream::{self, StreamExt, TryStreamExt};
use tokio::time::timeout;
use tonic::{Response, Status};

use crate::client::{ANSWER_LIMIT, request};
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
        let request = request(v1::GetRunRequest { run_id: self.id.to_string() });
        Ok(self.client.answer(self.client.stub().get_run(request).await)?.try_into()?)
    }

    /// Snapshots, the first at once, the last with the end state. A slow reader misses some, never the last. A run that
    /// was cut off ends the stream with an error, and can be resumed.
    pub async fn follow(&self) -> Result<impl Stream<Item = Result<RunView>> + Send + use<>> {
        let mut stub = self.client.stub();
        // No deadline goes with the request: it would be that of the whole stream.
        let begun = timeout(ANSWER_LIMIT, stub.follow(v1::FollowRequest { run_id: self.id.to_string() })).await;
        let late = |_| Err(Status::deadline_exceeded("it took too long to answer"));
        let snapshots = self.client.answer(begun.unwrap_or_else(late))?;
        let client = self.client.clone();
        let views = stream::try_unfold(snapshots, move |mut snapshots| {
            let client = client.clone();
            async move {
                let next = client.answer(snapshots.message().await.map(Response::new))?;
                next.map(|run| Ok((RunView::try_from(run)?, snapshots))).transpose()
            }
        });
        Ok(views.boxed())
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
        let request = request(v1::CancelRunRequest { run_id: self.id.to_string() });
        self.client.answer(self.client.stub().cancel(request).await).map(drop)
    }

    /// What happened in the run, in order.
    pub async fn events(&self) -> Result<Vec<RunEvent>> {
        let request = request(v1::ListEventsRequest { run_id: self.id.to_string() });
        let answer = self.client.answer(self.client.stub().list_events(request).await)?;
        Ok(answer.events.into_iter().map(TryInto::try_into).collect::<Result<_, Unknown>>()?)
    }
}
