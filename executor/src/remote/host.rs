//! The tasks that this executor does, whoever leads their attempts, and its connections to other executors.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use datafusion_distributed::TaskKey;
use flowetl_proto::code::{Class, Failure};
use flowetl_proto::control::{AttemptId, Helper};
use flowetl_proto::id::{ExecutorId, RunId, Token};
use flowetl_proto::trust::Trust;
use flowetl_proto::wire::v1;
use flowetl_proto::wire::v1::tasks_client::TasksClient;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::timeout;
use url::Url;

use super::task::Task;
use super::{CONNECT_LIMIT, CONNECTION_WINDOW, GREET_LIMIT, KEEPALIVE, KEEPALIVE_LIMIT, PLAN_LIMIT, failure};
use crate::fence::{Admission, Fence};
use crate::gate::{Caller, Link};
use crate::memory::Lane;
use crate::{Error, Result};

/// This process among the executors of its cluster.
pub(crate) struct Host {
    pub(crate) id: ExecutorId,
    /// Where others reach it.
    pub(crate) url: Url,
    /// How others are known, and what they are shown.
    trust: Trust,
    /// Where connections are kept alive, also while every thread of the data runtime computes.
    io: Handle,
    state: Mutex<State>,
    /// Told whenever a task has come or gone.
    changed: watch::Sender<()>,
    links: Mutex<HashMap<(Url, Lane), Link>>,
}

#[derive(Default)]
struct State {
    tasks: HashMap<TaskKey, Arc<Task>>,
    fence: Fence,
}

/// Keeps a task; dropping it ends the task.
pub(super) struct Kept {
    host: Arc<Host>,
    key: TaskKey,
}

impl Drop for Kept {
    fn drop(&mut self) {
        if let Some(task) = self.host.state().tasks.remove(&self.key) {
            task.end.cancel();
        }
        self.host.changed.send_replace(());
    }
}

impl Host {
    /// `url` is where others reach this process; its connections live on `io`.
    pub(crate) fn new(id: ExecutorId, url: Url, trust: Trust, io: Handle) -> Self {
        let (state, changed, links) = (Mutex::default(), watch::Sender::new(()), Mutex::default());
        Self { id, url, trust, io, state, changed, links }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that an attempt is at work, here or with tasks here. Ends the tasks of older ones, and refuses one that is
    /// older itself.
    pub(crate) fn admit(&self, attempt: &AttemptId) -> Result<(), Failure> {
        let mut state = self.state();
        if let Admission::Refused(failure) = state.fence.admit(attempt) {
            return Err(failure);
        }
        let is_overtaken = |task: &Task| {
            task.attempt.token < attempt.token
                && (&task.attempt.run, &task.attempt.segment) == (&attempt.run, &attempt.segment)
        };
        state.tasks.values().filter(|task| is_overtaken(task)).for_each(|task| task.end.cancel());
        Ok(())
    }

    /// As [`Fence::retain`].
    pub(crate) fn retain(&self, runs: &BTreeSet<RunId>, until: Token) {
        self.state().fence.retain(runs, until);
    }

    pub(super) fn keep(self: &Arc<Self>, key: TaskKey, task: Arc<Task>) -> Kept {
        self.state().tasks.insert(key, task);
        self.changed.send_replace(());
        Kept { host: Arc::clone(self), key }
    }

    /// The task, as soon as its plan is here.
    pub(super) async fn task(&self, key: &TaskKey) -> Result<Arc<Task>> {
        let mut changed = self.changed.subscribe();
        let coming = async {
            loop {
                if let Some(task) = self.state().tasks.get(key) {
                    return Arc::clone(task);
                }
                if changed.changed().await.is_err() {
                    // The sender is ours.
                    std::future::pending::<()>().await;
                }
            }
        };
        timeout(PLAN_LIMIT, coming).await.map_err(|_| {
            let text = format!(
                "no plan of task {} of stage {} came in {} s",
                key.task_number,
                key.stage_id,
                PLAN_LIMIT.as_secs()
            );
            Error::new(Class::LostExecutor, text)
        })
    }

    /// Waits until no task is done here.
    pub(crate) async fn idle(&self) {
        let mut changed = self.changed.subscribe();
        loop {
            let is_idle = self.state().tasks.is_empty();
            if is_idle || changed.changed().await.is_err() {
                return;
            }
        }
    }

    /// A connection to the executor at `url`, made at the first call and kept: how wide streams are is settled when it is made.
    pub(super) async fn link(&self, url: &Url, lane: Lane) -> Result<Link> {
        let key = (url.clone(), lane);
        if let Some(link) = self.links().get(&key) {
            return Ok(link.clone());
        }
        let endpoint = self.trust.endpoint(url.as_str());
        let endpoint = endpoint
            .map_err(|e| Error::internal("an executor is not called").because(e))?
            .connect_timeout(CONNECT_LIMIT)
            .tcp_nodelay(true)
            .max_frame_size(lane.piece_bytes() as u32)
            .initial_stream_window_size(lane.window_bytes() as u32)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .http2_keep_alive_interval(KEEPALIVE)
            .keep_alive_timeout(KEEPALIVE_LIMIT)
            .keep_alive_while_idle(true);
        // The task of a connection lives where it was made.
        let connecting = self.io.spawn(async move { endpoint.connect().await });
        let connected = connecting.await.map_err(|e| Error::internal("a connection broke off").because(e))?;
        let link = connected.map_err(|e| {
            failure::lost(url.as_str(), &Error::internal("cannot connect").because(e).to_failure().message)
        })?;
        let link = Link::new(link, Caller::new(self.trust.key.clone()));
        self.links().insert(key, link.clone());
        Ok(link)
    }

    fn links(&self) -> MutexGuard<'_, HashMap<(Url, Lane), Link>> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the helper is reached, if it is there and still the one that is meant.
    pub(super) async fn greet(&self, helper: &Helper) -> Option<Url> {
        let url = Url::parse(&helper.url).ok()?;
        let greeting = async {
            let link = self.link(&url, Lane::Narrow).await?;
            let greeted = TasksClient::new(link).greet(v1::GreetRequest {}).await;
            greeted.map(|answer| answer.into_inner().id).map_err(|status| failure::error(url.as_str(), &status))
        };
        match timeout(GREET_LIMIT, greeting).await {
            Ok(Ok(id)) if id == helper.id.as_str() => return Some(url),
            Ok(Ok(_)) => tracing::info!(%url, "another executor answers there and is left out"),
            Ok(Err(error)) => tracing::info!(%url, reason = error.message, "an executor is left out"),
            Err(_) => tracing::info!(%url, "an executor does not answer and is left out"),
        }
        self.links().retain(|(there, _), _| *there != url);
        None
    }
}
