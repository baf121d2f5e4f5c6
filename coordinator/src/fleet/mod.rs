//! The executors of a coordinator: who is alive, what they can do, and which of them works on what.
//!
//! `place` decides, this is the shell around it: `membership` watches etcd, `member` keeps a stream of reports from each
//! executor open, `client` speaks to them.

mod alone;
mod client;
mod member;
mod membership;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use flowetl_proto::announcement::Announcement;
use flowetl_proto::catalogue::Catalogue;
use flowetl_proto::code::{Class, Failure};
use flowetl_proto::control::{AttemptEvent, AttemptSpec, BoundaryFolder, Executor, Prepared, Segment};
use flowetl_proto::etcd::Etcd;
use flowetl_proto::id::{BlockId, ExecutorId, RunId, Token};
use flowetl_proto::log::{Page, Query};
use flowetl_proto::look::{FileState, Found, Inspector, NotFound, RowsForm, SegmentPlan};
use flowetl_proto::pipeline::{ConnectionSpec, Pipeline, Reference, Unsealed};
use flowetl_proto::quarantine;
use flowetl_proto::tables::{Sample, Table};
use flowetl_proto::trust::Trust;
use flowetl_proto::wire::v1::ExecutorInfo;
use futures::future::join_all;
use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

use self::client::Client;
use crate::lead::Tenure;
use crate::place::{Action, Answer, Event, Job, Placement};
use crate::{Error, Result, figures};

/// Events between the executors' streams and the runs; an executor keeps what does not fit.
const EVENTS_WAITING_MAX: usize = 256;
/// How often what waits is looked at.
const TICK: Duration = Duration::from_secs(1);
/// How long a coordinator waits at its start for the executors that are announced already, so that the first pipeline finds
/// one to be checked with. Runs that it takes over wait for theirs by themselves.
const GATHER_LIMIT: Duration = Duration::from_secs(2);

pub use alone::Alone;

/// The executors as the service shows and asks them.
#[async_trait]
pub trait Roster: Inspector {
    /// The blocks and connectors that pipelines are checked against; `None` while no executor is known.
    fn catalogue(&self) -> Option<Arc<Catalogue>>;
    /// The executors that are alive.
    fn executors(&self) -> Vec<ExecutorInfo>;
    /// Asks one to take nothing new, to finish what it has and to end.
    async fn drain(&self, id: &ExecutorId) -> std::result::Result<(), Failure>;
}

/// Where executors announce themselves.
#[derive(Clone, Debug)]
pub struct FleetConfig {
    pub etcd: Etcd,
    /// What the keys in etcd begin with.
    pub prefix: String,
    /// How executors are known, and what they are shown.
    pub trust: Trust,
}

/// Many executors as one: work goes to whichever has room.
pub struct Fleet {
    desk: Arc<Desk>,
    /// Ends the tasks with the fleet.
    _end: DropGuard,
}

/// What the tasks of a fleet share.
struct Desk {
    state: Mutex<State>,
    events: mpsc::Sender<AttemptEvent>,
    tenure: Tenure,
    trust: Trust,
    /// How many executors were reached or could not be, at least once.
    tried: watch::Sender<usize>,
    started: Instant,
    end: CancellationToken,
}

#[derive(Default)]
struct State {
    placement: Placement,
    seats: BTreeMap<ExecutorId, Seat>,
    catalogue: Option<Arc<Catalogue>>,
}

/// What the shell knows of an executor.
struct Seat {
    announcement: Announcement,
    /// The newest connection; `None` before the first.
    client: Option<Client>,
    /// Ends the task that attends to it.
    end: CancellationToken,
}

impl Fleet {
    /// Finds the executors that are there and goes on watching; they take calls under `tenure` until a newer leader's.
    /// What they report comes out of the receiver. Fails where etcd does not answer: without it nobody can be found.
    pub async fn open(config: FleetConfig, tenure: Tenure) -> Result<(Arc<Self>, mpsc::Receiver<AttemptEvent>)> {
        let (events, reports) = mpsc::channel(EVENTS_WAITING_MAX);
        let end = CancellationToken::new();
        let desk = Arc::new(Desk {
            state: Mutex::default(),
            events,
            tenure,
            trust: config.trust.clone(),
            tried: watch::Sender::new(0),
            started: Instant::now(),
            end: end.clone(),
        });
        let fleet = Arc::new(Self { desk: Arc::clone(&desk), _end: end.drop_guard() });
        let first = Box::pin(membership::list(&config)).await.map_err(|reason| Error::Etcd(reason.into()))?;
        let announced = first.announced.len();
        desk.listed(&first.announced).await;
        tokio::spawn(membership::watch(Arc::clone(&desk), config, first));
        tokio::spawn(tick(Arc::clone(&desk)));
        let mut tried = desk.tried.subscribe();
        let all = tried.wait_for(|tried| *tried >= announced);
        if timeout(GATHER_LIMIT, all).await.is_err() {
            tracing::warn!("some executors that are announced have not answered yet");
        }
        Ok((fleet, reports))
    }

    /// One that is alive, for what any of them can do.
    fn any(&self) -> std::result::Result<Client, Failure> {
        let state = self.desk.state();
        let seat = state.placement.any().and_then(|id| state.seats.get(id));
        let client = seat.and_then(|seat| seat.client.clone());
        client.ok_or_else(|| Failure::new(Class::LostExecutor, "there is no executor"))
    }

    async fn ask(&self, job: Job) -> std::result::Result<(), Failure> {
        self.desk.happen(Event::Asked(job)).await;
        Ok(())
    }
}

#[async_trait]
impl Inspector for Fleet {
    async fn plan(
        &self,
        pipeline: &Pipeline,
        segments: &[Segment],
        remembered: &BTreeMap<BlockId, Value>,
        secrets: &Unsealed,
    ) -> std::result::Result<Vec<SegmentPlan>, Failure> {
        self.any()?.plan(pipeline, segments, remembered, secrets).await
    }

    async fn preview(
        &self,
        pipeline: &Pipeline,
        block: &BlockId,
        rows: (usize, RowsForm),
        secrets: &Unsealed,
    ) -> std::result::Result<Vec<u8>, Failure> {
        self.any()?.preview(pipeline, block, rows, secrets).await
    }

    async fn test(
        &self,
        name: &str,
        connection: &ConnectionSpec,
        secrets: &Unsealed,
    ) -> std::result::Result<std::result::Result<Found, NotFound>, Failure> {
        self.any()?.test(name, connection, secrets).await
    }

    async fn discover(
        &self,
        name: &str,
        connection: &ConnectionSpec,
        secrets: &Unsealed,
        pages: mpsc::Sender<Vec<Table>>,
    ) -> std::result::Result<(), Failure> {
        self.any()?.discover(name, connection, secrets, pages).await
    }

    async fn sample(
        &self,
        connection: &ConnectionSpec,
        from: &Reference,
        count: usize,
        secrets: &Unsealed,
    ) -> std::result::Result<Sample, Failure> {
        self.any()?.sample(connection, from, count, secrets).await
    }

    async fn files(
        &self,
        connection: &ConnectionSpec,
        place: &Reference,
        secrets: &Unsealed,
    ) -> std::result::Result<Vec<FileState>, Failure> {
        self.any()?.files(connection, place, secrets).await
    }
}

#[async_trait]
impl Roster for Fleet {
    fn catalogue(&self) -> Option<Arc<Catalogue>> {
        self.desk.state().catalogue.clone()
    }

    fn executors(&self) -> Vec<ExecutorInfo> {
        let state = self.desk.state();
        let loads = state.placement.loads();
        let known = loads.iter().filter_map(|(id, load)| Some((id, load, &state.seats.get(id)?.announcement)));
        known
            .map(|(id, load, announcement)| ExecutorInfo {
                id: id.to_string(),
                address: announcement.url.clone(),
                version: announcement.version.clone(),
                slots: load.slots,
                busy: load.busy,
                draining: announcement.draining,
            })
            .collect()
    }

    async fn drain(&self, id: &ExecutorId) -> std::result::Result<(), Failure> {
        let client = {
            let state = self.desk.state();
            let seat = state.seats.get(id);
            let seat = seat.ok_or_else(|| Failure::new(Class::User, format!("no executor `{id}` is alive")))?;
            seat.client.clone()
        };
        let unreached = || Failure::new(Class::LostExecutor, format!("executor `{id}` has not been reached yet"));
        client.ok_or_else(unreached)?.drain().await
    }
}

#[async_trait]
impl Executor for Fleet {
    async fn start(&self, attempt: AttemptSpec) -> std::result::Result<(), Failure> {
        self.ask(Job::Start(Arc::new(attempt))).await
    }

    async fn reattach(&self, attempt: AttemptSpec) -> std::result::Result<(), Failure> {
        self.ask(Job::Reattach(Arc::new(attempt))).await
    }

    async fn commit(&self, attempt: AttemptSpec, prepared: Prepared) -> std::result::Result<(), Failure> {
        self.ask(Job::Commit(Arc::new(attempt), Arc::new(prepared))).await
    }

    async fn discard(&self, attempt: AttemptSpec) -> std::result::Result<(), Failure> {
        self.ask(Job::Discard(Arc::new(attempt))).await
    }

    async fn forget(&self, run: RunId) -> std::result::Result<(), Failure> {
        // Asked for at the end of a run, whose events wait until it is done: it takes a way of its own.
        self.any()?.forget(&run).await
    }

    async fn boundaries(&self) -> std::result::Result<Vec<BoundaryFolder>, Failure> {
        self.any()?.boundaries().await
    }

    async fn sweep(&self, folders: Vec<BoundaryFolder>) -> std::result::Result<(), Failure> {
        self.any()?.sweep(&folders).await
    }

    async fn log(&self, query: Query) -> std::result::Result<Page, Failure> {
        self.any()?.log(&query).await
    }

    async fn quarantined(&self, query: quarantine::Query) -> std::result::Result<quarantine::Page, Failure> {
        self.any()?.quarantined(&query).await
    }

    async fn sweep_logs(&self, before: RunId) -> std::result::Result<usize, Failure> {
        self.any()?.sweep_logs(&before).await
    }

    async fn retain(&self, runs: BTreeSet<RunId>, until: Token) -> std::result::Result<(), Failure> {
        let clients: Vec<_> = self.desk.state().seats.values().filter_map(|seat| seat.client.clone()).collect();
        for told in join_all(clients.iter().map(|client| client.retain(&runs, until))).await {
            if let Err(failure) = told {
                tracing::debug!(
                    reason = failure.message,
                    "an executor remembers runs that are over until it is told again"
                );
            }
        }
        Ok(())
    }

    async fn cancel(&self, run: RunId, token: Token, limit: Duration) -> std::result::Result<(), Failure> {
        self.ask(Job::Cancel { run, token, limit }).await
    }
}

impl Desk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Decides what follows from an event, and does it. Returns once the runs can hear what they are to hear.
    async fn happen(self: &Arc<Self>, event: Event) {
        let actions = self.state().placement.step(self.started.elapsed(), event);
        for action in actions {
            match action {
                Action::Attend(id) => self.attend(id),
                Action::Leave(id) => {
                    if let Some(seat) = self.state().seats.remove(&id) {
                        seat.end.cancel();
                    }
                }
                Action::Call(id, job) => self.call(id, job),
                // The receiver goes with the coordinator.
                Action::Tell(event) => drop(self.events.send(event).await),
            }
        }
    }

    fn attend(self: &Arc<Self>, id: ExecutorId) {
        let state = self.state();
        let Some(seat) = state.seats.get(&id) else { return };
        let (announcement, end) = (seat.announcement.clone(), seat.end.clone());
        tokio::spawn(member::attend(Arc::clone(self), announcement, end));
    }

    fn call(self: &Arc<Self>, id: ExecutorId, job: Job) {
        let client = self.state().seats.get(&id).and_then(|seat| seat.client.clone());
        let (desk, token) = (Arc::clone(self), job.token());
        tokio::spawn(async move {
            let answer = match client {
                Some(client) => client.perform(job).await,
                None => Answer::Unsure("its connection is gone".into()),
            };
            desk.happen(Event::Answered(id, token, answer)).await;
        });
    }

    /// Takes what etcd lists as all there is.
    async fn listed(self: &Arc<Self>, announced: &[Announcement]) {
        let known: Vec<_> = self.state().seats.keys().cloned().collect();
        for id in known.into_iter().filter(|id| announced.iter().all(|a| a.id != *id)) {
            self.happen(Event::Withdrawn(id)).await;
        }
        for announcement in announced {
            self.announced(announcement.clone()).await;
        }
    }

    /// An executor is announced, for the first time or otherwise than before. One of another version gets no work: plans
    /// and messages are for equals.
    async fn announced(self: &Arc<Self>, announcement: Announcement) {
        let (id, slots, draining) = (announcement.id.clone(), announcement.slots, announcement.draining);
        let (url, version) = (announcement.url.clone(), announcement.version.clone());
        let is_new = {
            let mut state = self.state();
            let is_new = !state.seats.contains_key(&id);
            let seat = state.seats.entry(id.clone()).or_insert_with(|| Seat {
                announcement: announcement.clone(),
                client: None,
                end: self.end.child_token(),
            });
            seat.announcement = announcement;
            is_new
        };
        if version == flowetl_proto::VERSION {
            self.happen(Event::Announced { id, url, slots, draining }).await;
        } else if is_new {
            tracing::warn!(executor = %id, %version, "an executor of another version gets no work");
            self.tried.send_modify(|tried| *tried += 1);
        }
    }

    async fn withdrawn(self: &Arc<Self>, id: ExecutorId) {
        let other_version = {
            let mut state = self.state();
            let other = state.seats.get(&id).is_some_and(|s| s.announcement.version != flowetl_proto::VERSION);
            if other {
                state.seats.remove(&id);
            }
            other
        };
        if !other_version {
            self.happen(Event::Withdrawn(id)).await;
        }
    }
}

async fn tick(desk: Arc<Desk>) {
    let mut due = interval(TICK);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while desk.end.clone().run_until_cancelled(due.tick()).await.is_some() {
        desk.happen(Event::Tick).await;
        figures::fleet(&desk.state().placement.loads());
    }
}
