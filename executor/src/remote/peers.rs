//! The executors of one attempt, as the engine asks for them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use async_trait::async_trait;
use datafusion::error::Result as EngineResult;
use datafusion_distributed::{ChannelResolver, TaskKey, WorkerChannel};
use flowetl_proto::code::Failure;
use flowetl_proto::control::{AttemptId, Cost, Helper, Standing};
use flowetl_proto::id::BlockId;
use futures::future::join_all;
use tokio::sync::watch;
use url::Url;

use super::Errand;
use super::far::Far;
use super::host::Host;
use super::near::Near;
use super::task::Task;
use crate::plan::Owner;
use crate::{Error, Result};

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
    /// What was told last of each task on another executor.
    told: Mutex<HashMap<TaskKey, Told>>,
    here: Mutex<Here>,
    /// Whom each stage works for, once the plan is cut.
    owners: OnceLock<HashMap<usize, Owner>>,
}

/// The tasks of this process.
#[derive(Default)]
struct Here {
    /// Not held: what a task works with leads back to its peers, and would never be let go.
    tasks: Vec<Weak<Task>>,
    /// Bytes that those have spilled which are over, by block.
    spilled: BTreeMap<BlockId, u64>,
}

/// What a task on another executor tells beside its counters.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) cost: Cost,
    pub(super) standing: Vec<Standing>,
}

impl Lead {
    /// Notes what is told of a task on another executor.
    pub(super) fn heard(&self, task: TaskKey, news: Told) {
        locked(&self.told).insert(task, news);
    }

    /// Notes a task of this process.
    pub(super) fn does_here(&self, task: &Arc<Task>) {
        locked(&self.here).tasks.push(Arc::downgrade(task));
    }

    /// Notes that a task of this process is over.
    pub(super) fn did_here(&self, task: &Arc<Task>) {
        let mut here = locked(&self.here);
        here.tasks.retain(|other| !std::ptr::eq(other.as_ptr(), Arc::as_ptr(task)));
        add(&mut here.spilled, task.spilled());
    }

    /// Whom a stage works for above its own markers.
    pub(super) fn owner(&self, stage: usize) -> Result<Owner> {
        let owner = self.owners.get().and_then(|owners| owners.get(&stage));
        owner.cloned().ok_or_else(|| Error::internal(format!("stage {stage} works for no block")))
    }

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
        let lead = Arc::new(Lead {
            errand,
            failed: watch::Sender::new(None),
            told: Mutex::default(),
            here: Mutex::default(),
            owners: OnceLock::new(),
        });
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

    /// What the other executors have used.
    pub(crate) fn cost(&self) -> Cost {
        let Some(lead) = &self.lead else { return Cost::default() };
        locked(&lead.told).values().fold(Cost::default(), |all, told| all.and(told.cost))
    }

    /// What each operator does on the other executors.
    pub(crate) fn standing(&self) -> Vec<Standing> {
        let Some(lead) = &self.lead else { return Vec::new() };
        locked(&lead.told).values().flat_map(|told| told.standing.clone()).collect()
    }

    /// Bytes that operators of tasks in this process have spilled, by block.
    pub(crate) fn spilled_here(&self) -> BTreeMap<BlockId, u64> {
        let Some(lead) = &self.lead else { return BTreeMap::new() };
        let here = locked(&lead.here);
        let mut spilled = here.spilled.clone();
        here.tasks.iter().filter_map(Weak::upgrade).for_each(|task| add(&mut spilled, task.spilled()));
        spilled
    }

    /// Says whom each stage of the plan works for, before any task of it begins.
    pub(crate) fn set_owners(&self, owners: HashMap<usize, Owner>) {
        // An attempt is cut once.
        let set = self.lead.as_ref().map(|lead| lead.owners.set(owners));
        debug_assert!(matches!(set, Some(Ok(()))), "the owners of a plan are set once");
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

fn add(sum: &mut BTreeMap<BlockId, u64>, more: BTreeMap<BlockId, u64>) {
    for (block, bytes) in more {
        *sum.entry(block).or_default() += bytes;
    }
}

fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
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
