//! The life of a run: `state` is what it knows, `machine` what it decides, and [`RunActor`] the shell that writes
//! decisions and performs them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use actix::{Actor, ActorContext, ActorFutureExt, Addr, AsyncContext, Context, SpawnHandle, WrapFuture};
use flowetl_proto::code::{Class, Failure};
use flowetl_proto::control::{AttemptEvent, AttemptSpec, Executor, Prepared};
use flowetl_proto::id::{RunId, Token};
use flowetl_proto::run::RunView;
use flowetl_proto::trace;
use tokio::runtime;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

mod bottleneck;
mod handler;
pub mod machine;
mod messages;
mod rows;
mod spec;
pub mod state;
#[cfg(test)]
pub(crate) mod tests;
mod told;
mod traced;
mod unseal;
mod view;

pub use machine::{Command, Event, Moment};
pub(crate) use messages::Happened;
pub(crate) use rows::NewRun;
pub use state::RunState;
pub(crate) use told::{Tries, told};
pub(crate) use view::view;

use crate::connections::sealed_by;
use crate::lock::Lock;
use crate::news::Feed;
use crate::notify::Mail;
use crate::store::{Record, Store, Totals};
use crate::turn::{Turn, Turns};
use crate::vault::Vault;
use crate::{Error, Result, clock, figures};

/// Fresh tokens taken at a time: more than most runs use, so that taking them costs one write.
pub(crate) const TOKENS: usize = 64;

/// How often watchers see moving counters.
const PUBLISH_EVERY: Duration = Duration::from_millis(200);

/// How long a decision is tried to be written.
const WRITE_LIMIT: Duration = Duration::from_secs(30);

/// How long a leader waits with a decision for a metadata database that is away. What its executors prepare meanwhile they
/// keep.
const OUTAGE_LIMIT: Duration = Duration::from_secs(3600);

/// How long the database may take to write one: it is then asked again, by another connection.
const ANSWER_LIMIT: Duration = Duration::from_secs(20);

/// The pause between two tries of that.
const WRITE_PAUSE: Duration = Duration::from_millis(500);

/// How long the executor may take to accept a command.
const ACCEPT_LIMIT: Duration = Duration::from_secs(60);

/// How long a cancelled attempt may take to end by itself.
const SOFT_STOP: Duration = Duration::from_secs(5);

/// How long the boundaries of one older run may take to be removed; what is left is removed after the next run.
const FORGET_LIMIT: Duration = Duration::from_secs(10);

/// What runs share with each other and with the handle.
pub(crate) struct Surroundings {
    pub store: Store,
    pub vault: Vault,
    pub executor: Arc<dyn Executor>,
    /// Where everything runs that is not deciding: actors only decide.
    pub runtime: runtime::Handle,
    pub active: Mutex<Vec<Active>>,
    /// Tells whoever watches what happens.
    pub feed: Feed,
    pub mail: Option<Mail>,
    pub turns: Turns,
    #[cfg(test)]
    pub crash: Mutex<Option<tests::Crash>>,
}

/// A run with an actor in this process.
#[derive(Clone)]
pub(crate) struct Active {
    pub run: RunId,
    pub actor: Addr<RunActor>,
    pub watch: watch::Receiver<Snapshot>,
}

/// What watchers of a run see; only the newest is kept.
#[derive(Clone)]
pub(crate) struct Snapshot {
    pub view: Arc<RunView>,
    /// What lists show of it.
    pub totals: Totals,
    /// Why the run will not go on in this process although it has not ended.
    pub interrupted: Option<String>,
}

impl Surroundings {
    pub(crate) fn active(&self, run: &RunId) -> Option<Active> {
        let active = self.active.lock().unwrap_or_else(PoisonError::into_inner);
        // An actor that went away without a word has closed its watch.
        active.iter().find(|a| a.run == *run && a.watch.has_changed().is_ok()).cloned()
    }

    /// All runs of this process as they are.
    pub(crate) fn views(&self) -> Vec<Arc<RunView>> {
        let active = self.active.lock().unwrap_or_else(PoisonError::into_inner);
        active.iter().map(|a| Arc::clone(&a.watch.borrow().view)).collect()
    }
}

/// One run's actor: holds no thread, never blocks, decides one event at a time.
pub(crate) struct RunActor {
    state: RunState,
    around: Arc<Surroundings>,
    opening: Vec<Command>,
    watch: watch::Sender<Snapshot>,
    /// Given back before watchers see the end.
    lock: Option<Arc<Lock>>,
    /// Held from its beginning on, also while it waits.
    turn: Option<Turn>,
    wake: Option<SpawnHandle>,
    publishing: bool,
    /// Whether a decision is being written, or the end tidied up. `Context::wait` keeps the mailbox closed meanwhile, but
    /// timers may fire all the same; they must neither decide nor show what is not durable yet.
    busy: bool,
    /// Waits for vaults to be opened.
    unlock: Option<JoinHandle<()>>,
    /// Whether somebody waits for its turn.
    is_waiting: bool,
    /// Ends with the actor: what was not asked for by then is not asked for any more.
    end: DropGuard,
    /// The newest command of each attempt, so that a cancel can never overtake the start it is for.
    calls: BTreeMap<Token, JoinHandle<()>>,
}

impl Actor for RunActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        let opening = std::mem::take(&mut self.opening);
        self.saved(opening, ctx);
    }
}

impl RunActor {
    /// Starts the actor of a run on the control thread; `opening` is what its newest decision, written already, asks for.
    pub(crate) fn launch(
        arbiter: &actix::ArbiterHandle,
        around: &Arc<Surroundings>,
        state: RunState,
        opening: Vec<Command>,
        (lock, turn): (Arc<Lock>, Turn),
    ) -> watch::Receiver<Snapshot> {
        let run = state.id.clone();
        let view = Arc::new(view(&state, clock::now()));
        let (sender, receiver) = watch::channel(Snapshot { view, totals: state.totals(), interrupted: None });
        // Held over both, so that no report of the first attempt can come before the run is known.
        let mut active = around.active.lock().unwrap_or_else(PoisonError::into_inner);
        let own = Arc::clone(around);
        let actor = Self::start_in_arbiter(arbiter, move |_| Self {
            state,
            around: own,
            opening,
            watch: sender,
            lock: Some(lock),
            turn: Some(turn),
            wake: None,
            publishing: false,
            busy: false,
            unlock: None,
            is_waiting: false,
            end: CancellationToken::new().drop_guard(),
            calls: BTreeMap::new(),
        });
        active.retain(|a| a.run != run);
        active.push(Active { run, actor, watch: receiver.clone() });
        figures::runs_active(active.len());
        receiver
    }

    /// Hands commands to the executor: those of one attempt one after the other, those of several at once.
    fn perform(&mut self, commands: Vec<Command>, ctx: &mut Context<Self>) {
        for command in commands {
            let token = command.token();
            let Some(spec) = spec::spec(&self.state, token) else { continue };
            let prepared = self.state.attempts.get(&token).and_then(|a| a.prepared.clone());
            let before = self.calls.remove(&token);
            let (actor, around, end) = (ctx.address(), Arc::clone(&self.around), self.end.token().clone());
            let task = self.around.runtime.spawn(async move {
                if let Some(before) = before {
                    // Ends within its own limit; how it ended was told by itself.
                    let _ = before.await;
                }
                let opened = unseal::opened(&around, &actor, command, spec);
                // What was not asked for when the run ended is not asked for any more.
                let Some(Some(spec)) = end.run_until_cancelled(opened).await else { return };
                let call = call(Arc::clone(&around.executor), command, spec, prepared);
                let late = || Failure::new(Class::Internal, format!("the executor did not accept {command:?} in time"));
                let accepted = timeout(ACCEPT_LIMIT, call).await.unwrap_or_else(|_| Err(late()));
                if let Err(failure) = accepted {
                    // A run that is gone by now has no use for it.
                    let _ = actor.send(Happened(Event::Refused { command, failure })).await;
                }
            });
            self.calls.insert(token, task);
        }
    }

    fn publish(&self) {
        let view = Arc::new(view(&self.state, clock::now()));
        self.watch.send_replace(Snapshot { view, totals: self.state.totals(), interrupted: None });
    }

    /// Shows moving counters, at most once per [`PUBLISH_EVERY`].
    fn publish_soon(&mut self, ctx: &mut Context<Self>) {
        if std::mem::replace(&mut self.publishing, true) {
            return;
        }
        ctx.run_later(PUBLISH_EVERY, |actor, _| {
            actor.publishing = false;
            if !actor.busy {
                actor.publish();
            }
        });
    }

    /// Listens for the vaults that the run waits for.
    fn await_unlock(&mut self, ctx: &mut Context<Self>) {
        if !self.state.locked || self.unlock.as_ref().is_some_and(|waits| !waits.is_finished()) {
            return;
        }
        let organizations = sealed_by(self.state.pipeline.connections.values());
        let (actor, around, end) = (ctx.address(), Arc::clone(&self.around), self.end.token().clone());
        self.unlock = Some(self.around.runtime.spawn(async move {
            if end.run_until_cancelled(around.vault.unlocked(&organizations)).await.is_some() {
                // A run that is gone by now has no use for it.
                let _ = actor.send(Happened(Event::Unlocked)).await;
            }
        }));
    }

    /// Waits until its turn has come.
    fn await_turn(&mut self, ctx: &mut Context<Self>) {
        let Some(turn) = self.turn.as_ref().filter(|_| self.state.queued && !self.is_waiting) else { return };
        let (actor, end, come) = (ctx.address(), self.end.token().clone(), turn.come());
        self.is_waiting = true;
        self.around.runtime.spawn(async move {
            if end.run_until_cancelled(come).await.is_some() {
                // A run that is gone by now has no use for it.
                let _ = actor.send(Happened(Event::Admitted)).await;
            }
        });
    }

    /// Sets the one timer to the next time at which something is due.
    fn wake_in_time(&mut self, ctx: &mut Context<Self>) {
        if let Some(old) = self.wake.take() {
            ctx.cancel_future(old);
        }
        if let Some(at) = self.state.next_wake() {
            let wake = ctx.run_later(clock::until(at), |actor, ctx| {
                actor.wake = None;
                // Else the timer is set again once the decision is written.
                if !actor.busy {
                    actor.happen(Event::Tick, ctx);
                }
            });
            self.wake = Some(wake);
        }
    }

    /// The run has ended, durably: removes what nobody will read again, then lets watchers see the end.
    fn tidy_and_end(&mut self, ctx: &mut Context<Self>) {
        self.busy = true;
        figures::run_ended(self.state.phase);
        trace::tell(|| traced::run(&self.state));
        let forget = forget_older(Arc::clone(&self.around), self.state.pipeline.name.clone());
        let tidied = self.around.runtime.spawn(forget).into_actor(self).map(|_, actor, ctx| {
            actor.let_go();
            actor.publish();
            ctx.stop();
        });
        ctx.wait(tidied);
    }

    /// Gives the pipeline free. Whoever finds the run inactive finds its lock released, too.
    fn let_go(&mut self) {
        let mut active = self.around.active.lock().unwrap_or_else(PoisonError::into_inner);
        self.lock = None;
        self.turn = None;
        active.retain(|a| a.run != self.state.id);
        figures::runs_active(active.len());
    }

    /// The run cannot go on here: it stays as it was written last, to be resumed.
    fn interrupt(&mut self, reason: String, is_takeover: bool, ctx: &mut Context<Self>) {
        tracing::error!(run = %self.state.id, %reason, "the run was interrupted");
        // What runs may be another's by now.
        if !is_takeover {
            let running = self.state.attempts.iter().filter(|(_, a)| a.phase == state::AttemptPhase::Running);
            self.perform(running.map(|(token, _)| Command::Cancel(*token)).collect(), ctx);
        }
        self.let_go();
        let view = Arc::new(view(&self.state, clock::now()));
        self.watch.send_replace(Snapshot { view, totals: self.state.totals(), interrupted: Some(reason) });
        ctx.stop();
    }
}

/// One command as the executor is given it.
async fn call(
    executor: Arc<dyn Executor>,
    command: Command,
    spec: AttemptSpec,
    prepared: Option<Prepared>,
) -> Result<(), Failure> {
    match (command, prepared) {
        (Command::Start(_), _) => executor.start(spec).await,
        (Command::Reattach(_), _) => executor.reattach(spec).await,
        (Command::Commit(_), Some(prepared)) => executor.commit(spec, prepared).await,
        (Command::Commit(_), None) => Err(Failure::new(Class::Internal, "nothing was prepared")),
        (Command::Discard(_), _) => executor.discard(spec).await,
        (Command::Cancel(token), _) => executor.cancel(spec.id.run, token, SOFT_STOP).await,
    }
}

/// Writes a decision, patiently; and takes fresh tokens if they are running out.
async fn save(store: Store, record: Record, tokens_missing: bool) -> Result<Vec<Token>> {
    let (mut started, mut away_since) = (Instant::now(), None);
    loop {
        let written = async {
            store.save(&record).await?;
            match tokens_missing {
                true => Ok(store.take_tokens(TOKENS).await?.map(Token).collect()),
                false => Ok(Vec::new()),
            }
        };
        let late = |_| Err(Error::silent(ANSWER_LIMIT));
        let asked = Instant::now();
        match timeout(ANSWER_LIMIT, written).await.unwrap_or_else(late) {
            Ok(tokens) => {
                figures::decided(asked.elapsed());
                return Ok(tokens);
            }
            Err(error) if error.is_takeover() => return Err(error),
            Err(Error::Unsure) => {
                store.sure().await?;
                started = Instant::now();
                continue;
            }
            Err(error) if store.is_led() && error.is_outage() => {
                if away_since.is_none() {
                    tracing::warn!(error = %error.chain(), "nothing is decided until the metadata database answers");
                }
                if away_since.get_or_insert_with(Instant::now).elapsed() >= OUTAGE_LIMIT {
                    return Err(error);
                }
                started = Instant::now();
            }
            Err(error) if started.elapsed() >= WRITE_LIMIT => return Err(error),
            Err(error) => tracing::warn!(error = %error.chain(), "a decision cannot be written yet, trying again"),
        }
        sleep(WRITE_PAUSE).await;
    }
}

/// Removes the boundaries of runs that nobody can resume or compare with any more.
async fn forget_older(around: Arc<Surroundings>, pipeline: String) {
    let forgettable = around.store.forgettable(&pipeline).await.unwrap_or_else(|error| {
        tracing::warn!(error = %error.chain(), "cannot look for boundaries to remove");
        Vec::new()
    });
    for run in forgettable {
        let forgotten = match timeout(FORGET_LIMIT, around.executor.forget(run.clone())).await {
            Ok(Ok(())) => around.store.forgotten(&run).await.map_err(|e| e.chain()),
            Ok(Err(failure)) => Err(failure.message),
            Err(_) => Err("it took too long".into()),
        };
        if let Err(reason) = forgotten {
            tracing::warn!(%run, %reason, "boundaries are left to be removed after the next run");
        }
    }
}

/// Hands what executors report to the runs' actors, one at a time, until the coordinator is dropped.
pub(crate) async fn dispatch(around: Weak<Surroundings>, mut events: mpsc::Receiver<AttemptEvent>) {
    while let Some(event) = events.recv().await {
        figures::attempt(&event.kind);
        let Some(active) = around.upgrade().and_then(|around| around.active(&event.run)) else { continue };
        let AttemptEvent { token, executor, cost, blocks, kind, .. } = event;
        let happened = Happened(Event::Report { token, executor, cost, blocks, kind });
        // A run that has ended meanwhile needs no news.
        let _ = active.actor.send(happened).await;
    }
}
