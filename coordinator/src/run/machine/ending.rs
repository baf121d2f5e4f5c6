//! How a run ends, and how an earlier process's run is taken up.

use flowetl_proto::code::{Class, Failure};
use flowetl_proto::id::SegmentId;
use flowetl_proto::run::Phase;

use super::{Command, HARD_STOP_MS, Step};
use crate::run::state::{AttemptPhase, AttemptState, Commit, Discard, SegmentPhase};

impl Step<'_> {
    /// Begins the run's end, unless it has begun: nothing more is started, what runs is cancelled.
    pub(super) fn end(&mut self, phase: Phase, failure: Failure) {
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

    pub(super) fn resume(&mut self) {
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

    pub(super) fn settle(&mut self, failure: Failure) {
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

    /// Nothing has ended because its coordinator did: attempts are listened to again where they are, open commits are
    /// asked for again, and so is the removal of what was to be removed.
    pub(super) fn reattach(&mut self) {
        let is_ending = self.state.phase != Phase::Running;
        if is_ending {
            self.state.hard_stop_at = Some(self.moment.now + HARD_STOP_MS);
        }
        // Whoever wrote before is told so by the next number.
        self.decision.changes.run = true;
        for (token, attempt) in &mut self.state.attempts {
            match attempt.phase {
                AttemptPhase::Running => {
                    self.decision.commands.push(Command::Reattach(*token));
                    if is_ending {
                        self.decision.commands.push(Command::Cancel(*token));
                    }
                }
                AttemptPhase::Committing => {
                    (attempt.commit, attempt.commit_failures) = (Commit::Asked, 0);
                    self.decision.commands.push(Command::Commit(*token));
                }
                AttemptPhase::Won | AttemptPhase::Failed | AttemptPhase::Cancelled | AttemptPhase::Lost => {}
            }
        }
        self.discard_again();
    }

    /// Asks again for the removal of what ended attempts had staged and nobody is known to have removed.
    fn discard_again(&mut self) {
        let has_staged = |a: &AttemptState| {
            matches!(a.phase, AttemptPhase::Failed | AttemptPhase::Cancelled | AttemptPhase::Lost)
                && a.discard != Discard::Done
        };
        let left = self.state.attempts.iter().filter(|(_, a)| has_staged(a)).map(|(token, _)| *token);
        for token in left.collect::<Vec<_>>() {
            self.discard(token);
        }
    }

    /// Whatever an earlier process had under way died with it: open commits are asked for again, the rest is removed.
    fn take_over(&mut self) {
        self.discard_again();
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
                AttemptPhase::Failed | AttemptPhase::Cancelled | AttemptPhase::Lost => {}
            }
        }
    }

    /// Whoever takes the run up later is to know that it need not wait again.
    pub(super) fn admitted(&mut self) {
        self.decision.changes.run |= std::mem::take(&mut self.state.queued);
    }

    /// Ends the run once nothing is under way and nothing more can start.
    pub(super) fn finish(&mut self) {
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
            _ if state.locked
                || state.queued
                || state.tokens.is_empty()
                || state.segments.values().any(|s| s.phase == SegmentPhase::RetryWait) =>
            {
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
        // What had ended before, and was only tidied up, has not ended again.
        state.finished_at.get_or_insert(self.moment.now);
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
}
