//! What the end of an attempt means for its segment: published, done again, or the end of the run.

use flowetl_proto::code::{Class, Failure, Retry};
use flowetl_proto::control::{Output, Prepared, Severity, TestResult};
use flowetl_proto::id::{BlockId, SegmentId, Token};
use flowetl_proto::run::Phase;

use super::{Command, Step};
use crate::run::state::{AttemptPhase, Commit, Discard, SegmentPhase};
use crate::store::{CommitState, SinkCommit};

impl Step<'_> {
    /// All private effects of the attempt are complete: judge it, then publish.
    pub(super) fn prepared(&mut self, token: Token, prepared: Prepared) {
        let Some(attempt) = self.state.attempts.get_mut(&token) else { return };
        let id = attempt.segment.clone();
        let failed_tests = failed_tests(&prepared.tests);
        let has_manifest = prepared.manifest.is_some();
        attempt.prepared = Some(prepared);
        attempt.moves();
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

    pub(super) fn won(&mut self, token: Token) {
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
            self.remember(&id);
        }
    }

    /// The last sink that an extract feeds takes with it how far the extract has read, and what its source looked like.
    fn remember(&mut self, sink: &SegmentId) {
        for extract in self.state.fed_by.get(sink).into_iter().flatten() {
            if !self.state.fed_sinks(extract).all(|s| self.state.is_committed(s)) {
                continue;
            }
            let mut holders = self.state.segments.values().filter(|s| s.spec.blocks.iter().any(|b| b.id == *extract));
            let Some(prepared) = holders.find_map(|s| self.state.won(s.spec.id.as_str())) else { continue };
            if let Some(position) = prepared.positions.get(extract) {
                self.decision.changes.positions.insert(extract.clone(), position.clone());
            }
            if let Some(schema) = prepared.schemas.get(extract) {
                self.decision.changes.schemas.insert(extract.clone(), schema.clone());
            }
        }
    }

    pub(super) fn attempt_failed(&mut self, token: Token, failure: Failure) {
        let id = self.attempt(token).segment.clone();
        // Whoever says so was not thrifty, and the next one is: it comes once, and nothing is gained by waiting.
        let may_retry = failure.thriftily || self.may_retry(&id, failure.class);
        self.over(token, AttemptPhase::Failed, Some(failure.clone()));
        if self.state.phase != Phase::Running {
            self.set(&id, SegmentPhase::Cancelled);
        } else if may_retry {
            let delay = if failure.thriftily { 0 } else { self.backoff_ms(self.state.segments[&id].failures) };
            self.retry_at(&id, self.moment.now + delay);
        } else {
            self.set(&id, SegmentPhase::Failed);
            self.end(Phase::Failing, failure);
        }
    }

    /// No executor has it any more, or ever had: the work is done again, and that is no failure of the work.
    pub(super) fn gone(&mut self, token: Token) {
        let id = self.attempt(token).segment.clone();
        let failure = Failure::new(Class::LostExecutor, "it was gone when the next coordinator looked for it");
        self.over(token, AttemptPhase::Lost, Some(failure));
        if self.state.phase == Phase::Running {
            self.set(&id, SegmentPhase::RetryWait);
            self.state.segments[&id].next_try_at = Some(self.moment.now);
        } else {
            self.set(&id, SegmentPhase::Cancelled);
        }
    }

    /// It was not begun, because a vault was locked a moment before: that is no failure, and another attempt begins once the
    /// vault is open. A commit is asked for then by itself.
    pub(super) fn locked(&mut self, token: Token) {
        self.state.locked = true;
        let Some(attempt) = self.state.attempts.get(&token).filter(|a| a.phase == AttemptPhase::Running) else {
            return;
        };
        let id = attempt.segment.clone();
        let now = self.moment.now;
        let attempt = self.attempt(token);
        attempt.phase = AttemptPhase::Lost;
        attempt.ended_at = Some(now);
        attempt.failure = Some(Failure::new(Class::Cancelled, "its connections were locked before it could begin"));
        attempt.discard = Discard::Done;
        if self.state.phase == Phase::Running {
            self.set(&id, SegmentPhase::RetryWait);
            self.state.segments[&id].next_try_at = Some(now);
        } else {
            self.set(&id, SegmentPhase::Cancelled);
        }
    }

    /// What was staged is gone and nothing of it is visible: the work is done again.
    pub(super) fn lost(&mut self, token: Token) {
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
    pub(super) fn commit_failed(&mut self, token: Token, failure: Failure) {
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

    pub(super) fn discarded(&mut self, token: Token, outcome: Discard) {
        if matches!(self.state.attempts[&token].discard, Discard::Until(_)) {
            self.attempt(token).discard = outcome;
        }
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

    fn publishes(&self, id: &SegmentId) -> bool {
        self.state.segments[id].spec.output.publishes()
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
