//! The coordinator that a command speaks to: its own process's, or one that serves elsewhere.

use std::sync::Arc;

use flowetl::Client;
use flowetl_coordinator::Handle;
use flowetl_proto::id::RunId;
use flowetl_proto::log::{Cursor, Filter, Page, Query};
use flowetl_proto::pipeline::Source;
use flowetl_proto::run::{Options, RunSummary, RunView};
use futures::stream::{BoxStream, StreamExt};

use crate::{args, files, home, trust};

/// Lines of a log that are asked for at once.
const LINES_AT_ONCE: usize = 1_000;

/// Where runs are. All that is shown of them is the same from both.
pub enum Coordinator {
    Here(Handle),
    There(Box<Client>),
}

impl Coordinator {
    /// That at `server`, or else one of this process.
    pub async fn open(server: &args::Server) -> anyhow::Result<Self> {
        match connected(server).await? {
            Some(client) => Ok(Self::There(Box::new(client))),
            None => Ok(Self::Here(home::open(home::serving_config()?, tokio::runtime::Handle::current()).await?)),
        }
    }

    /// Runs a pipeline. What is wrong with it is found before anything is made.
    pub async fn submit(server: &args::Server, source: Source, options: Options) -> anyhow::Result<(Self, RunId)> {
        match connected(server).await? {
            Some(client) => {
                let run = client.submit(source, options).await?.id().clone();
                Ok((Self::There(Box::new(client)), run))
            }
            None => {
                let parsed = files::parse(&source)?;
                let handle = home::open(home::serving_config()?, tokio::runtime::Handle::current()).await?;
                let run = handle.submit(parsed.pipeline, options).await.map_err(chained)?;
                Ok((Self::Here(handle), run))
            }
        }
    }

    /// The `--server` of another command that is to speak to the same coordinator.
    pub fn server(&self) -> Option<&str> {
        match self {
            Self::Here(_) => None,
            Self::There(client) => Some(client.url()),
        }
    }

    pub async fn resume(&self, run: &RunId) -> anyhow::Result<()> {
        match self {
            Self::Here(handle) => handle.resume(run).await.map(drop).map_err(chained),
            Self::There(client) => Ok(client.resume(run).await.map(drop)?),
        }
    }

    /// Snapshots up to the run's end; an error where it does not end there.
    pub async fn follow(&self, run: &RunId) -> anyhow::Result<BoxStream<'static, anyhow::Result<Arc<RunView>>>> {
        Ok(match self {
            Self::Here(handle) => handle.follow(run).await.map_err(chained)?.map(|v| v.map_err(chained)).boxed(),
            Self::There(client) => {
                let views = client.run(run.clone()).follow().await?;
                views.map(|view| Ok(Arc::new(view?))).boxed()
            }
        })
    }

    pub async fn cancel(&self, run: &RunId) -> anyhow::Result<()> {
        match self {
            Self::Here(handle) => handle.cancel(run).await.map_err(chained),
            Self::There(client) => Ok(client.run(run.clone()).cancel().await?),
        }
    }

    pub async fn runs(&self) -> anyhow::Result<Vec<RunSummary>> {
        match self {
            Self::Here(handle) => handle.runs().await.map_err(chained),
            Self::There(client) => Ok(client.runs().await?),
        }
    }

    pub async fn run(&self, run: &RunId) -> anyhow::Result<RunView> {
        match self {
            Self::Here(handle) => handle.run(run).await.map_err(chained),
            Self::There(client) => Ok(client.run(run.clone()).view().await?),
        }
    }

    /// Lines of a run's log behind `after`.
    pub async fn log(&self, run: &RunId, after: Cursor) -> anyhow::Result<Page> {
        let filter = Filter::default();
        match self {
            Self::Here(handle) => {
                let query = Query { run: run.clone(), after, filter, limit: LINES_AT_ONCE };
                handle.log(&query).await.map_err(chained)
            }
            Self::There(client) => Ok(client.run(run.clone()).log(after, filter, LINES_AT_ONCE).await?),
        }
    }

    pub async fn close(self) {
        if let Self::Here(handle) = self {
            handle.close().await;
        }
    }
}

/// A connection to the coordinator that was named, if one was.
pub async fn connected(server: &args::Server) -> anyhow::Result<Option<Client>> {
    let Some(url) = &server.server else { return Ok(None) };
    Ok(Some(Client::connect_with(url, trust::access(server)?).await?))
}

fn chained(error: flowetl_coordinator::Error) -> anyhow::Error {
    anyhow::anyhow!(error.chain())
}
