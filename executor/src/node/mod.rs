//! This process as an executor: takes attempts, publishes and removes what they staged.

mod control;
mod handler;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use actix::{Actor, Addr, Context, Message};
use async_trait::async_trait;
use datafusion::execution::runtime_env::RuntimeEnv;
use flowetl_proto::code::{Class, Failure};
use flowetl_proto::control::{AttemptEvent, AttemptSpec, BoundaryFolder, Executor, Prepared};
use flowetl_proto::id::{RunId, Token};
use flowetl_proto::log::{Page, Query};
use flowetl_proto::quarantine;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use self::control::ControlThread;
use crate::config::NodeConfig;
use crate::connectors::Sink;
use crate::fence::Fence;
use crate::journal::{FOLDER as LOGS, Journal};
use crate::memory::Budget;
use crate::quarantine::{FOLDER as QUARANTINE, read_quarantine};
use crate::remote::Host;
use crate::segment::{Help, SegmentActor};
use crate::usage::Usage;
use crate::{Result, boundary};

/// Commands waiting here: the coordinator sends a few per segment.
const MAILBOX_CAPACITY: usize = 256;

/// What every attempt on this node shares.
pub(crate) struct Surroundings {
    pub(crate) config: NodeConfig,
    /// The runtime on which rows move. Actors never do.
    pub(crate) data: Handle,
    /// This process among the executors of its cluster; `None` where it is alone.
    pub(crate) host: Option<Arc<Host>>,
    /// The pool of each run that has attempts here: its ceiling is the run's, not the attempt's.
    runtimes: Mutex<HashMap<RunId, Weak<RuntimeEnv>>>,
    /// What attempts use of this process.
    pub(crate) usage: Arc<Usage>,
    /// What is said of them.
    pub(crate) journal: Journal,
}

impl Surroundings {
    pub(crate) fn new(config: NodeConfig, data: Handle, host: Option<Arc<Host>>) -> Self {
        let executor = host.as_ref().map(|host| host.id.to_string());
        let journal = Journal::open(config.storage.clone(), executor, &data);
        Self { config, data, host, runtimes: Mutex::default(), usage: Arc::default(), journal }
    }

    /// The engine's memory and spill folder for `run`, shared by its attempts.
    pub(crate) fn runtime(&self, run: &RunId, budget: Budget) -> Result<Arc<RuntimeEnv>> {
        let mut runtimes = self.runtimes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shared) = runtimes.get(run).and_then(Weak::upgrade) {
            return Ok(shared);
        }
        let made = budget.runtime(&self.config.spill_folder)?;
        runtimes.retain(|_, runtime| runtime.strong_count() > 0);
        runtimes.insert(run.clone(), Arc::downgrade(&made));
        Ok(made)
    }
}

/// The shell around [`Fence`].
struct NodeActor {
    surroundings: Arc<Surroundings>,
    events: mpsc::Sender<AttemptEvent>,
    fence: Fence,
    running: HashMap<Token, Running>,
    /// Sinks of prepared attempts: some keep an open transaction, which only this process can commit.
    prepared: HashMap<Token, Arc<dyn Sink>>,
    /// Attempts that are being ended, to be removed then: nothing may be staged after it was removed.
    ending: HashMap<Token, AttemptSpec>,
}

/// An attempt that runs.
struct Running {
    segment: Addr<SegmentActor>,
    /// Where the helpers wait for that it asks for.
    help: Arc<Help>,
}

impl Actor for NodeActor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.set_mailbox_capacity(MAILBOX_CAPACITY);
    }
}

/// An attempt has ended; its sink stays if it waits for the commit.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct AttemptOver {
    pub(crate) token: Token,
    pub(crate) sink: Option<Arc<dyn Sink>>,
}

/// Answers whether the attempt was begun by this very request.
#[derive(Message)]
#[rtype(result = "Result<bool, Failure>")]
struct Start(AttemptSpec);

#[derive(Message)]
#[rtype(result = "Result<(), Failure>")]
struct NameHelpers(AttemptSpec);

#[derive(Message)]
#[rtype(result = "()")]
struct Retain(BTreeSet<RunId>, Token);

#[derive(Message)]
#[rtype(result = "Result<(), Failure>")]
struct Publish(AttemptSpec, Prepared);

#[derive(Message)]
#[rtype(result = "Result<(), Failure>")]
struct Discard(AttemptSpec);

#[derive(Message)]
#[rtype(result = "Result<(), Failure>")]
struct CancelAttempt(Token);

/// This process's executor, as the coordinator holds it.
#[derive(Clone)]
pub struct Node {
    address: Addr<NodeActor>,
    surroundings: Arc<Surroundings>,
    /// Ends with the last clone.
    _control: Arc<ControlThread>,
}

impl Node {
    /// Starts the node's control thread and its actor. Rows move on `data`; `events` is read by the coordinator.
    pub async fn start(config: NodeConfig, data: Handle, events: mpsc::Sender<AttemptEvent>) -> Result<Self> {
        Self::start_in(Surroundings::new(config, data, None), events).await
    }

    /// Like [`Self::start`], as one of the executors that `surroundings` knows of.
    pub(crate) async fn start_in(surroundings: Surroundings, events: mpsc::Sender<AttemptEvent>) -> Result<Self> {
        let surroundings = Arc::new(surroundings);
        let shared = Arc::clone(&surroundings);
        let control = ControlThread::start(move || {
            let actor = NodeActor {
                surroundings: shared,
                events,
                fence: Fence::default(),
                running: HashMap::new(),
                prepared: HashMap::new(),
                ending: HashMap::new(),
            };
            actor.start()
        });
        let (control, address) = control.await?;
        Ok(Self { address, surroundings, _control: Arc::new(control) })
    }

    pub(crate) fn surroundings(&self) -> &Arc<Surroundings> {
        &self.surroundings
    }

    /// Like [`Executor::start`], and says whether the attempt was begun by this very call.
    pub(crate) async fn begin(&self, attempt: AttemptSpec) -> Result<bool, Failure> {
        self.address.send(Start(attempt)).await.unwrap_or_else(|_| Err(gone()))
    }

    /// Names the helpers that a running attempt has asked for; fails where it does not wait for them (any more).
    pub(crate) async fn help(&self, attempt: AttemptSpec) -> Result<(), Failure> {
        self.address.send(NameHelpers(attempt)).await.unwrap_or_else(|_| Err(gone()))
    }
}

#[async_trait]
impl Executor for Node {
    async fn start(&self, attempt: AttemptSpec) -> Result<(), Failure> {
        self.begin(attempt).await.map(|_| ())
    }

    async fn commit(&self, attempt: AttemptSpec, prepared: Prepared) -> Result<(), Failure> {
        self.address.send(Publish(attempt, prepared)).await.unwrap_or_else(|_| Err(gone()))
    }

    async fn discard(&self, attempt: AttemptSpec) -> Result<(), Failure> {
        self.address.send(Discard(attempt)).await.unwrap_or_else(|_| Err(gone()))
    }

    async fn forget(&self, run: RunId) -> Result<(), Failure> {
        boundary::forget(&self.surroundings.config.storage, &run).await.map_err(|e| e.to_failure())
    }

    async fn boundaries(&self) -> Result<Vec<BoundaryFolder>, Failure> {
        boundary::folders(&self.surroundings.config.storage).await.map_err(|e| e.to_failure())
    }

    async fn sweep(&self, folders: Vec<BoundaryFolder>) -> Result<(), Failure> {
        boundary::sweep(&self.surroundings.config.storage, &folders).await.map_err(|e| e.to_failure())
    }

    async fn retain(&self, runs: BTreeSet<RunId>, until: Token) -> Result<(), Failure> {
        if let Some(host) = &self.surroundings.host {
            host.retain(&runs, until);
        }
        self.address.send(Retain(runs, until)).await.map_err(|_| gone())
    }

    async fn log(&self, query: Query) -> Result<Page, Failure> {
        self.surroundings.journal.read(&query).await.map_err(|e| e.to_failure())
    }

    async fn quarantined(&self, query: quarantine::Query) -> Result<quarantine::Page, Failure> {
        read_quarantine(&self.surroundings.config.storage, &query).await.map_err(|e| e.to_failure())
    }

    async fn sweep_logs(&self, before: RunId) -> Result<usize, Failure> {
        let storage = &self.surroundings.config.storage;
        let removed = async {
            storage.remove_folders_before(QUARANTINE, before.as_str()).await?;
            storage.remove_folders_before(LOGS, before.as_str()).await
        };
        removed.await.map_err(|e| e.to_failure())
    }

    async fn close(&self) {
        self.surroundings.journal.close().await;
    }

    async fn cancel(&self, _run: RunId, token: Token, _limit: Duration) -> Result<(), Failure> {
        self.address.send(CancelAttempt(token)).await.unwrap_or_else(|_| Err(gone()))
    }
}

fn gone() -> Failure {
    Failure::new(Class::Internal, "the executor has stopped")
}

#[cfg(test)]
mod tests;
