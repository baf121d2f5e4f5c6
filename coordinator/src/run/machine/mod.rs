//! The brain of a run: what an event means, which rows change, and what is to be done next.
//!
//! Pure: time and randomness come in, decisions go out. The shell writes a decision's changes in one transaction and
//! only then performs its commands; every command may be performed again after a restart.

mod attempt;
mod ending;

use std::collections::{BTreeMap, BTreeSet};

use flowetl_proto::code::{Class, Failure};
use flowetl_proto::control::{AttemptEventKind, Cost, Meter, Position, Standing};
use flowetl_proto::id::{BlockId, SegmentId, Token};
use flowetl_proto::run::Phase;
use serde_json::Value;

use super::state::{AttemptPhase, AttemptState, Commit, Discard, RunState, SegmentPhase};
use crate::store::SinkCommit;

/// How long the staging of a lost attempt is waited for before the next one starts: dropping a table or deleting files
/// takes seconds, and its names are never used again, so going on without is safe.
pub const DISCARD_LIMIT_MS: i64 = 10_000;

/// How long an ending run waits for everything under way.
pub const HARD_STOP_MS: i64 = 20_000;

/// Now, and a number in `0.0..1.0` to spread retries with.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Milliseconds since 1970.
    pub now: i64,
    pub random: f64,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Event {
    Begin,
    /// Go on with a run that an earlier process left behind, or that had ended without success.
    Resume,
    /// Bring a run that an earlier process left behind to its end: answer its open commits, remove its staging. The
    /// failure is what a run still going ends with.
    Settle(Failure),
    /// Go on with a run that another coordinator led: what its executors still have goes on as the attempt it is.
    Reattach,
    Cancel,
    Tick,
    Report {
        token: Token,
        /// Who tells it, where that is another process.
        executor: Option<String>,
        cost: Cost,
        /// Its counters, where whoever tells knows them.
        blocks: BTreeMap<BlockId, Meter>,
        kind: AttemptEventKind,
    },
    /// What this attempt was to do needs a vault that is locked by now: it was not asked for.
    Locked(Token),
    /// Every vault that the run needs is open.
    Unlocked,
    /// Its turn among others has come.
    Admitted,
    /// The executor did not accept a command.
    Refused {
        command: Command,
        failure: Failure,
    },
}

/// What the shell is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    Start(Token),
    /// Listen to an attempt that an earlier coordinator started, wherever it is.
    Reattach(Token),
    Commit(Token),
    Discard(Token),
    Cancel(Token),
}

impl Command {
    /// The attempt it is about.
    pub fn token(self) -> Token {
        match self {
            Self::Start(token)
            | Self::Reattach(token)
            | Self::Commit(token)
            | Self::Discard(token)
            | Self::Cancel(token) => token,
        }
    }
}

/// Which rows a decision changed.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    pub run: bool,
    pub segments: BTreeSet<SegmentId>,
    pub attempts: BTreeSet<Token>,
    pub sink_commits: Vec<SinkCommit>,
    pub positions: BTreeMap<BlockId, Position>,
    pub schemas: BTreeMap<BlockId, Value>,
    /// An attempt has come to stand still.
    pub stalled: bool,
}

impl Changes {
    pub fn is_empty(&self) -> bool {
        !self.run && !self.stalled && self.segments.is_empty() && self.attempts.is_empty()
    }
}

/// What follows from an event: first the changes are written, then the commands performed.
#[derive(Clone, Debug, Default)]
pub struct Decision {
    pub changes: Changes,
    pub commands: Vec<Command>,
}

/// Decides. Events of attempts that are over, or that this run never had, change nothing; an ended run only listens to
/// being taken up again, and whatever comes late is asked for again then.
pub fn step(state: &mut RunState, moment: Moment, event: Event) -> Decision {
    if state.phase.is_terminal() && !matches!(event, Event::Resume | Event::Settle(_)) {
        return Decision::default();
    }
    let mut step = Step { state, moment, decision: Decision::default() };
    match event {
        Event::Begin | Event::Tick => {}
        Event::Resume => step.resume(),
        Event::Settle(failure) => step.settle(failure),
        Event::Reattach => step.reattach(),
        Event::Cancel => step.end(Phase::Cancelling, Failure::new(Class::Cancelled, "the run was cancelled")),
        Event::Report { token, executor, cost, blocks, kind } => {
            step.told_by(token, executor);
            step.counted(token, cost, blocks);
            step.report(token, kind);
        }
        Event::Locked(token) => step.locked(token),
        Event::Unlocked => step.state.locked = false,
        Event::Admitted => step.admitted(),
        Event::Refused { command, failure } => step.refused(command, failure),
    }
    step.expire();
    step.start_ready();
    step.finish();
    step.decision
}

/// One decision in the making.
struct Step<'a> {
    state: &'a mut RunState,
    moment: Moment,
    decision: Decision,
}

impl Step<'_> {
    /// Notes who works on an attempt: written once, for the history.
    fn told_by(&mut self, token: Token, executor: Option<String>) {
        let Some(attempt) = self.state.attempts.get_mut(&token) else { return };
        if executor.is_some() && attempt.executor != executor {
            attempt.executor = executor;
            self.decision.changes.attempts.insert(token);
        }
    }

    /// Notes what an attempt has used and moved so far.
    fn counted(&mut self, token: Token, cost: Cost, blocks: BTreeMap<BlockId, Meter>) {
        let Some(attempt) = self.state.attempts.get_mut(&token) else { return };
        attempt.cost = attempt.cost.latest(cost);
        if !blocks.is_empty() {
            attempt.counted = blocks;
        }
    }

    fn report(&mut self, token: Token, kind: AttemptEventKind) {
        let Some(attempt) = self.state.attempts.get(&token) else { return };
        match (attempt.phase, kind) {
            (AttemptPhase::Running, AttemptEventKind::Progress { stalled, standing }) => {
                self.progress(token, stalled, standing)
            }
            (AttemptPhase::Running, AttemptEventKind::Prepared(prepared)) => self.prepared(token, *prepared),
            (AttemptPhase::Running, AttemptEventKind::Failed(failure)) => self.attempt_failed(token, failure),
            (AttemptPhase::Running, AttemptEventKind::Lost) => self.gone(token),
            (AttemptPhase::Committing, AttemptEventKind::Committed) => self.won(token),
            (AttemptPhase::Committing, AttemptEventKind::Lost) => self.lost(token),
            (AttemptPhase::Committing, AttemptEventKind::Failed(failure)) => self.commit_failed(token, failure),
            (_, AttemptEventKind::Discarded) => self.discarded(token, Discard::Done),
            // Nobody tries it again now, so that nothing is waited for.
            (_, AttemptEventKind::Failed(failure)) if !failure.class.is_early_end() => {
                self.discarded(token, Discard::GivenUp)
            }
            _ => {}
        }
    }

    fn refused(&mut self, command: Command, failure: Failure) {
        let token = command.token();
        let Some(attempt) = self.state.attempts.get(&token) else { return };
        match (command, attempt.phase) {
            (Command::Start(_), AttemptPhase::Running) => self.attempt_failed(token, failure),
            (Command::Reattach(_), AttemptPhase::Running) => self.gone(token),
            (Command::Commit(_), AttemptPhase::Committing) => self.commit_failed(token, failure),
            (Command::Discard(_), _) => self.discarded(token, Discard::GivenUp),
            // The attempt may end by itself; else the hard stop ends the waiting.
            _ => {}
        }
    }

    fn progress(&mut self, token: Token, stalled: Option<String>, standing: Vec<Standing>) {
        let Some(attempt) = self.state.attempts.get_mut(&token) else { return };
        if attempt.standing.is_empty() && !standing.is_empty() {
            // Once for each time it stands still: the log then tells where, also when all is over.
            self.decision.changes.attempts.insert(token);
        }
        self.decision.changes.stalled = attempt.stalled.is_none() && stalled.is_some();
        attempt.stalled = stalled;
        attempt.standing = standing;
    }

    /// Performs what is due by the clock.
    fn expire(&mut self) {
        if self.state.phase.is_terminal() {
            return;
        }
        let now = self.moment.now;
        let hard_stop = self.state.hard_stop_at.is_some_and(|at| at <= now);
        let cancelling = self.state.phase == Phase::Cancelling;
        let tokens = self.state.attempts.keys().copied().collect::<Vec<_>>();
        for token in tokens {
            let attempt = &self.state.attempts[&token];
            let segment = attempt.segment.clone();
            match (attempt.phase, attempt.commit) {
                (AttemptPhase::Running, _) if hard_stop => {
                    let limit = HARD_STOP_MS / 1000;
                    let failure = Failure::new(Class::Cancelled, format!("it did not end within {limit} s"));
                    self.over(token, AttemptPhase::Cancelled, Some(failure));
                    self.set(&segment, SegmentPhase::Cancelled);
                }
                // A failing run lets a target finish what it is doing; a cancelled one leaves it to be replayed.
                (AttemptPhase::Committing, Commit::Again(_)) if hard_stop => {
                    self.attempt(token).commit = Commit::GivenUp
                }
                (AttemptPhase::Committing, Commit::Asked) if hard_stop && (cancelling || self.state.locked) => {
                    self.attempt(token).commit = Commit::GivenUp;
                }
                (AttemptPhase::Committing, Commit::Again(at)) if at <= now => {
                    self.attempt(token).commit = Commit::Asked;
                    self.decision.commands.push(Command::Commit(token));
                }
                _ => {}
            }
            let due = matches!(self.state.attempts[&token].discard, Discard::Until(at) if at <= now || hard_stop);
            if due {
                self.attempt(token).discard = Discard::GivenUp;
            }
        }
    }

    /// Starts whatever may start, up to the limit.
    fn start_ready(&mut self) {
        if self.state.phase != Phase::Running || self.state.locked || self.state.queued {
            return;
        }
        let under_way = |a: &&AttemptState| matches!(a.phase, AttemptPhase::Running | AttemptPhase::Committing);
        let busy = self.state.attempts.values().filter(under_way).count();
        let free = self.state.parallel_segments.saturating_sub(busy);
        let ready = self.state.segments.keys().filter(|id| self.is_ready(id)).take(free).cloned().collect::<Vec<_>>();
        for id in ready {
            // The shell keeps enough of them at hand.
            let Some(token) = self.state.tokens.pop_front() else { return };
            let number = 1 + self.state.attempts.values().filter(|a| a.segment == id).count() as u32;
            let attempt = AttemptState::new(id.clone(), number, self.moment.now);
            self.state.attempts.insert(token, attempt);
            self.decision.changes.attempts.insert(token);
            self.set(&id, SegmentPhase::Running);
            self.decision.commands.push(Command::Start(token));
        }
    }

    fn is_ready(&self, id: &SegmentId) -> bool {
        let segment = &self.state.segments[id];
        let waiting = match segment.phase {
            SegmentPhase::Pending => true,
            SegmentPhase::RetryWait => segment.next_try_at.is_none_or(|at| at <= self.moment.now),
            _ => false,
        };
        let mut before = self.state.attempts.values().filter(|a| a.segment == *id);
        waiting
            && segment.spec.upstream.iter().all(|u| self.state.is_committed(u))
            && !before.any(|a| matches!(a.discard, Discard::Until(_)))
    }

    /// The attempt is over without having won: its staging goes.
    fn over(&mut self, token: Token, phase: AttemptPhase, failure: Option<Failure>) {
        let now = self.moment.now;
        let attempt = self.attempt(token);
        attempt.phase = phase;
        attempt.failure = failure;
        attempt.ended_at = Some(now);
        attempt.moves();
        self.discard(token);
    }

    fn discard(&mut self, token: Token) {
        self.attempt(token).discard = Discard::Until(self.moment.now + DISCARD_LIMIT_MS);
        self.decision.commands.push(Command::Discard(token));
    }

    fn set(&mut self, id: &SegmentId, phase: SegmentPhase) {
        let segment = &mut self.state.segments[id];
        segment.phase = phase;
        segment.next_try_at = None;
        self.decision.changes.segments.insert(id.clone());
    }

    /// An attempt that is known to exist, to be changed.
    fn attempt(&mut self, token: Token) -> &mut AttemptState {
        self.decision.changes.attempts.insert(token);
        #[expect(clippy::expect_used, reason = "callers have looked the token up in this very decision")]
        self.state.attempts.get_mut(&token).expect("an attempt of this run")
    }
}
