//! One attempt of one segment: the actor that plans it, starts its operators, and reports.

mod handler;
mod help;
mod machine;
mod messages;
mod verdict;
pub(crate) mod work;

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::{Actor, AsyncContext, Context, Recipient};
use flowetl_proto::control::{AttemptEvent, AttemptEventKind, AttemptSpec};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

pub(crate) use self::help::Help;
use self::machine::Machine;
pub(crate) use self::messages::{Cancel, OperatorEnded};
use self::work::Work;
use crate::node::{AttemptOver, Surroundings};

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
    /// The last sum of rows seen, and when it last changed.
    progress: (u64, Instant),
}

impl SegmentActor {
    pub(crate) fn new(
        spec: AttemptSpec,
        surroundings: Arc<Surroundings>,
        events: mpsc::Sender<AttemptEvent>,
        node: Recipient<AttemptOver>,
        help: Arc<Help>,
    ) -> Self {
        let all = CancellationToken::new();
        Self {
            spec,
            surroundings,
            events,
            node,
            help,
            machine: Machine::new(),
            work: None,
            outcome: None,
            operators: all.child_token(),
            all,
            progress: (0, Instant::now()),
        }
    }

    fn event(&self, kind: AttemptEventKind) -> AttemptEvent {
        let id = &self.spec.id;
        AttemptEvent { run: id.run.clone(), segment: id.segment.clone(), token: id.token, kind }
    }

    /// Tells progress; a coordinator that is slow to read misses one, and gets the next.
    fn report(&mut self) {
        if self.machine.is_ended() {
            return;
        }
        let blocks = self.work.as_ref().map(|work| work.blocks()).unwrap_or_default();
        let rows = blocks.values().map(|m| m.rows_in + m.rows_out).sum();
        if rows != self.progress.0 {
            self.progress = (rows, Instant::now());
        }
        let still = self.progress.1.elapsed();
        let stalled = (still >= self.surroundings.config.stall_limit)
            .then(|| format!("no row has moved for {} s: {}", still.as_secs(), self.whereabouts()));
        let event = self.event(AttemptEventKind::Progress { blocks, stalled });
        if self.events.try_send(event).is_err() {
            tracing::debug!("a progress report was dropped: the coordinator is behind");
        }
    }
}

impl SegmentActor {
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
        context.run_interval(REPORT_INTERVAL, |actor, _| actor.report());
        let first = self.machine.begin();
        self.perform(first, context);
    }
}
