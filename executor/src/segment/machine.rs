//! The brain of an attempt: what happens next, without a clock, a plan or a task.
//!
//! ```text
//!  Planning ──Planned──> Running ──all operators done──> Preparing ──Prepared──> Ended
//!     │                     │  └─ memory was not enough, first time, here alone: Clearing, then Planning again, thriftily
//!     └── Failed ───────────┴── Failed | Cancel ──> Stopping ──operators gone──> Ended
//! ```
//!
//! A cancel while a step runs waits for that step's end, so that nothing still makes what is about to be removed.

use flowetl_proto::code::{Class, Failure};

use crate::plan::{Thrift, Written};

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Event {
    /// The plan stands and staging is open for so many partitions.
    Planned {
        partitions: usize,
        /// Over several executors.
        spread: bool,
    },
    /// Planning or preparing did not work.
    Failed(Failure),
    /// What the writers made that it heard of: its own, or some on other executors.
    OperatorDone(Vec<Written>),
    OperatorFailed {
        partition: usize,
        failure: Failure,
    },
    /// Nothing moves, and nothing will.
    Stalled(Failure),
    /// Staging was removed, before a second try.
    Cleared,
    /// All is durable.
    Prepared,
    Cancel,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Command {
    Plan(Thrift),
    StartOperators(usize),
    StopOperators,
    Clear,
    Prepare(Vec<Written>),
    /// Tell the coordinator what was prepared; nothing follows.
    Finish,
    /// Tell the coordinator of the end; nothing follows.
    Fail(Failure),
}

#[derive(Clone, Debug, PartialEq)]
enum Phase {
    Planning,
    Running {
        /// Operators that have not ended.
        left: usize,
        written: Vec<Written>,
    },
    Preparing,
    /// Operators are being ended; then the failure is told, or the attempt is planned again.
    Stopping {
        left: usize,
        then: Then,
    },
    Clearing,
    /// Cancelled: the step that runs is being dropped.
    Ending,
    Ended,
}

#[derive(Clone, Debug, PartialEq)]
enum Then {
    Fail(Failure),
    PlanAgain,
}

/// The state of one attempt.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Machine {
    phase: Phase,
    thrift: Thrift,
    spread: bool,
}

impl Machine {
    pub(crate) fn new(thrift: Thrift) -> Self {
        Self { phase: Phase::Planning, thrift, spread: false }
    }

    /// The first commands.
    pub(crate) fn begin(&self) -> Vec<Command> {
        vec![Command::Plan(self.thrift)]
    }

    /// Whether the last word has been said.
    pub(crate) fn is_ended(&self) -> bool {
        self.phase == Phase::Ended
    }

    pub(crate) fn step(&mut self, event: Event) -> Vec<Command> {
        match (std::mem::replace(&mut self.phase, Phase::Ended), event) {
            (Phase::Ended, _) => Vec::new(),
            (Phase::Planning, Event::Planned { partitions: 0, .. }) => self.prepare(Vec::new()),
            (Phase::Planning, Event::Planned { partitions, spread }) => {
                self.spread = spread;
                self.phase = Phase::Running { left: partitions, written: Vec::new() };
                vec![Command::StartOperators(partitions)]
            }
            (Phase::Running { left, mut written }, Event::OperatorDone(more)) => {
                written.extend(more);
                if left == 1 {
                    written.sort_by_key(|w| w.partition);
                    return self.prepare(written);
                }
                self.phase = Phase::Running { left: left - 1, written };
                Vec::new()
            }
            (Phase::Running { left, .. }, Event::OperatorFailed { failure, .. }) => {
                let then = self.after(failure);
                self.stop(left - 1, then)
            }
            // Whatever they wait for, fewer streams are less likely to come to it again.
            (Phase::Running { left, .. }, Event::Stalled(failure)) => {
                self.stop(left, Then::Fail(Failure { thriftily: self.thrift == Thrift::Usual, ..failure }))
            }
            (Phase::Running { left, .. }, Event::Cancel) => self.stop(left, Then::Fail(cancelled())),
            (Phase::Stopping { left, then }, Event::OperatorDone(_) | Event::OperatorFailed { .. }) => {
                self.stopped(left - 1, then)
            }
            (Phase::Stopping { left, .. }, Event::Cancel) => {
                self.phase = Phase::Stopping { left, then: Then::Fail(cancelled()) };
                Vec::new()
            }
            (Phase::Clearing, Event::Cleared) => {
                self.phase = Phase::Planning;
                self.thrift = Thrift::Frugal;
                vec![Command::Plan(Thrift::Frugal)]
            }
            (Phase::Preparing, Event::Prepared) => vec![Command::Finish],
            // Data tests are judged here, and their queries sort and join too.
            (Phase::Preparing, Event::Failed(failure)) => match self.after(failure) {
                Then::PlanAgain => self.stop(0, Then::PlanAgain),
                Then::Fail(failure) => vec![Command::Fail(failure)],
            },
            (Phase::Planning | Phase::Clearing, Event::Failed(failure)) => {
                vec![Command::Fail(failure)]
            }
            (Phase::Planning | Phase::Preparing | Phase::Clearing, Event::Cancel) => {
                self.phase = Phase::Ending;
                Vec::new()
            }
            (Phase::Ending, Event::Planned { .. } | Event::Prepared | Event::Cleared | Event::Failed(_)) => {
                vec![Command::Fail(cancelled())]
            }
            // What an earlier phase still had to say no longer matters.
            (phase, _) => {
                self.phase = phase;
                Vec::new()
            }
        }
    }

    /// What follows a failure. Where memory was not enough the work is done once more, thriftily: here, or by an attempt of
    /// its own where other executors may still be writing into what this one has staged.
    fn after(&self, failure: Failure) -> Then {
        match failure.class == Class::Resource && self.thrift == Thrift::Usual {
            true if self.spread => Then::Fail(Failure { thriftily: true, ..failure }),
            true => Then::PlanAgain,
            false => Then::Fail(failure),
        }
    }

    fn prepare(&mut self, written: Vec<Written>) -> Vec<Command> {
        self.phase = Phase::Preparing;
        vec![Command::Prepare(written)]
    }

    fn stop(&mut self, left: usize, then: Then) -> Vec<Command> {
        let mut commands = vec![Command::StopOperators];
        commands.extend(self.stopped(left, then));
        commands
    }

    fn stopped(&mut self, left: usize, then: Then) -> Vec<Command> {
        if left > 0 {
            self.phase = Phase::Stopping { left, then };
            return Vec::new();
        }
        match then {
            Then::Fail(failure) => vec![Command::Fail(failure)],
            Then::PlanAgain => {
                self.phase = Phase::Clearing;
                vec![Command::Clear]
            }
        }
    }
}

fn cancelled() -> Failure {
    Failure::new(Class::Cancelled, "the run was cancelled")
}

#[cfg(test)]
mod tests;
