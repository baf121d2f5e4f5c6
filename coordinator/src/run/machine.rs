//! The brain of a run: what an event means, which rows change, and what is to be done next.
//!
//! Pure: time and randomness come in, decisions go out. The shell writes a decision's changes in one transaction and
//! only then performs its commands; every command may be performed again after a restart.

use std::collections::{BTreeMap, BTreeSet};

use flowetl_proto::code::{Class, Failure, Retry};
use flowetl_proto::control::{AttemptEventKind, Meter, Output, Position, Prepared, Severity, TestResult};
use flowetl_proto::id::{BlockId, SegmentId, Token};

use super::state::{AttemptPhase, AttemptState, Commit, Discard, Phase, RunState, SegmentPhase};
use crate::store::{CommitState, SinkCommit};

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
    Cancel,
    Tick,
    Report {
        token: Token,
        kind: AttemptEventKind,
    },
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
    Commit(Token),
    Discard(Token),
    Cancel(Token),
}

impl Command {
    /// The attempt it is about.
    pub fn token(self) -> Token {
        let (Self::Start(token) | Self::Commit(token) | Self::Discard(token) | Self::Cancel(token)) = self;
        token
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
}

impl Changes {
    pub fn is_empty(&self) -> bool {
        !self.run && self.segments.is_empty() && self.attempts.is_empty()
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
        Event::Cancel => step.end(Phase::Cancelling, Failure::new(Class::Cancelled, "the run was cancelled")),
        Event::Report { token, kind } => step.report(token, kind),
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
    fn report(&mut self, token: Token, kind: AttemptEventKind) {
        let Some(attempt) = self.state.attempts.get(&token) else { return };
        match (attempt.phase, kind) {
            (AttemptPhase::Running, AttemptEventKind::Progress { blocks, stalled }) => {
                self.progress(token, blocks, stalled)
            }
            (AttemptPhase::Running, AttemptEventKind::Prepared(prepared)) => self.prepared(token, *prepared),
            (AttemptPhase::Running, AttemptEventKind::Failed(failure)) => self.attempt_failed(token, failure),
            (AttemptPhase::Committing, AttemptEventKind::Committed) => self.won(token),
            (AttemptPhase::Committing, AttemptEventKind::Lost) => self.lost(token),
            (AttemptPhase::Committing, AttemptEventKind::Failed(failure)) => self.commit_failed(token, failure),
            (_, AttemptEventKind::Discarded) => self.discarded(token, Discard::Done),
            _ => {}
        }
    }

    fn refused(&mut self, command: Command, failure: Failure) {
        let token = command.token();
        let Some(attempt) = self.state.attempts.get(&token) else { return };
        match (command, attempt.phase) {
            (Command::Start(_), AttemptPhase::Running) => self.attempt_failed(token, failure),
            (Command::Commit(_), AttemptPhase::Committing) => self.commit_failed(token, failure),
            (Command::Discard(_), _) => self.discarded(token, Discard::GivenUp),
            // The attempt may end by itself; else the hard stop ends the waiting.
            _ => {}
        }
    }

    fn progress(&mut self, token: Token, blocks: BTreeMap<BlockId, Meter>, stalled: Option<String>) {
        if let Some(attempt) = self.state.attempts.get_mut(&token) {
            attempt.live = blocks;
            attempt.stalled = stalled;
        }
    }

    /// All private effects of the attempt are complete: judge it, then publish.
    fn prepared(&mut self, token: Token, prepared: Prepared) {
        let Some(attempt) = self.state.attempts.get_mut(&token) else { return };
        let id = attempt.segment.clone();
        let failed_tests = failed_tests(&prepared.tests);
        let has_manifest = prepared.manifest.is_some();
        attempt.prepared = Some(prepared);
        attempt.stalled = None;
        if self.state.phase != Phase::Running {
            self.over(token, AttemptPhase::Cancelled, None);
            self.set(&id, SegmentPhase::Cancelled);
            return;
        }
        if let Some(failure) = failed_tests {
            return self.attempt_failed(token, failure);
        }
        match self.state.segments[&id].spec.output {
            Output::Boundary if !has_manifest => {
                let failure = Failure::new(Class::Internal, format!("segment `{id}` was prepared without a manifest"));
                self.attempt_failed(token, failure);
            }
            // Nothing outside has to be asked: the rows of this very decision are the commit.
            Output::Boundary | Output::Verdict => self.won(token),
            Output::Sink | Output::Relation => {
                self.attempt(token).phase = AttemptPhase::Committing;
                self.set(&id, SegmentPhase::Committing);
                self.note_commit(token, CommitState::Intent);
                self.decision.commands.push(Command::Commit(token));
            }
        }
    }

    fn won(&mut self, token: Token) {
        let now = self.moment.now;
        let attempt = self.attempt(token);
        attempt.phase = AttemptPhase::Won;
        attempt.ended_at = Some(now);
        attempt.failure = None;
        let id = attempt.segment.clone();
        self.set(&id, SegmentPhase::Committed);
        self.state.segments[&id].winner = Some(token);
        if self.publishes(&id) {
            self.note_commit(token, CommitState::Done);
            self.move_positions(&id);
        }
    }

    /// The last sink that an extract feeds takes the extract's position with it.
    fn move_positions(&mut self, sink: &SegmentId) {
        for extract in self.state.fed_by.get(sink).into_iter().flatten() {
            if !self.state.fed_sinks(extract).all(|s| self.state.is_committed(s)) {
                continue;
            }
            let holders = self.state.segments.values().filter(|s| s.spec.blocks.iter().any(|b| b.id == *extract));
            let prepared = holders.filter_map(|s| self.state.won(s.spec.id.as_str()));
            if let Some(position) = prepared.filter_map(|p| p.positions.get(extract)).next() {
                self.decision.changes.positions.insert(extract.clone(), position.clone());
            }
        }
    }

    fn attempt_failed(&mut self, token: Token, failure: Failure) {
        let id = self.attempt(token).segment.clone();
        let may_retry = self.may_retry(&id, failure.class);
        self.over(token, AttemptPhase::Failed, Some(failure.clone()));
        if self.state.phase != Phase::Running {
            self.set(&id, SegmentPhase::Cancelled);
        } else if may_retry {
            let delay = self.backoff_ms(self.state.segments[&id].failures);
            self.retry_at(&id, self.moment.now + delay);
        } else {
            self.set(&id, SegmentPhase::Failed);
            self.end(Phase::Failing, failure);
        }
    }

    /// What was staged is gone and nothing of it is visible: the work is done again.
    fn lost(&mut self, token: Token) {
        let id = self.attempt(token).segment.clone();
        self.note_commit(token, CommitState::Withdrawn);
        let failure = Failure::new(
            Class::SinkTransient,
            format!("what segment `{id}` had prepared was lost before it was published"),
        );
        let may_retry = self.may_retry(&id, failure.class);
        self.over(token, AttemptPhase::Lost, Some(failure.clone()));
        if self.state.phase != Phase::Running {
            self.set(&id, SegmentPhase::Cancelled);
        } else if may_retry {
            self.retry_at(&id, self.moment.now);
        } else {
            self.set(&id, SegmentPhase::Failed);
            self.end(Phase::Failing, failure);
        }
    }

    /// A refusal is final and nothing is visible. Any other failure leaves open whether the target has published, so
    /// the same commit is asked for again, now or by the next process: never another attempt.
    fn commit_failed(&mut self, token: Token, failure: Failure) {
        if failure.class == Class::User {
            self.note_commit(token, CommitState::Withdrawn);
            return self.attempt_failed(token, failure);
        }
        let delay = self.backoff_ms(self.state.attempts[&token].commit_failures);
        let (now, retries) = (self.moment.now, self.state.pipeline.retries.max);
        let attempt = self.attempt(token);
        attempt.failure = Some(failure.clone());
        attempt.commit_failures += 1;
        if attempt.commit_failures <= retries {
            attempt.commit = Commit::Again(now + delay);
            return;
        }
        attempt.commit = Commit::GivenUp;
        let message = format!(
            "it is not known whether `{}` was published, resume the run to find out: {}",
            attempt.segment, failure.message
        );
        self.end(Phase::Failing, Failure { message, ..failure });
    }

    fn discarded(&mut self, token: Token, outcome: Discard) {
        if matches!(self.state.attempts[&token].discard, Discard::Until(_)) {
            self.attempt(token).discard = outcome;
        }
    }

    /// Begins the run's end, unless it has begun: nothing more is started, what runs is cancelled.
    fn end(&mut self, phase: Phase, failure: Failure) {
        if self.state.phase != Phase::Running {
            return;
        }
        self.state.phase = phase;
        self.state.failure = Some(failure);
        self.state.hard_stop_at = Some(self.moment.now + HARD_STOP_MS);
        self.decision.changes.run = true;
        let running = self.state.attempts.iter().filter(|(_, a)| a.phase == AttemptPhase::Running);
        self.decision.commands.extend(running.map(|(token, _)| Command::Cancel(*token)));
    }

    fn resume(&mut self) {
        let state = &mut *self.state;
        state.phase = Phase::Running;
        state.failure = None;
        state.continued = true;
        state.started_at = self.moment.now;
        state.finished_at = None;
        state.hard_stop_at = None;
        self.decision.changes.run = true;
        self.take_over();
        for id in self.unfinished() {
            self.set(&id, SegmentPhase::Pending);
            self.state.segments[&id].failures = 0;
        }
    }

    fn settle(&mut self, failure: Failure) {
        let state = &mut *self.state;
        state.phase = match state.phase {
            Phase::Running | Phase::Failing | Phase::Failed => Phase::Failing,
            Phase::Cancelling | Phase::Cancelled => Phase::Cancelling,
            // Every segment is committed: only staging is left.
            Phase::Success => Phase::Running,
        };
        if state.phase == Phase::Failing {
            state.failure.get_or_insert(failure);
        }
        state.hard_stop_at = Some(self.moment.now + HARD_STOP_MS);
        self.decision.changes.run = true;
        self.take_over();
    }

    /// Whatever an earlier process had under way died with it: open commits are asked for again, the rest is removed.
    fn take_over(&mut self) {
        let tokens = self.state.attempts.keys().copied().collect::<Vec<_>>();
        for token in tokens {
            let attempt = self.attempt(token);
            match attempt.phase {
                AttemptPhase::Won => {}
                AttemptPhase::Committing => {
                    attempt.commit = Commit::Asked;
                    attempt.commit_failures = 0;
                    self.decision.commands.push(Command::Commit(token));
                }
                AttemptPhase::Running => {
                    let id = attempt.segment.clone();
                    self.over(token, AttemptPhase::Lost, Some(Failure::new(Class::Cancelled, "its process ended")));
                    self.set(&id, SegmentPhase::Cancelled);
                }
                AttemptPhase::Failed | AttemptPhase::Cancelled | AttemptPhase::Lost => {
                    if attempt.discard != Discard::Done {
                        self.discard(token);
                    }
                }
            }
        }
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
                (AttemptPhase::Committing, Commit::Asked) if hard_stop && cancelling => {
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
        if self.state.phase != Phase::Running {
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

    /// Ends the run once nothing is under way and nothing more can start.
    fn finish(&mut self) {
        let state = &mut *self.state;
        if state.phase.is_terminal() || state.attempts.values().any(AttemptState::is_awaited) {
            return;
        }
        let all_committed = state.segments.values().all(|s| s.phase == SegmentPhase::Committed);
        state.phase = match state.phase {
            // Also when the wish to cancel came too late.
            _ if all_committed => Phase::Success,
            Phase::Cancelling => Phase::Cancelled,
            Phase::Failing => Phase::Failed,
            _ if state.tokens.is_empty() || state.segments.values().any(|s| s.phase == SegmentPhase::RetryWait) => {
                return;
            }
            _ => {
                state.failure = Some(Failure::new(Class::Internal, "none of the remaining segments can ever start"));
                Phase::Failed
            }
        };
        if all_committed {
            state.failure = None;
        }
        state.finished_at = Some(self.moment.now);
        state.hard_stop_at = None;
        self.decision.changes.run = true;
        for id in self.unfinished() {
            match self.state.segments[&id].phase {
                SegmentPhase::Pending => self.set(&id, SegmentPhase::Skipped),
                SegmentPhase::Running | SegmentPhase::RetryWait => self.set(&id, SegmentPhase::Cancelled),
                _ => {}
            }
        }
    }

    /// Segments that are neither committed nor may have been.
    fn unfinished(&self) -> Vec<SegmentId> {
        let open = |phase| !matches!(phase, SegmentPhase::Committed | SegmentPhase::Committing);
        self.state.segments.iter().filter(|(_, s)| open(s.phase)).map(|(id, _)| id.clone()).collect()
    }

    fn may_retry(&self, id: &SegmentId, class: Class) -> bool {
        let failures = self.state.segments[id].failures;
        match class.retry() {
            Retry::Never => false,
            Retry::Once => failures == 0,
            Retry::AsConfigured => failures < self.state.pipeline.retries.max,
        }
    }

    /// Doubles with every failure; somewhere in the upper half of that, so that many runs do not come back at once.
    fn backoff_ms(&self, failures: u32) -> i64 {
        let retries = &self.state.pipeline.retries;
        let doubled = retries.backoff_min.saturating_mul(1 << failures.min(20)).min(retries.backoff_max);
        (doubled.as_millis() as f64 * (0.5 + self.moment.random / 2.0)) as i64
    }

    fn retry_at(&mut self, id: &SegmentId, at: i64) {
        self.set(id, SegmentPhase::RetryWait);
        let segment = &mut self.state.segments[id];
        segment.failures += 1;
        segment.next_try_at = Some(at);
    }

    /// The attempt is over without having won: its staging goes.
    fn over(&mut self, token: Token, phase: AttemptPhase, failure: Option<Failure>) {
        let now = self.moment.now;
        let attempt = self.attempt(token);
        attempt.phase = phase;
        attempt.failure = failure;
        attempt.ended_at = Some(now);
        attempt.stalled = None;
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

    fn publishes(&self, id: &SegmentId) -> bool {
        matches!(self.state.segments[id].spec.output, Output::Sink | Output::Relation)
    }

    fn note_commit(&mut self, token: Token, state: CommitState) {
        let block = BlockId::new(self.state.attempts[&token].segment.as_str());
        self.decision.changes.sink_commits.push(SinkCommit { block, token, state });
    }
}

/// The failure of the first test that did not pass and is an error, naming all of them.
fn failed_tests(tests: &[TestResult]) -> Option<Failure> {
    let failed = tests.iter().filter(|t| !t.passed && t.severity == Severity::Error).collect::<Vec<_>>();
    let first = failed.first()?;
    let sentence = |t: &&TestResult| {
        let rows = if t.failures == 1 { "row" } else { "rows" };
        let samples = t.samples.iter().map(|s| format!("`{s}`")).collect::<Vec<_>>().join(", ");
        let samples = if samples.is_empty() { samples } else { format!(", such as {samples}") };
        format!("test `{}` of `{}` failed for {} {rows}{samples}", t.test, t.block, t.failures)
    };
    let message = failed.iter().map(sentence).collect::<Vec<_>>().join("; ");
    Some(Failure::new(Class::DataTest, message).in_block(&first.block))
}
