//! What a server holds for its coordinators: the attempts that are here, and the events that nobody has acknowledged.

use std::collections::{BTreeMap, VecDeque};

use flowetl_proto::code::{Class, Failure};
use flowetl_proto::control::{AttemptEvent, AttemptEventKind, AttemptSpec};
use flowetl_proto::id::{RunId, Token};

/// Pure: what comes in changes it, and it says what is to be sent.
///
/// It is bounded by what coordinators have asked: an attempt has one report of progress waiting at most, one call for help and
/// its withdrawal, one end, and one answer to each commit or discard.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    held: BTreeMap<Token, Held>,
    /// Not acknowledged, with numbers that grow.
    events: VecDeque<(u64, AttemptEvent)>,
    /// The number of the newest event.
    newest: u64,
}

#[derive(Debug)]
struct Held {
    spec: AttemptSpec,
    stage: Stage,
    /// It is to be removed once it has ended.
    discarded: bool,
    /// What its end is told as, where this server ended it.
    ended_because: Option<Failure>,
    /// What was told of it when it was prepared.
    prepared: Option<AttemptEvent>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Running,
    /// Waits for its commit.
    Prepared,
    /// Its commit or its discard is under way.
    Asked,
}

impl Outbox {
    /// An attempt is about to start. Says whether it was not held before.
    pub(super) fn starts(&mut self, spec: &AttemptSpec) -> bool {
        let fresh = !self.held.contains_key(&spec.id.token);
        if fresh {
            self.hold(spec, Stage::Running);
        }
        fresh
    }

    /// An attempt has been named its helpers: another coordinator must know whom it keeps busy.
    pub(super) fn helped(&mut self, spec: &AttemptSpec) {
        if let Some(held) = self.held.get_mut(&spec.id.token) {
            held.spec.helpers = spec.helpers.clone();
        }
    }

    /// An attempt is about to be published or removed.
    pub(super) fn asked(&mut self, spec: &AttemptSpec) {
        match self.held.get_mut(&spec.id.token) {
            Some(held) if held.stage == Stage::Running => held.discarded = true,
            Some(held) => held.stage = Stage::Asked,
            None => self.hold(spec, Stage::Asked),
        }
    }

    /// Nothing came of what was about to begin.
    pub(super) fn let_go(&mut self, token: Token) {
        self.held.remove(&token);
    }

    /// Something has happened to an attempt.
    pub(super) fn push(&mut self, mut event: AttemptEvent) {
        let is_progress = |kind: &AttemptEventKind| matches!(kind, AttemptEventKind::Progress { .. });
        // Newer progress, or the end, says all that older progress had to say.
        self.events.retain(|(_, waiting)| waiting.token != event.token || !is_progress(&waiting.kind));
        if let Some(held) = self.held.get_mut(&event.token) {
            match (&event.kind, held.stage) {
                (AttemptEventKind::NeedsHelp { .. }, _) => held.spec.helpers.clear(),
                (AttemptEventKind::Progress { .. }, _) => {}
                (AttemptEventKind::Prepared(_), Stage::Running) if held.waits_for_commit() => {
                    held.stage = Stage::Prepared;
                    held.prepared = Some(event.clone());
                }
                (AttemptEventKind::Failed(failure), Stage::Running) => {
                    if failure.class == Class::Cancelled
                        && let Some(because) = held.ended_because.take()
                    {
                        event.kind = AttemptEventKind::Failed(because);
                    }
                    held.stage = Stage::Asked;
                    if !held.discarded {
                        self.held.remove(&event.token);
                    }
                }
                _ => {
                    self.held.remove(&event.token);
                }
            }
        }
        self.wait(event);
    }

    /// Another coordinator is about to listen: what waits for its commit is told again, for the one that has heard of it
    /// may have gone before it could write it down.
    pub(super) fn tell_again(&mut self) {
        let prepared: Vec<_> = self.held.values().filter(|held| held.stage == Stage::Prepared).collect();
        let told: Vec<_> = prepared.into_iter().filter_map(|held| held.prepared.clone()).collect();
        for event in told {
            if !self.events.iter().any(|(_, waiting)| *waiting == event) {
                self.wait(event);
            }
        }
    }

    fn wait(&mut self, event: AttemptEvent) {
        self.newest += 1;
        self.events.push_back((self.newest, event));
    }

    /// A coordinator has all events up to this number.
    pub(super) fn heard(&mut self, number: u64) {
        self.events.retain(|(waiting, _)| *waiting > number);
    }

    /// The oldest event after this number that nobody has acknowledged.
    pub(super) fn next_after(&self, number: u64) -> Option<&(u64, AttemptEvent)> {
        self.events.iter().find(|(waiting, _)| *waiting > number)
    }

    /// The attempts that are here, and whether each waits for its commit.
    pub(super) fn held(&self) -> impl Iterator<Item = (&AttemptSpec, bool)> {
        self.held.values().map(|held| (&held.spec, held.stage != Stage::Running))
    }

    /// Whether nothing is here and everything was heard.
    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty() && self.events.is_empty()
    }

    /// Whether an attempt runs that was not told to end.
    pub(super) fn has_running(&self) -> bool {
        self.held.values().any(|held| held.stage == Stage::Running && held.ended_because.is_none())
    }

    /// The attempts that run and are to be ended now; their ends will be told as `because`.
    pub(super) fn end_running(&mut self, because: &Failure) -> Vec<(RunId, Token)> {
        let running = self.held.values_mut().filter(|held| held.stage == Stage::Running);
        running
            .map(|held| {
                held.ended_because = Some(because.clone());
                (held.spec.id.run.clone(), held.spec.id.token)
            })
            .collect()
    }

    fn hold(&mut self, spec: &AttemptSpec, stage: Stage) {
        let held = Held { spec: spec.without_secrets(), stage, discarded: false, ended_because: None, prepared: None };
        self.held.insert(spec.id.token, held);
    }
}

impl Held {
    /// Whether something that only this process has may be needed to publish it.
    fn waits_for_commit(&self) -> bool {
        self.spec.segment.output.publishes()
    }
}

#[cfg(test)]
mod tests;
