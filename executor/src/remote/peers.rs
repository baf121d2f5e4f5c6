//! The executors of one attempt, as the engine asks for them.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::error::Result as EngineResult;
use datafusion_distributed::{ChannelResolver, WorkerChannel};
use flowetl_proto::code::Failure;
use flowetl_proto::control::{AttemptId, Helper};
use futures::future::join_all;
use tokio::sync::watch;
use url::Url;

use super::Errand;
use super::far::Far;
use super::host::Host;
use super::near::Near;

/// Ways to every executor of an attempt.
pub(crate) struct Peers {
    pub(super) host: Arc<Host>,
    pub(super) attempt: AttemptId,
    /// What only the executor has that leads the attempt.
    pub(super) lead: Option<Arc<Lead>>,
}

/// What the executor that leads an attempt knows of it.
pub(super) struct Lead {
    pub(super) errand: Errand,
    /// The first failure of a task that no stream of rows may tell.
    failed: watch::Sender<Option<Failure>>,
}

impl Lead {
    pub(super) fn fail(&self, failure: Failure) {
        self.failed.send_if_modified(|failed| {
            let is_first = failed.is_none();
            failed.get_or_insert(failure);
            is_first
        });
    }
}

impl Peers {
    /// For the executor that leads: those of `helpers` that are there, and the ways to them; `None` where none is.
    pub(crate) async fn gather(host: &Arc<Host>, helpers: &[Helper], errand: Errand) -> Option<(Arc<Self>, Vec<Url>)> {
        let greeted = join_all(helpers.iter().map(|helper| host.greet(helper))).await;
        let there: Vec<Url> = greeted.into_iter().flatten().collect();
        let attempt = errand.attempt.clone();
        let lead = Arc::new(Lead { errand, failed: watch::Sender::new(None) });
        let peers = Self { host: Arc::clone(host), attempt, lead: Some(lead) };
        (!there.is_empty()).then(|| (Arc::new(peers), there))
    }

    /// For an executor that does a task.
    pub(super) fn of_helper(host: Arc<Host>, attempt: AttemptId) -> Ways {
        Ways(Arc::new(Self { host, attempt, lead: None }))
    }

    /// For the engine.
    pub(crate) fn ways(self: &Arc<Self>) -> Ways {
        Ways(Arc::clone(self))
    }

    /// Where this process is reached.
    pub(crate) fn leader(&self) -> Url {
        self.host.url.clone()
    }

    /// Waits for the failure of a task.
    pub(crate) async fn failed(&self) -> Failure {
        if let Some(lead) = &self.lead
            && let Ok(failed) = lead.failed.subscribe().wait_for(Option::is_some).await
            && let Some(failure) = failed.clone()
        {
            return failure;
        }
        std::future::pending().await
    }
}

/// [`Peers`] as the engine's resolver.
pub(crate) struct Ways(Arc<Peers>);

#[async_trait]
impl ChannelResolver for Ways {
    async fn get_worker_client_for_url(&self, url: &Url) -> EngineResult<Box<dyn WorkerChannel>> {
        let peers = Arc::clone(&self.0);
        Ok(match *url == peers.host.url {
            true => Box::new(Near(peers)),
            false => Box::new(Far { peers, url: url.clone() }),
        })
    }
}
