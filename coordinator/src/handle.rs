//! The coordinator as the outside holds it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use flowetl_proto::control::{AttemptEvent, Executor, Position};
use flowetl_proto::id::{BlockId, RunId};
use flowetl_proto::pipeline::{Pipeline, Unsealed};
use flowetl_proto::run::{BlockPhase, RunEvent, RunSummary, RunView};
use futures::Stream;
use futures::stream::{self, StreamExt};
use serde_json::Value;
use tokio::runtime;
use tokio::sync::mpsc;

use crate::connections::unseal;
use crate::control::ControlThread;
use crate::discovery::Looks;
use crate::files::{Joining, Space};
use crate::lead::Tenure;
use crate::lock::Lock;
use crate::news::{self, Feed, Happening, Watcher};
use crate::notify::{Mail, Notifier, Pace};
use crate::run::{self, Event, Happened, RunState, Snapshot, Surroundings, view};
use crate::schedule::Clockwork;
use crate::store::{AttemptRow, OwnedRun, PositionRow, RunPage, RunQuery, Store, sqlite_url};
use crate::turn::Turns;
use crate::vault::{Keyring, Vault};
use crate::warehouse::{self, Warehouse};
use crate::{Error, Result, clock, sweep};

/// Settings of a coordinator.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where locks and the SQLite database lie; created if missing.
    pub home: PathBuf,
    /// `postgres:` or `sqlite:`; `None` takes `flowetl.db` in `home`.
    pub database_url: Option<String>,
    /// Segments of one run that may be under way at once; at least one is.
    pub parallel_segments: usize,
    /// Under which everything is decided, where other coordinators share the database; `None` where none does.
    pub tenure: Option<Tenure>,
    /// What wraps the keys of vaults.
    pub keyring: Keyring,
    /// Where uploaded files lie; `None` where nobody uploads any.
    pub space: Option<Space>,
    /// Where organizations have schemas of their own; `None` where there is no such database.
    pub warehouse: Option<Warehouse>,
    /// By which mail is sent; `None` where none is.
    pub mail: Option<Mail>,
    /// Runs of all organizations that may be under way at once; `None` where only their own limits count.
    pub runs_at_once: Option<usize>,
}

impl Config {
    pub fn new(home: impl Into<PathBuf>) -> Self {
        // Two keep both a source and a target busy; more would share the same memory.
        Self {
            home: home.into(),
            database_url: None,
            parallel_segments: 2,
            tenure: None,
            keyring: Keyring::default(),
            space: None,
            warehouse: None,
            mail: None,
            runs_at_once: None,
        }
    }

    /// The folder of the home, in full.
    pub(crate) fn home(&self) -> Result<PathBuf> {
        std::path::absolute(&self.home).map_err(|source| self.refused("find", source))
    }

    fn url(&self, home: &Path) -> String {
        self.database_url.clone().unwrap_or_else(|| sqlite_url(&home.join("flowetl.db")))
    }

    /// The metadata database as it is; `None` where there is none, or one of another schema.
    pub(crate) async fn look(&self) -> Result<Option<Store>> {
        Store::look(&self.url(&self.home()?)).await
    }

    /// Opens the metadata database, creating it and its folder if they are not there.
    pub(crate) async fn store(&self) -> Result<Store> {
        let home = self.home()?;
        std::fs::create_dir_all(&home).map_err(|source| self.refused("create", source))?;
        Store::open(&self.url(&home)).await
    }

    fn refused(&self, doing: &'static str, source: std::io::Error) -> Error {
        Error::File { doing, path: self.home.clone(), source }
    }
}

/// Decides about runs.
pub struct Coordinator;

impl Coordinator {
    /// Opens the metadata database, creating it if it is not there, and starts the control thread. `events` is where
    /// `executor` reports to. Must be called inside a tokio runtime, on which the executor is called, too.
    pub async fn open(
        config: Config,
        executor: Arc<dyn Executor>,
        events: mpsc::Receiver<AttemptEvent>,
    ) -> Result<Handle> {
        let home = config.home()?;
        let store = config.store().await?.led(config.tenure);
        let vault = Vault::new(store.clone(), config.keyring);
        if let Err(error) = vault.rewrap().await {
            tracing::warn!(error = %error.chain(), "vaults are left wrapped as they were");
        }
        let (feed, wakes) = Feed::new();
        let around = Arc::new(Surroundings {
            store,
            vault,
            feed,
            mail: config.mail,
            turns: Turns::new(config.runs_at_once),
            executor,
            runtime: runtime::Handle::current(),
            active: Mutex::new(Vec::new()),
            #[cfg(test)]
            crash: Mutex::new(None),
        });
        tokio::spawn(run::dispatch(Arc::downgrade(&around), events));
        tokio::spawn(sweep::sweep(Arc::downgrade(&around)));
        tokio::spawn(sweep::retain(Arc::downgrade(&around)));
        tokio::spawn(news::tell(Arc::downgrade(&around), wakes));
        tokio::spawn(news::forget(Arc::downgrade(&around)));
        if let Some(warehouse) = config.warehouse {
            tokio::spawn(warehouse::keep(Arc::downgrade(&around), warehouse));
        }
        let control = ControlThread::start().await?;
        Ok(Handle {
            inner: Arc::new(Inner {
                around,
                control,
                home,
                parallel_segments: config.parallel_segments.max(1),
                schedules: Clockwork::default(),
                looks: Arc::default(),
                space: config.space,
                joining: Arc::default(),
                notifier: Notifier::default(),
            }),
        })
    }
}

/// What each extract of a pipeline read of its source last, as `Prepared::schemas` has it. Opens nothing but the metadata
/// database, and makes none: where there is none, nothing is remembered.
pub async fn remembered(config: &Config, pipeline: &str) -> Result<BTreeMap<BlockId, Value>> {
    let Some(store) = config.look().await? else { return Ok(BTreeMap::new()) };
    let schemas = store.schemas(pipeline).await;
    store.close().await;
    schemas
}

/// A coordinator to talk to. Cheap to clone; when the last clone goes, active runs are left as they are, to be resumed.
#[derive(Clone)]
pub struct Handle {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub around: Arc<Surroundings>,
    pub control: ControlThread,
    pub home: PathBuf,
    pub parallel_segments: usize,
    pub schedules: Clockwork,
    pub looks: Arc<Looks>,
    pub space: Option<Space>,
    pub joining: Arc<Joining>,
    pub notifier: Notifier,
}

impl Handle {
    pub(crate) fn store(&self) -> &Store {
        &self.inner.around.store
    }

    pub(crate) fn vault(&self) -> &Vault {
        &self.inner.around.vault
    }

    /// Where uploaded files lie.
    pub(crate) fn space(&self) -> Option<&Space> {
        self.inner.space.as_ref()
    }

    /// The uploads that become files just now.
    pub(crate) fn joining(&self) -> &Arc<Joining> {
        &self.inner.joining
    }

    /// Whose turn it is.
    pub(crate) fn turns(&self) -> &Turns {
        &self.inner.around.turns
    }

    /// The looks at connections that are under way.
    pub(crate) fn looks(&self) -> &Arc<Looks> {
        &self.inner.looks
    }

    /// The secrets that a pipeline's connections name in vaults, for a look at it.
    pub async fn unsealed(&self, pipeline: &Pipeline) -> Result<Unsealed> {
        unseal(self.vault(), pipeline.connections.values()).await
    }

    /// What each extract of a pipeline read of its source last, as `Prepared::schemas` has it.
    pub async fn remembered(&self, pipeline: &str) -> Result<BTreeMap<BlockId, Value>> {
        self.store().schemas(pipeline).await
    }

    /// Begins the runs of schedules from now on, each when its time comes. Only for a coordinator that has gone on with the
    /// runs that were left behind.
    pub fn keep_schedules(&self) {
        Clockwork::start(&self.inner);
    }

    /// Tells whoever wants to know what goes wrong from now on. Only for a coordinator that leads, or is alone.
    pub fn send_alerts(&self) {
        self.inner.notifier.start(&self.inner.around, Pace::default());
    }

    /// Lets a schedule that was just written count at once.
    pub(crate) fn wake_schedules(&self) {
        self.inner.schedules.wake();
    }

    /// Whether another coordinator leads by now, so that nothing can be decided here any more.
    pub fn is_deposed(&self) -> bool {
        self.store().is_deposed()
    }

    /// Snapshots of a run, the first at once, the last with its end state. A slow reader misses some, never the last.
    /// Where the run cannot end here (it was interrupted, or another process runs it) the last item says so.
    pub async fn follow(&self, run: &RunId) -> Result<impl Stream<Item = Result<Arc<RunView>>> + Send + use<>> {
        let Some(active) = self.inner.around.active(run) else {
            let view = Arc::new(self.run(run).await?);
            let interrupted = (!view.state.is_terminal()).then(|| Err(elsewhere(run)));
            return Ok(stream::iter([Ok(view)].into_iter().chain(interrupted)).boxed());
        };
        let mut watch = active.watch;
        watch.mark_changed();
        let snapshots = stream::unfold(Some(watch), |watch| async move {
            let mut watch = watch?;
            if watch.changed().await.is_err() {
                let run = watch.borrow().view.run_id.clone();
                return Some((Err(Error::Interrupted { run, reason: "its actor ended".into() }), None));
            }
            let snapshot = watch.borrow_and_update().clone();
            let view = snapshot.view;
            match snapshot.interrupted {
                Some(reason) => Some((Err(Error::Interrupted { run: view.run_id.clone(), reason }), None)),
                None if view.state.is_terminal() => Some((Ok(view), None)),
                None => Some((Ok(view), Some(watch))),
            }
        });
        Ok(snapshots.boxed())
    }

    /// Waits for the end of a run, however it ends. Fails where it cannot end here: it was interrupted, or another
    /// process runs it.
    pub async fn wait(&self, run: &RunId) -> Result<Arc<RunView>> {
        let interrupted = |reason: String| Error::Interrupted { run: run.clone(), reason };
        let Some(mut active) = self.inner.around.active(run) else {
            let view = self.run(run).await?;
            let ended = view.state.is_terminal();
            return if ended { Ok(Arc::new(view)) } else { Err(elsewhere(run)) };
        };
        let ended = active.watch.wait_for(|s| s.view.state.is_terminal() || s.interrupted.is_some()).await;
        let snapshot = ended.map_err(|_| interrupted("its actor ended".into()))?.clone();
        match snapshot.interrupted {
            Some(reason) => Err(interrupted(reason)),
            None => Ok(snapshot.view),
        }
    }

    /// Asks an active run to end. Returns once that is accepted; [`Self::wait`] tells when it is done. A run that has
    /// ended is left as it is.
    pub async fn cancel(&self, run: &RunId) -> Result<()> {
        if let Some(active) = self.inner.around.active(run)
            && active.actor.send(Happened(Event::Cancel)).await.is_ok()
        {
            return Ok(());
        }
        let ended = self.store().run(run).await?.state.is_terminal();
        if ended { Ok(()) } else { Err(Error::NotHere(run.clone())) }
    }

    /// All runs, newest first, up to a thousand.
    pub async fn runs(&self) -> Result<Vec<RunSummary>> {
        Ok(self.store().runs().await?.into_iter().map(Into::into).collect())
    }

    /// Runs of one organization, newest first.
    pub(crate) async fn runs_of(&self, query: &RunQuery) -> Result<RunPage> {
        self.store().runs_of(query).await
    }

    /// One run of an organization; as if there were none where it is another's.
    pub(crate) async fn run_of(&self, organization: &str, run: &RunId) -> Result<OwnedRun> {
        self.store().run_of(organization, run).await
    }

    /// Runs that go on here and wait as a whole.
    pub(crate) fn waiting_runs(&self) -> Vec<RunId> {
        let waiting = self.inner.around.views().into_iter().filter(|view| view.waiting.is_some());
        waiting.map(|view| view.run_id.clone()).collect()
    }

    /// A run that goes on here, as it is just now.
    pub(crate) fn live(&self, run: &RunId) -> Option<Snapshot> {
        Some(self.inner.around.active(run)?.watch.borrow().clone())
    }

    /// All runs that go on here.
    pub(crate) fn views(&self) -> Vec<Arc<RunView>> {
        self.inner.around.views()
    }

    /// Every attempt of a run, in the order they were started.
    pub(crate) async fn attempts(&self, run: &RunId) -> Result<Vec<AttemptRow>> {
        self.store().attempts(run).await
    }

    /// One run as it stands now.
    pub async fn run(&self, run: &RunId) -> Result<RunView> {
        if let Some(active) = self.inner.around.active(run) {
            return Ok(RunView::clone(&active.watch.borrow().view));
        }
        let state = RunState::stored(self.store().load(run).await?)?;
        Ok(view(&state, clock::now()))
    }

    /// Attempts that run here or are published now, of all runs.
    pub fn busy(&self) -> usize {
        let is_busy = |phase| matches!(phase, BlockPhase::Running | BlockPhase::Committing);
        self.inner.around.views().iter().map(|view| view.segments.values().filter(|s| is_busy(s.state)).count()).sum()
    }

    /// What happened in a run, in order.
    pub async fn events(&self, run: &RunId) -> Result<Vec<RunEvent>> {
        self.store().run(run).await?;
        self.store().events(run).await
    }

    /// Listens for what happens in an organization after the number `after`, or else from now on.
    pub(crate) async fn watch(&self, organization: String, after: Option<i64>) -> Result<Watcher> {
        self.inner.around.feed.watch(self.store(), organization, after).await
    }

    /// What happened in an organization after the number `after`, up to `limit`, and the number to go on with; nothing, and the
    /// newest number, where there is none.
    pub(crate) async fn news(
        &self,
        organization: &str,
        after: Option<i64>,
        limit: i64,
    ) -> Result<(Vec<Happening>, i64)> {
        match after {
            Some(after) => news::page(self.store(), organization, after, limit).await,
            None => Ok((Vec::new(), self.store().newest_news().await?)),
        }
    }

    /// Where the next incremental reads of one pipeline, or of all, start.
    pub async fn positions(&self, pipeline: Option<&str>) -> Result<Vec<PositionRow>> {
        self.store().positions(pipeline).await
    }

    /// Sets where the next incremental read of a block starts; `None` is the beginning. Refused while the pipeline runs.
    pub async fn set_position(&self, pipeline: &str, block: &BlockId, position: Option<&Position>) -> Result<()> {
        let _lock = self.lock(pipeline).await?;
        self.store().set_position(pipeline, block, position, clock::now()).await
    }

    /// Ends the control thread and the database connections, and waits for both. Active runs are left as they are. Does
    /// nothing while other clones are held.
    pub async fn close(self) {
        self.inner.schedules.close().await;
        let Some(inner) = Arc::into_inner(self.inner) else { return };
        inner.control.close().await;
        inner.around.executor.close().await;
        inner.around.store.close().await;
    }

    /// The right to run a pipeline, or the error that names who has it.
    pub(crate) async fn lock(&self, pipeline: &str) -> Result<Arc<Lock>> {
        if let Some(lock) = Lock::try_take(&self.inner.home, pipeline)? {
            return Ok(Arc::new(lock));
        }
        let newest = self.store().newest_run(pipeline).await?;
        let run = newest.filter(|run| !run.state.is_terminal()).map(|run| run.id);
        Err(Error::Busy { pipeline: pipeline.to_owned(), run })
    }
}

fn elsewhere(run: &RunId) -> Error {
    Error::Interrupted { run: run.clone(), reason: "it does not run in this process".into() }
}
