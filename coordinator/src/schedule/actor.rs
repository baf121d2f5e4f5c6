//! The shell around the schedules' brain: looks at the metadata database when a time has come, writes what is decided, and
//! begins runs.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use actix::{Actor, ActorFutureExt, Addr, AsyncContext, Context, Handler, Message, SpawnHandle, WrapFuture};
use flowetl_proto::pipeline::Pipeline;
use flowetl_proto::run::Options;
use futures::StreamExt;
use futures::stream;
use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::machine;
use crate::handle::Inner;
use crate::store::{Cause, Origin, Scheduled};
use crate::turn::Priority;
use crate::{Error, Handle, Result, clock};

/// The longest pause between two looks: what changed without a word (the machine slept, its clock was set, another process
/// wrote) is seen after it.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Schedules that are decided about in one transaction.
const DECIDED_AT_ONCE: i64 = 200;
/// Runs that one look begins; more wait for the next.
const BEGUN_BY_ONE_LOOK: i64 = 1_000;
/// Runs that are begun side by side: as many as the metadata database takes well.
const BEGUN_AT_ONCE: usize = 4;
/// The pause before a run that could not begin is tried again.
const RETRY_MS: i64 = 30_000;
/// How long a look that is under way may take to end once the coordinator closes.
const CLOSE_LIMIT: Duration = Duration::from_secs(5);

/// The schedules of a coordinator: they stand still until they are started.
#[derive(Default)]
pub(crate) struct Clockwork {
    actor: OnceLock<Addr<ScheduleActor>>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    end: CancellationToken,
    /// Held by the look that is under way.
    looks: Mutex<()>,
}

impl Clockwork {
    /// Starts the actor, on the control thread.
    pub(crate) fn start(inner: &Arc<Inner>) {
        let own = Arc::downgrade(inner);
        let shared = Arc::clone(&inner.schedules.shared);
        inner.schedules.actor.get_or_init(|| {
            ScheduleActor::start_in_arbiter(inner.control.arbiter(), move |_| ScheduleActor {
                inner: own,
                shared,
                is_looking: false,
                again: false,
                wake: None,
            })
        });
    }

    /// Lets what was just written be seen at once.
    pub(crate) fn wake(&self) {
        if let Some(actor) = self.actor.get() {
            // Where its mailbox is full a look is about to be taken.
            let _ = actor.try_send(Look);
        }
    }

    /// No look begins any more; waits for the one that is under way.
    pub(crate) async fn close(&self) {
        self.shared.end.cancel();
        if timeout(CLOSE_LIMIT, self.shared.looks.lock()).await.is_err() {
            tracing::warn!("a scheduled run was about to begin when the coordinator closed");
        }
    }
}

/// Looks whether times have come, one look at a time.
pub(crate) struct ScheduleActor {
    inner: Weak<Inner>,
    shared: Arc<Shared>,
    is_looking: bool,
    /// Something was written while a look was under way.
    again: bool,
    wake: Option<SpawnHandle>,
}

/// Look now.
#[derive(Message)]
#[rtype(result = "()")]
struct Look;

impl Actor for ScheduleActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        self.look(ctx);
    }
}

impl Handler<Look> for ScheduleActor {
    type Result = ();

    fn handle(&mut self, _: Look, ctx: &mut Context<Self>) {
        self.look(ctx);
    }
}

impl ScheduleActor {
    fn look(&mut self, ctx: &mut Context<Self>) {
        if self.is_looking {
            self.again = true;
            return;
        }
        let Some(inner) = self.inner.upgrade().filter(|_| !self.shared.end.is_cancelled()) else { return };
        self.is_looking = true;
        if let Some(wake) = self.wake.take() {
            ctx.cancel_future(wake);
        }
        let looking = inner.around.runtime.spawn(one_look(Weak::clone(&self.inner), Arc::clone(&self.shared)));
        drop(inner);
        let looked = looking.into_actor(self).map(|pause, actor, ctx| {
            actor.is_looking = false;
            let pause = match pause {
                Ok(Some(pause)) => pause,
                Ok(None) => return,
                Err(_) => LOOK_EVERY,
            };
            let pause = if std::mem::take(&mut actor.again) { Duration::ZERO } else { pause };
            actor.wake = Some(ctx.run_later(pause, |actor, ctx| {
                actor.wake = None;
                actor.look(ctx);
            }));
        });
        ctx.spawn(looked);
    }
}

/// Takes one look, and says when to take the next; `None` where there is to be none.
async fn one_look(inner: Weak<Inner>, shared: Arc<Shared>) -> Option<Duration> {
    let _looking = shared.looks.lock().await;
    let handle = Handle { inner: inner.upgrade().filter(|_| !shared.end.is_cancelled())? };
    if handle.is_deposed() {
        return None;
    }
    match look(&handle, &shared.end).await {
        Ok(pause) => Some(pause),
        Err(Error::Deposed) => None,
        Err(error) => {
            tracing::warn!(error = %error.chain(), "schedules cannot be looked at, trying again");
            Some(LOOK_EVERY)
        }
    }
}

/// Decides about every time that has come, and begins the runs that can. Says how long nothing is to be done.
async fn look(handle: &Handle, end: &CancellationToken) -> Result<Duration> {
    let store = handle.store();
    loop {
        let now = clock::now();
        let due = store.due(now, DECIDED_AT_ONCE).await?;
        let decided: Vec<_> = due.iter().map(|due| (due, machine::step(&due.state, now))).collect();
        store.decide(&decided).await?;
        if (due.len() as i64) < DECIDED_AT_ONCE {
            break;
        }
    }
    let mut pipelines = HashSet::new();
    let mut ready = store.ready(clock::now(), BEGUN_BY_ONE_LOOK).await?;
    // One after the other: the next one when that has ended.
    ready.extend(store.ready_firings(clock::now(), BEGUN_BY_ONE_LOOK).await?);
    ready.retain(|scheduled| pipelines.insert(scheduled.key.clone()));
    let begun = stream::iter(ready).map(|scheduled| async {
        match end.is_cancelled() {
            true => Ok(()),
            false => begin(handle, scheduled).await,
        }
    });
    let begun: Vec<Result<()>> = begun.buffer_unordered(BEGUN_AT_ONCE).collect().await;
    begun.into_iter().collect::<Result<()>>()?;
    let next = store.next_time().await?;
    Ok(next.map_or(LOOK_EVERY, |at| clock::until(at).min(LOOK_EVERY)))
}

/// Begins the run of a time or an event. One that cannot begin now is tried again; only what concerns all of them is an error.
pub(crate) async fn begin(handle: &Handle, scheduled: Scheduled) -> Result<()> {
    let (cause, store) = (scheduled.cause.clone(), handle.store());
    let (pipeline, revision) = scheduled.pipeline.unzip();
    let origin = Origin {
        organization: Some(scheduled.organization),
        pipeline,
        revision,
        cause: Some(scheduled.cause),
        trigger: scheduled.trigger,
        priority: Priority::of_file(&scheduled.definition),
        transformation: scheduled.transformation,
    };
    let pipeline = Pipeline { name: scheduled.key, ..scheduled.definition };
    let options = Options { until: scheduled.until, ..Options::default() };
    let begun = match pipeline.bound(&scheduled.params) {
        Ok(pipeline) => handle.submit_for(pipeline, options, origin).await,
        Err(wrong) => Err(Error::Params(wrong)),
    };
    let error = match begun {
        Ok(run) => {
            let late_ms = match &cause {
                Cause::Tick(tick) => clock::now() - tick.at,
                Cause::Firing(_) => 0,
            };
            tracing::info!(%run, ?cause, late_ms, "a run has begun by itself");
            return Ok(());
        }
        // Its turn comes when that run has ended; or it had come before.
        Err(Error::Busy { .. } | Error::Ticked { .. }) => return Ok(()),
        Err(error @ (Error::Deposed | Error::Unsure)) => return Err(error),
        Err(error) => error,
    };
    let said = error.chain();
    match (error, &cause) {
        (Error::NoBlock(_) | Error::Params(_), cause) => {
            tracing::warn!(?cause, error = said, "a run that was to begin by itself is left out");
            match cause {
                Cause::Tick(tick) => store.drop_tick(tick).await,
                Cause::Firing(id) => store.refuse_firing(id, &said).await,
            }
        }
        (_, cause) => put_off(handle, cause, &said).await,
    }
}

/// Lets the run of a time or an event be tried again later.
pub(crate) async fn put_off(handle: &Handle, cause: &Cause, said: &str) -> Result<()> {
    tracing::warn!(?cause, error = said, "a run cannot begin by itself, trying again");
    let try_at = clock::now() + RETRY_MS;
    match cause {
        Cause::Tick(tick) => handle.store().put_off(tick, try_at).await,
        Cause::Firing(id) => handle.store().put_off_firing(id, try_at).await,
    }
}
