//! Tests of the brain, and the crash that simulations ask the shell for.

mod fuzz;

use std::collections::BTreeMap;

use actix::{ActorContext, Context};
use flowetl_proto::code::{Class, Failure};
use flowetl_proto::control::{Activity, AttemptEventKind, Cost, Manifest, Position, Prepared, Standing};
use flowetl_proto::id::{RunId, Token};
use flowetl_proto::pipeline::Pipeline;
use flowetl_proto::run::{Phase, RunOptions};
use serde_json::{Value, json};

use super::machine::step;
use super::state::{Discard, SegmentPhase, is_incremental};
use super::{Command, Event, Moment, NewRun, RunActor, RunState, machine, spec};
use crate::tests::{incremental, load, pipeline, test};

/// Makes an actor stop as if its process had died, once a number of decisions were written: before or after the last
/// one's commands are performed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crash {
    pub saves: usize,
    pub perform: bool,
}

impl RunActor {
    pub(super) fn crashes(&mut self, commands: &[Command], ctx: &mut Context<Self>) -> bool {
        let mut crash = self.around.crash.lock().unwrap();
        let Some(planned) = crash.as_mut() else { return false };
        if planned.saves > 0 {
            planned.saves -= 1;
            return false;
        }
        let perform = planned.perform;
        drop(crash);
        if perform {
            self.perform(commands.to_vec(), ctx);
        }
        self.let_go();
        ctx.stop();
        true
    }
}

/// The pipeline of most tables here: one boundary, read by a test and two loads that it gates.
fn shop() -> Pipeline {
    let blocks = vec![
        incremental("orders"),
        test("checks", "orders"),
        load("log", "orders", "append"),
        load("table", "orders", "merge"),
    ];
    pipeline("shop", blocks)
}

pub(super) fn state(pipeline: Pipeline) -> RunState {
    let new = NewRun {
        id: RunId::new("r"),
        pipeline,
        hash: "h".into(),
        options: RunOptions::default(),
        starts: BTreeMap::new(),
        schemas: BTreeMap::new(),
        parallel_segments: 2,
        locked: false,
        queued: false,
        now: 0,
    };
    RunState::new(new, 1, 1..100)
}

pub(super) fn at(now: i64) -> Moment {
    Moment { now, random: 1.0 }
}

fn prepared(state: &RunState, token: Token) -> AttemptEventKind {
    let spec = spec::spec(state, token).unwrap();
    let position = Position { column: "n".into(), data_type: "Int64".into(), value: token.to_string() };
    let incremental = spec.segment.blocks.iter().filter(|b| is_incremental(b));
    let extracts = spec.segment.blocks.iter().filter(|b| b.kind == "extract");
    AttemptEventKind::Prepared(Box::new(Prepared {
        manifest: Some(Manifest { schema: Value::Null, parts: vec![] }),
        staged: None,
        tests: vec![],
        positions: incremental.map(|b| (b.id.clone(), position.clone())).collect(),
        schemas: extracts.map(|b| (b.id.clone(), json!({ "read_by": token }))).collect(),
        schema_changes: vec![],
        blocks: BTreeMap::new(),
    }))
}

fn failed(class: Class) -> AttemptEventKind {
    AttemptEventKind::Failed(Failure::new(class, "made to fail"))
}

/// A report from somebody who knows no counters.
fn told(token: Token, kind: AttemptEventKind) -> Event {
    Event::Report { token, executor: None, cost: Cost::default(), blocks: BTreeMap::new(), kind }
}

/// Reports of one attempt in a row; the commands that the last one led to.
pub(super) fn report(state: &mut RunState, now: i64, token: i64, kinds: &[AttemptEventKind]) -> Vec<Command> {
    let mut commands = vec![];
    for kind in kinds {
        commands = step(state, at(now), told(Token(token), kind.clone())).commands;
    }
    commands
}

/// `shop` with the boundary and the test committed: `log` runs as token 3, `table` as token 4.
fn audited() -> RunState {
    let mut state = state(shop());
    assert_eq!(step(&mut state, at(0), Event::Begin).commands, [Command::Start(Token(1))]);
    let kind = prepared(&state, Token(1));
    assert_eq!(report(&mut state, 1, 1, &[kind]), [Command::Start(Token(2))]);
    let kind = prepared(&state, Token(2));
    assert_eq!(report(&mut state, 2, 2, &[kind]), [Command::Start(Token(3)), Command::Start(Token(4))]);
    state
}

#[test]
fn the_position_moves_with_the_last_sink() {
    let mut state = audited();
    for token in [3, 4] {
        let kind = prepared(&state, Token(token));
        assert_eq!(report(&mut state, 3, token, &[kind]), [Command::Commit(Token(token))]);
        let carried = spec::spec(&state, Token(token)).unwrap().carried;
        assert_eq!(carried["orders"].value, "1");
    }
    let committed = |token| told(Token(token), AttemptEventKind::Committed);
    let early = step(&mut state, at(4), committed(3)).changes;
    assert!(early.positions.is_empty() && early.schemas.is_empty());
    assert!(state.is_partly_appended());
    let last = step(&mut state, at(4), committed(4));
    assert_eq!(last.changes.positions["orders"].value, "1");
    assert_eq!(last.changes.schemas["orders"], json!({ "read_by": 1 }));
    assert_eq!((state.phase, state.is_partly_appended()), (Phase::Success, false));
    assert!(step(&mut state, at(5), committed(4)).changes.is_empty(), "a second answer changes nothing");
}

#[test]
fn a_retry_waits_for_its_time_and_for_the_staging_to_go() {
    let mut state = audited();
    assert_eq!(report(&mut state, 10, 3, &[failed(Class::SinkTransient)]), [Command::Discard(Token(3))]);
    assert_eq!(state.next_wake(), Some(12), "the first wait is 2 ms");
    assert!(step(&mut state, at(12), Event::Tick).commands.is_empty(), "the staging may still be there");
    assert_eq!(report(&mut state, 13, 3, &[AttemptEventKind::Discarded]), [Command::Start(Token(5))]);
    assert_eq!(report(&mut state, 20, 5, &[failed(Class::SinkTransient)]), [Command::Discard(Token(5))]);
    assert_eq!(state.next_wake(), Some(24), "the second one twice that");
    let late = 20 + machine::DISCARD_LIMIT_MS;
    assert_eq!(step(&mut state, at(late), Event::Tick).commands, [Command::Start(Token(6))], "nobody waits for ever");
    let last = report(&mut state, late, 6, &[failed(Class::SinkTransient)]);
    assert_eq!(last, [Command::Discard(Token(6)), Command::Cancel(Token(4))]);
    assert_eq!((state.phase, state.segments["log"].phase), (Phase::Failing, SegmentPhase::Failed));
}

#[test]
fn staging_that_cannot_be_removed_is_not_waited_for() {
    let mut state = state(shop());
    step(&mut state, at(0), Event::Begin);
    assert_eq!(report(&mut state, 10, 1, &[failed(Class::User)]), [Command::Discard(Token(1))]);
    assert!(report(&mut state, 11, 1, &[failed(Class::Cancelled)]).is_empty(), "the answer to a cancellation");
    assert_eq!(
        (state.phase, state.attempts[&Token(1)].discard),
        (Phase::Failing, Discard::Until(10 + machine::DISCARD_LIMIT_MS))
    );
    report(&mut state, 12, 1, &[failed(Class::User)]);
    assert_eq!((state.phase, state.finished_at), (Phase::Failed, Some(12)));
}

#[test]
fn classes_decide_how_often() {
    for (class, attempts) in [(Class::User, 1), (Class::Panic, 1), (Class::Truncated, 2), (Class::SourceTransient, 3)] {
        let mut state = state(shop());
        step(&mut state, at(0), Event::Begin);
        for token in 1..=attempts {
            assert_eq!(state.phase, Phase::Running, "{class}");
            report(&mut state, token * 1_000, token, &[failed(class), AttemptEventKind::Discarded]);
            step(&mut state, at(token * 1_000 + 500), Event::Tick);
        }
        assert_eq!((state.phase, state.attempts.len() as i64), (Phase::Failed, attempts), "{class}");
    }
}

#[test]
fn too_little_memory_may_mean_one_more_attempt_that_needs_less() {
    let mut state = audited();
    let failure = Failure { thriftily: true, ..Failure::new(Class::Resource, "no room") };
    assert!(!spec::spec(&state, Token(3)).unwrap().thrifty);
    report(&mut state, 10, 3, &[AttemptEventKind::Failed(failure)]);
    assert_eq!(state.next_wake(), Some(10), "nothing is gained by waiting");
    assert_eq!(report(&mut state, 11, 3, &[AttemptEventKind::Discarded]), [Command::Start(Token(5))]);
    assert!(spec::spec(&state, Token(5)).unwrap().thrifty);
    assert!(!spec::spec(&state, Token(4)).unwrap().thrifty, "that of another segment had memory enough");
    report(&mut state, 20, 5, &[failed(Class::Resource)]);
    assert_eq!((state.phase, state.segments["log"].phase), (Phase::Failing, SegmentPhase::Failed));
}

#[test]
fn an_unknown_commit_is_never_another_attempt() {
    let mut state = audited();
    let kind = prepared(&state, Token(3));
    report(&mut state, 3, 3, &[kind]);
    let mut now = 10;
    for _ in 0..2 {
        assert!(report(&mut state, now, 3, &[failed(Class::SinkTransient)]).is_empty());
        now = state.next_wake().unwrap();
        assert_eq!(step(&mut state, at(now), Event::Tick).commands, [Command::Commit(Token(3))]);
    }
    assert_eq!(report(&mut state, now, 3, &[failed(Class::SinkTransient)]), [Command::Cancel(Token(4))]);
    report(&mut state, now, 4, &[failed(Class::Cancelled), AttemptEventKind::Discarded]);
    assert_eq!((state.phase, state.segments["log"].phase), (Phase::Failed, SegmentPhase::Committing));
    assert_eq!(
        step(&mut state, at(now), Event::Resume).commands,
        [Command::Commit(Token(3)), Command::Start(Token(5))]
    );
}

#[test]
fn a_refused_commit_is_final() {
    let mut state = audited();
    let kind = prepared(&state, Token(3));
    let commands = report(&mut state, 3, 3, &[kind, failed(Class::User)]);
    assert_eq!(commands, [Command::Discard(Token(3)), Command::Cancel(Token(4))]);
    assert_eq!(state.segments["log"].phase, SegmentPhase::Failed);
}

#[test]
fn a_failed_run_lets_a_commit_finish_and_a_late_cancel_is_success() {
    let mut state = audited();
    for token in [3, 4] {
        let kind = prepared(&state, Token(token));
        report(&mut state, 3, token, &[kind]);
    }
    assert!(step(&mut state, at(4), Event::Cancel).commands.is_empty(), "nothing is left to be cancelled");
    report(&mut state, 5, 3, &[AttemptEventKind::Committed]);
    assert_eq!(state.phase, Phase::Cancelling);
    report(&mut state, 5, 4, &[AttemptEventKind::Committed]);
    assert_eq!((state.phase, state.failure.clone()), (Phase::Success, None));
}

#[test]
fn a_cancelled_run_ends_at_the_hard_stop() {
    let mut state = audited();
    let commands = step(&mut state, at(10), Event::Cancel).commands;
    assert_eq!(commands, [Command::Cancel(Token(3)), Command::Cancel(Token(4))]);
    report(&mut state, 11, 3, &[failed(Class::Cancelled)]);
    assert_eq!(state.next_wake(), Some(11 + machine::DISCARD_LIMIT_MS));
    step(&mut state, at(10 + machine::HARD_STOP_MS), Event::Tick);
    assert_eq!((state.phase, state.next_wake()), (Phase::Cancelled, None));
    assert_eq!(state.finished_at, Some(10 + machine::HARD_STOP_MS));
}

#[test]
fn a_boundary_without_a_manifest_is_a_fault() {
    let mut state = state(shop());
    step(&mut state, at(0), Event::Begin);
    let AttemptEventKind::Prepared(mut empty) = prepared(&state, Token(1)) else { unreachable!() };
    empty.manifest = None;
    report(&mut state, 1, 1, &[AttemptEventKind::Prepared(empty)]);
    assert_eq!(state.failure.unwrap().class, Class::Internal);
}

#[test]
fn a_new_coordinator_goes_on_with_attempts_as_they_are() {
    let mut state = audited();
    let kind = prepared(&state, Token(4));
    report(&mut state, 3, 4, &[kind]);
    let before = state.clone();
    let decision = step(&mut state, at(50), Event::Reattach);
    assert_eq!(decision.commands, [Command::Reattach(Token(3)), Command::Commit(Token(4))]);
    assert!(decision.changes.run && decision.changes.attempts.is_empty() && decision.changes.segments.is_empty());
    assert_eq!((state.started_at, state.continued), (before.started_at, false), "it is the same run");
    let kind = prepared(&state, Token(3));
    assert_eq!(report(&mut state, 60, 3, &[kind]), [Command::Commit(Token(3))]);
    report(&mut state, 61, 4, &[AttemptEventKind::Committed]);
    report(&mut state, 61, 3, &[AttemptEventKind::Committed]);
    assert_eq!((state.phase, state.attempts.len()), (Phase::Success, 4));
}

#[test]
fn what_a_new_coordinator_does_not_find_is_done_again_and_counts_as_no_failure() {
    let mut state = audited();
    step(&mut state, at(50), Event::Reattach);
    assert_eq!(report(&mut state, 51, 3, &[AttemptEventKind::Lost]), [Command::Discard(Token(3))]);
    assert_eq!(report(&mut state, 52, 3, &[AttemptEventKind::Discarded]), [Command::Start(Token(5))]);
    assert_eq!((state.segments["log"].failures, state.attempts[&Token(5)].number), (0, 2));
    // A run that was ending still does.
    step(&mut state, at(60), Event::Cancel);
    let commands = step(&mut state, at(70), Event::Reattach).commands;
    let again = |token| [Command::Reattach(Token(token)), Command::Cancel(Token(token))];
    assert_eq!(commands, [again(4), again(5)].concat());
    for token in [4, 5] {
        report(&mut state, 71, token, &[AttemptEventKind::Lost, AttemptEventKind::Discarded]);
    }
    assert_eq!(state.phase, Phase::Cancelled);
}

#[test]
fn what_stands_still_is_written_down_once() {
    let mut state = state(shop());
    step(&mut state, at(0), Event::Begin);
    let standing = Standing {
        executor: "http://e:1".into(),
        block: "orders".into(),
        stream: 0,
        activity: Activity::Waiting,
        ms: 31_200,
    };
    let stalled = Some("no row has moved for 31 s".to_owned());
    let progress = |stalled: Option<String>, standing: Vec<Standing>| {
        told(Token(1), AttemptEventKind::Progress { stalled, standing })
    };
    let still = progress(stalled.clone(), vec![standing]);
    let (kind, detail) = still.describe();
    assert_eq!((kind, &detail["stalled"]), ("stalled", &json!(stalled)));
    assert_eq!(detail["standing"], json!(["`orders` (0) waits for its input for 31.2 s at http://e:1"]));
    let moves = progress(None, vec![]);
    for (event, written) in [(&still, true), (&still, false), (&moves, false), (&still, true)] {
        let decision = step(&mut state, at(1), event.clone());
        assert_eq!((!decision.changes.is_empty(), decision.changes.stalled), (written, written));
        let news = state.record(decision.changes, event.describe(), 1).news;
        let told = news.map(|news| (news.kind, news.detail["stalled"].clone()));
        assert_eq!(told, written.then(|| ("run.stalled".to_owned(), json!(stalled))));
    }
    let view = super::view(&state, 2);
    let segment = &view.segments["orders"];
    assert_eq!((segment.stalled.clone(), segment.standing.len()), (stalled, 1));
}
