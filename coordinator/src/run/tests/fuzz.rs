//! Random orders of events, with what must hold after each.

use std::collections::{BTreeMap, BTreeSet};

use flowetl_proto::code::{Class, Failure};
use flowetl_proto::control::AttemptEventKind;
use flowetl_proto::id::{BlockId, SegmentId, Token};
use flowetl_proto::pipeline::Pipeline;
use flowetl_proto::run::Phase;
use proptest::prelude::*;

use super::{at, failed, prepared, state, told};
use crate::cut::tests::any_pipeline;
use crate::run::machine::{Changes, step};
use crate::run::state::{AttemptPhase, AttemptState, SegmentPhase};
use crate::run::{Command, Event, RunState};

/// A run pushed about at random: what its commands asked for and nobody answered yet, and what must never be undone.
struct Fuzz {
    state: RunState,
    now: i64,
    open: Vec<Command>,
    answered: Vec<Event>,
    winners: BTreeMap<SegmentId, Token>,
    /// Extracts that were remembered.
    moved: BTreeSet<BlockId>,
    /// The last token given out.
    fresh: i64,
}

impl Fuzz {
    fn new(pipeline: Pipeline) -> Self {
        let mut fuzz = Self {
            state: state(pipeline),
            now: 0,
            open: vec![],
            answered: vec![],
            winners: BTreeMap::new(),
            moved: BTreeSet::new(),
            fresh: 100,
        };
        fuzz.happen(Event::Begin);
        fuzz
    }

    fn happen(&mut self, event: Event) {
        let before = self.state.clone();
        let revives = matches!(event, Event::Resume | Event::Settle(_));
        let decision = step(&mut self.state, at(self.now), event);
        if before.phase.is_terminal() && !revives {
            assert_eq!(self.state.phase, before.phase, "an end state was left");
            assert!(decision.commands.is_empty());
        }
        self.check_changes(&before, &decision.changes);
        for command in &decision.commands {
            if let Command::Start(token) = command {
                self.check_start(&before, *token);
                assert!(!self.state.locked && !self.state.queued, "started behind a lock or before its turn");
            }
        }
        assert!(decision.changes.positions.keys().all(|id| decision.changes.schemas.contains_key(id)));
        for extract in decision.changes.schemas.keys() {
            assert!(
                self.state.fed_sinks(extract).all(|sink| self.state.is_committed(sink)),
                "`{extract}` moved too early"
            );
            assert!(self.moved.insert(extract.clone()), "`{extract}` moved twice");
        }
        self.check_winners();
        self.open.extend(decision.commands);
        while self.state.tokens.len() < 4 {
            self.fresh += 1;
            self.state.tokens.push_back(Token(self.fresh));
        }
    }

    /// Every row that differs is written.
    fn check_changes(&self, before: &RunState, changes: &Changes) {
        for (id, segment) in &self.state.segments {
            assert!(
                segment.row(0) == before.segments[id].row(0) || changes.segments.contains(id),
                "`{id}` is not written"
            );
        }
        for (token, attempt) in &self.state.attempts {
            let same = before.attempts.get(token).is_some_and(|b| b.row(*token) == attempt.row(*token));
            assert!(same || changes.attempts.contains(token), "attempt {token} is not written");
        }
        let run = |s: &RunState| (s.phase, s.failure.clone(), s.started_at, s.finished_at);
        assert!(run(before) == run(&self.state) || changes.run);
    }

    fn check_start(&self, before: &RunState, token: Token) {
        let segment = &self.state.segments[&self.state.attempts[&token].segment];
        assert!(!before.attempts.contains_key(&token), "token {token} was used before");
        assert!(before.attempts.keys().all(|t| *t < token), "a token that does not grow");
        assert!(segment.spec.upstream.iter().all(|u| self.state.is_committed(u)));
        let under_way = |a: &&AttemptState| matches!(a.phase, AttemptPhase::Running | AttemptPhase::Committing);
        let under_way = self.state.attempts.values().filter(under_way).collect::<Vec<_>>();
        assert!(under_way.len() <= self.state.parallel_segments);
        assert_eq!(under_way.iter().filter(|a| a.segment == segment.spec.id).count(), 1);
    }

    /// A segment has one winner for ever.
    fn check_winners(&mut self) {
        for (token, attempt) in self.state.attempts.iter().filter(|(_, a)| a.phase == AttemptPhase::Won) {
            let winner = *self.winners.entry(attempt.segment.clone()).or_insert(*token);
            assert_eq!(winner, *token, "two winners of `{}`", attempt.segment);
        }
        for (id, token) in &self.winners {
            let segment = &self.state.segments[id];
            assert_eq!((segment.phase, segment.winner), (SegmentPhase::Committed, Some(*token)));
        }
    }

    /// Answers an open command, in one of the ways an executor may.
    fn answer(&mut self, which: usize, how: u8) {
        if self.open.is_empty() {
            return;
        }
        let command = self.open.swap_remove(which % self.open.len());
        let class =
            [Class::SourceTransient, Class::User, Class::Truncated, Class::SinkTransient][usize::from(how / 8) % 4];
        let token = command.token();
        let kind = match (command, how % 8) {
            (Command::Start(_) | Command::Reattach(_), 0..=4) => prepared(&self.state, token),
            (Command::Start(_) | Command::Reattach(_), 5) => failed(class),
            (Command::Reattach(_), 6) => AttemptEventKind::Lost,
            (Command::Commit(_), 0..=4) => AttemptEventKind::Committed,
            (Command::Commit(_), 5) => AttemptEventKind::Lost,
            (Command::Commit(_), 6) => failed(class),
            (Command::Discard(_), 0..=6) => AttemptEventKind::Discarded,
            (Command::Cancel(_), _) => failed(Class::Cancelled),
            (command, _) => return self.happen(Event::Refused { command, failure: Failure::new(class, "no") }),
        };
        let event = told(token, kind);
        self.answered.push(event.clone());
        self.happen(event);
    }

    fn act(&mut self, what: u8, which: usize, how: u8) {
        self.now += i64::from(how % 16);
        match what {
            0..=59 => self.answer(which, how),
            60..=74 if !self.answered.is_empty() => self.happen(self.answered[which % self.answered.len()].clone()),
            75..=84 => {
                let kind = [
                    AttemptEventKind::Committed,
                    AttemptEventKind::Lost,
                    AttemptEventKind::Discarded,
                    failed(Class::User),
                ];
                self.happen(told(Token(which as i64 % 40), kind[usize::from(how) % 2 + 2].clone()));
            }
            85..=92 => {
                self.now += i64::from(how) * 100;
                self.happen(Event::Tick);
            }
            93 => self.happen(Event::Cancel),
            94..=96 if self.state.phase != Phase::Success => self.crash(Event::Resume),
            98 => self.crash(Event::Reattach),
            99 => self.lock(),
            97 => self.crash(Event::Settle(Failure::new(Class::Cancelled, "superseded"))),
            _ => {}
        }
    }

    /// The vault is found to be locked by an attempt that was to start, or is open again.
    fn lock(&mut self) {
        let start = self.open.iter().position(|command| matches!(command, Command::Start(_)));
        match start {
            _ if self.state.locked => self.happen(Event::Unlocked),
            Some(at) => {
                let token = self.open.swap_remove(at).token();
                self.happen(Event::Locked(token));
            }
            None => {}
        }
    }

    /// The process dies, and another takes up what was written: nothing is asked that was not asked again.
    fn crash(&mut self, event: Event) {
        self.open.clear();
        self.happen(event);
    }

    fn run_out(mut self) {
        for round in 0.. {
            if self.state.phase.is_terminal() {
                break;
            }
            assert!(round < 10_000, "the run never ends: {:?}", self.state.segments);
            self.answer(0, 0);
            if self.state.locked {
                self.happen(Event::Unlocked);
            }
            if self.open.is_empty()
                && let Some(at) = self.state.next_wake()
            {
                self.now = self.now.max(at);
                self.happen(Event::Tick);
            }
        }
        let all = self.state.segments.values().all(|s| s.phase == SegmentPhase::Committed);
        assert_eq!(self.state.phase == Phase::Success, all);
        let fed = self.state.fed_by.values().flatten().cloned().collect::<BTreeSet<_>>();
        assert!(!all || self.moved == fed, "a success remembers every extract");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_order_of_events_breaks_a_run(
        pipeline in any_pipeline(),
        acts in prop::collection::vec((0..100_u8, any::<usize>(), any::<u8>()), 0..120),
    ) {
        let mut fuzz = Fuzz::new(pipeline);
        for (what, which, how) in acts {
            fuzz.act(what, which, how);
        }
        fuzz.run_out();
    }
}
