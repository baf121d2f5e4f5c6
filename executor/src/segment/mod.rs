//! One attempt of one segment: the actor that plans it, starts its operators, and reports.

mod handler;
mod help;
mod machine;
mod messages;
mod says;
mod verdict;
mod watch;
pub(crate) mod work;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, AsyncContext, Context, Recipient};
use flowetl_proto::code::{Class, Failure};
use flowetl_proto::control::{Activity, AttemptEvent, AttemptEventKind, AttemptSpec, Cost, Meter, Standing};
use flowetl_proto::id::BlockId;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

pub(crate) use self::help::Help;
use self::machine::{Event, Machine};
pub(crate) use self::messages::{Cancel, OperatorEnded};
use self::says::Says;
use self::watch::Watch;
use self::work::Work;
use crate::node::{AttemptOver, Surroundings};
use crate::plan::Thrift;
use crate::usage::Account;

/// How often progress is told.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);
/// Events waiting here: each operator ends once, the rest is a handful.
const MAILBOX_CAPACITY: usize = 64;

/// The shell around [`Machine`].
pub(crate) struct SegmentActor {
    spec: AttemptSpec,
    surroundings: Arc<Surroundings>,
    events: mpsc::Sender<AttemptEvent>,
    node: Recipient<AttemptOver>,
    help: Arc<Help>,
    machine: Machine,
    work: Option<Arc<Work>>,
    /// What was prepared, until it is told.
    outcome: Option<AttemptEventKind>,
    /// Ends the operators of the present try.
    operators: CancellationToken,
    /// Ends everything.
    all: CancellationToken,
    /// What the attempt uses here.
    account: Account,
    /// What helpers used in a try that was given up.
    given_up: Cost,
    /// Whether it moves.
    watch: Watch,
    /// What is said of it for people.
    says: Says,
}

impl SegmentActor {
    pub(crate) fn new(
        spec: AttemptSpec,
        surroundings: Arc<Surroundings>,
        events: mpsc::Sender<AttemptEvent>,
        node: Recipient<AttemptOver>,
        help: Arc<Help>,
    ) -> Self {
        let (all, account) = (CancellationToken::new(), surroundings.usage.open());
        let thrift = if spec.thrifty { Thrift::Frugal } else { Thrift::Usual };
        let says = Says::new(surroundings.journal.scribe(&spec));
        Self {
            says,
            spec,
            surroundings,
            events,
            node,
            help,
            machine: Machine::new(thrift),
            work: None,
            outcome: None,
            operators: all.child_token(),
            all,
            account,
            given_up: Cost::default(),
            watch: Watch::begin(),
        }
    }

    fn event(&self, kind: AttemptEventKind) -> AttemptEvent {
        let id = &self.spec.id;
        AttemptEvent {
            run: id.run.clone(),
            segment: id.segment.clone(),
            token: id.token,
            cost: self.cost(),
            blocks: self.counted(),
            executor: None,
            kind,
        }
    }

    /// What it has used so far, here and where it is helped.
    fn cost(&self) -> Cost {
        let helped = self.work.as_ref().map_or_else(Cost::default, |work| work.helpers_cost());
        self.account.cost().and(self.given_up).and(helped)
    }

    /// What its blocks have counted so far.
    fn counted(&self) -> BTreeMap<BlockId, Meter> {
        self.work.as_ref().map(|work| work.blocks()).unwrap_or_default()
    }

    /// Tells progress; a coordinator that is slow to read misses one, and gets the next. Gives up what will never move.
    fn report(&mut self, context: &mut Context<Self>) {
        if self.machine.is_ended() {
            return;
        }
        let blocks = self.counted();
        let rows = blocks.values().map(|m| m.rows_in + m.rows_out).sum();
        let still = self.watch.saw(rows);
        let stalled = (still >= self.surroundings.config.stall_limit)
            .then(|| format!("no row has moved for {} s: {}", still.as_secs(), self.whereabouts()));
        let standing = if stalled.is_some() { self.standing(still) } else { Vec::new() };
        self.says.progress(&blocks, stalled.as_deref());
        let given_up = stalled.clone().filter(|_| self.gives_up(&standing));
        let event = self.event(AttemptEventKind::Progress { stalled, standing });
        if self.events.try_send(event).is_err() {
            tracing::debug!("a progress report was dropped: the coordinator is behind");
        }
        if let Some(stalled) = given_up {
            let failure = Failure::new(Class::Stalled, format!("its operators wait for each other: {stalled}"));
            self.on(Event::Stalled(failure), context);
        }
    }
}

impl SegmentActor {
    /// Whether it has stood like this for too long.
    fn gives_up(&self, standing: &[Standing]) -> bool {
        let limit = self.surroundings.config.deadlock_limit;
        let blocks = &self.spec.segment.blocks;
        self.work.as_ref().is_some_and(|work| self.watch.gives_up(standing, blocks, limit, work.is_spread()))
    }

    /// What every operator does. Where none is at work, a source or a target was asked for something.
    fn standing(&self, still: Duration) -> Vec<Standing> {
        let executor = self.surroundings.host.as_ref().map_or("", |host| host.url.as_str());
        let standing = self.work.as_ref().map(|work| work.standing(executor)).unwrap_or_default();
        if !standing.is_empty() {
            return standing;
        }
        let activity = if self.work.is_some() { Activity::Finishing } else { Activity::Waiting };
        let ms = u64::try_from(still.as_millis()).unwrap_or(u64::MAX);
        let block = BlockId::new(self.spec.segment.id.as_str());
        vec![Standing { executor: executor.to_owned(), block, stream: 0, activity, ms }]
    }

    /// Where nothing moves, in one sentence.
    fn whereabouts(&self) -> String {
        match &self.work {
            Some(work) => work.whereabouts(),
            // A source or a target that is asked what it has, and does not answer.
            None => format!("`{}` is being planned", self.spec.segment.id),
        }
    }
}

impl Actor for SegmentActor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.set_mailbox_capacity(MAILBOX_CAPACITY);
        context.run_interval(REPORT_INTERVAL, |actor, context| actor.report(context));
        let first = self.machine.begin();
        self.perform(first, context);
    }
}
