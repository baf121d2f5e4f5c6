//! What the fleet's brain decides, event by event, and whatever order events come in.

mod share;

use std::collections::{BTreeMap, BTreeSet};

use flowetl_proto::control::{AttemptEventKind as Kind, AttemptId, Output, Segment};
use proptest::prelude::*;

use super::*;

fn spec(token: i64, output: Output) -> Arc<AttemptSpec> {
    let segment = Segment {
        id: "load".into(),
        blocks: vec![],
        inputs: vec![],
        upstream: vec![],
        rereads: BTreeSet::new(),
        frozen: false,
        output,
    };
    Arc::new(AttemptSpec {
        id: AttemptId { pipeline: "p".into(), run: "r".into(), segment: "load".into(), token: Token(token) },
        segment,
        connections: Default::default(),
        secrets: Default::default(),
        inputs: BTreeMap::new(),
        positions: BTreeMap::new(),
        schemas: BTreeMap::new(),
        carried: BTreeMap::new(),
        memory: None,
        helpers: Vec::new(),
        avoided: BTreeSet::new(),
        thrifty: false,
    })
}

fn sink(token: i64) -> Arc<AttemptSpec> {
    spec(token, Output::Sink)
}

fn prepared() -> Prepared {
    Prepared {
        manifest: None,
        staged: None,
        tests: vec![],
        positions: BTreeMap::new(),
        schemas: BTreeMap::new(),
        schema_changes: vec![],
        blocks: BTreeMap::new(),
    }
}

fn failed(class: Class) -> Kind {
    Kind::Failed(Failure::new(class, "made to fail"))
}

/// A fleet, the seconds since it began, and what it was last told to do, in words.
#[derive(Default)]
struct Desk {
    placement: Placement,
    now: u64,
}

impl Desk {
    /// One with open executors of so many slots.
    fn with(executors: &[(&str, u32)]) -> Self {
        let mut desk = Self::default();
        for (id, slots) in executors {
            assert_eq!(desk.announce(id, *slots), [format!("attend {id}")]);
            assert_eq!(desk.open(id, vec![]), [""; 0]);
        }
        desk
    }

    fn step(&mut self, event: Event) -> Vec<String> {
        let actions = self.placement.step(Duration::from_secs(self.now), event);
        actions.iter().map(words).collect()
    }

    fn announce(&mut self, id: &str, slots: u32) -> Vec<String> {
        self.step(Event::Announced { id: id.into(), url: format!("http://{id}"), slots, draining: false })
    }

    fn open(&mut self, id: &str, held: Vec<(Arc<AttemptSpec>, bool)>) -> Vec<String> {
        self.step(Event::Opened(id.into(), held))
    }

    fn start(&mut self, token: i64) -> Vec<String> {
        self.step(Event::Asked(Job::Start(sink(token))))
    }

    fn reattach(&mut self, token: i64) -> Vec<String> {
        self.step(Event::Asked(Job::Reattach(sink(token))))
    }

    fn commit(&mut self, token: i64) -> Vec<String> {
        self.step(Event::Asked(Job::Commit(sink(token), Arc::new(prepared()))))
    }

    fn discard(&mut self, token: i64) -> Vec<String> {
        self.step(Event::Asked(Job::Discard(sink(token))))
    }

    fn cancel(&mut self, token: i64) -> Vec<String> {
        self.step(Event::Asked(Job::Cancel { run: "r".into(), token: Token(token), limit: Duration::ZERO }))
    }

    fn report(&mut self, id: &str, token: i64, kind: Kind) -> Vec<String> {
        let event = AttemptEvent::new("r".into(), "load".into(), Token(token), kind);
        self.step(Event::Reported(id.into(), event))
    }

    fn answer(&mut self, id: &str, token: i64, answer: Answer) -> Vec<String> {
        self.step(Event::Answered(id.into(), Token(token), answer))
    }

    /// An attempt that an executor has accepted.
    fn started(&mut self, token: i64, on: &str) {
        assert_eq!(self.start(token), [format!("{on}: start {token}")]);
        assert_eq!(self.answer(on, token, Answer::Accepted), [""; 0]);
    }

    fn lose(&mut self, id: &str) -> Vec<String> {
        assert_eq!(self.step(Event::Broken(id.into())), [""; 0]);
        assert_eq!(self.step(Event::Unreachable(id.into())), [""; 0]);
        self.step(Event::Withdrawn(id.into()))
    }

    fn tick(&mut self, after: u64) -> Vec<String> {
        self.now += after;
        self.step(Event::Tick)
    }
}

fn words(action: &Action) -> String {
    match action {
        Action::Attend(id) => format!("attend {id}"),
        Action::Leave(id) => format!("leave {id}"),
        Action::Call(id, Job::Start(spec)) => format!("{id}: start {}", spec.id.token),
        Action::Call(id, Job::Reattach(spec)) => format!("{id}: reattach {}", spec.id.token),
        Action::Call(id, Job::Commit(spec, _)) => format!("{id}: commit {}", spec.id.token),
        Action::Call(id, Job::Discard(spec)) => format!("{id}: discard {}", spec.id.token),
        Action::Call(id, Job::Cancel { token, .. }) => format!("{id}: cancel {token}"),
        Action::Call(id, Job::Help(spec)) => {
            let helpers: Vec<_> = spec.helpers.iter().map(|helper| helper.id.as_str()).collect();
            format!("{id}: help {} by [{}]", spec.id.token, helpers.join(" "))
        }
        Action::Tell(AttemptEvent { token, kind, .. }) => match kind {
            Kind::Progress { stalled: Some(why), .. } => format!("{token} {why}"),
            Kind::Progress { .. } => format!("{token} goes on"),
            Kind::Failed(failure) => format!("{token} failed ({}): {}", failure.class, failure.message),
            kind => format!("{token} {}", serde_json::to_value(kind).unwrap().to_string().replace('"', "")),
        },
    }
}

fn gone(token: i64, id: &str) -> String {
    format!("{token} failed (lost_executor): executor `{id}` was lost: it is no longer announced and cannot be reached")
}

#[test]
fn work_goes_where_most_slots_are_free() {
    let mut desk = Desk::with(&[("a", 2), ("b", 3)]);
    desk.started(1, "b");
    desk.started(2, "a");
    desk.started(3, "b");
    desk.started(4, "a");
    desk.started(5, "b");
    assert_eq!(desk.start(6), [""; 0]);
    assert_eq!(desk.tick(1), ["6 waits for a free slot on an executor: all 5 are taken"]);
    assert_eq!(desk.tick(1), [""; 0], "told once");
    assert_eq!(desk.start(7), [""; 0]);
    assert_eq!(desk.report("a", 2, failed(Class::User)), ["2 failed (user): made to fail", "a: start 6"]);
    let loads = desk.placement.loads();
    assert_eq!(loads[&ExecutorId::from("a")], Load { slots: 2, busy: 2 });
    assert_eq!(loads[&ExecutorId::from("b")], Load { slots: 3, busy: 3 });
    assert_eq!(desk.cancel(7), ["7 failed (cancelled): the run was cancelled"]);
}

#[test]
fn a_prepared_attempt_is_published_where_it_is() {
    let mut desk = Desk::with(&[("a", 1), ("b", 1)]);
    desk.started(1, "a");
    let told = desk.report("a", 1, Kind::Prepared(Box::new(prepared())));
    assert!(told[0].starts_with("1 {prepared:"), "{told:?}");
    assert_eq!(desk.commit(1), ["a: commit 1"]);
    // Its answer overtakes the call's.
    assert_eq!(desk.report("a", 1, Kind::Committed), ["1 committed"]);
    assert_eq!(desk.answer("a", 1, Answer::Accepted), [""; 0]);
    assert_eq!(desk.report("a", 1, Kind::Committed), [""; 0], "told once");
    assert!(desk.placement.attempts.is_empty());
}

#[test]
fn a_lost_executors_work_is_done_elsewhere() {
    let mut desk = Desk::with(&[("a", 3), ("b", 1)]);
    desk.started(1, "a");
    desk.started(2, "a");
    desk.report("a", 2, Kind::Prepared(Box::new(prepared())));
    desk.started(3, "a");
    desk.report("a", 3, failed(Class::SourceTransient));
    assert_eq!(desk.discard(3), ["a: discard 3"]);
    let done = desk.lose("a");
    assert_eq!(done, [gone(1, "a"), "leave a".into(), "b: discard 3".into()]);
    assert_eq!(desk.discard(1), ["b: discard 1"]);
    assert_eq!(desk.commit(2), ["b: commit 2"]);
    assert_eq!(desk.report("a", 1, Kind::Prepared(Box::new(prepared()))), [""; 0], "nobody listens to the lost");
    assert_eq!(desk.report("b", 3, Kind::Discarded), ["3 discarded"]);
    assert_eq!(desk.report("b", 2, Kind::Lost), ["2 lost"]);
}

#[test]
fn what_a_lost_executor_has_is_removed_when_it_comes_back() {
    let mut desk = Desk::with(&[("a", 1), ("b", 1)]);
    desk.started(1, "a");
    assert_eq!(desk.lose("a"), [gone(1, "a"), "leave a".into()]);
    assert_eq!(desk.announce("a", 1), ["attend a"]);
    assert_eq!(desk.open("a", vec![(sink(1), false)]), ["a: discard 1"]);
    assert_eq!(desk.answer("a", 1, Answer::Accepted), [""; 0]);
    assert_eq!(desk.report("a", 1, Kind::Discarded), [""; 0]);
}

#[test]
fn an_executor_that_is_only_cut_off_keeps_its_work() {
    let mut desk = Desk::with(&[("a", 1), ("b", 1)]);
    desk.started(1, "a");
    desk.step(Event::Broken("a".into()));
    assert_eq!(desk.step(Event::Unreachable("a".into())), [""; 0], "it is still announced");
    assert_eq!(desk.cancel(1), [""; 0], "waits until it is reached");
    assert_eq!(desk.open("a", vec![(sink(1), false)]), ["a: cancel 1"]);
    assert_eq!(desk.step(Event::Withdrawn("a".into())), [""; 0], "it reports, whatever etcd says");
    desk.started(2, "b");
    assert_eq!(desk.start(3), [""; 0], "nothing new goes there");
    assert_eq!(desk.report("a", 1, failed(Class::Cancelled)), ["1 failed (cancelled): made to fail"]);
}

#[test]
fn an_executor_out_of_reach_for_long_is_given_up_whatever_etcd_says() {
    let mut desk = Desk::with(&[("a", 1)]);
    desk.started(1, "a");
    desk.step(Event::Broken("a".into()));
    assert_eq!(desk.tick(AWAY_LIMIT.as_secs() - 1), [""; 0]);
    let told = desk.tick(1);
    assert_eq!(told, ["1 failed (lost_executor): executor `a` was lost: it could not be reached for 75 s"]);
    assert_eq!(desk.open("a", vec![(sink(1), false)]), ["a: discard 1"]);
}

#[test]
fn without_an_executor_work_waits_and_then_fails() {
    let mut desk = Desk::default();
    assert_eq!(desk.start(1), [""; 0]);
    assert_eq!(desk.tick(1), ["1 waits for an executor: there is none that takes work"]);
    assert_eq!(desk.tick(40), [""; 0]);
    assert_eq!(desk.commit(2), [""; 0]);
    assert_eq!(desk.discard(3), [""; 0]);
    assert_eq!(desk.tick(19), ["1 failed (lost_executor): there has been no executor for 60 s"]);
    assert_eq!(desk.tick(41), ["2 failed (lost_executor): there has been no executor for 60 s"]);
    assert!(desk.placement.attempts.is_empty());
    assert_eq!(desk.start(4), [""; 0]);
    desk.announce("a", 1);
    assert_eq!(desk.open("a", vec![]), ["a: start 4"]);
}

#[test]
fn a_draining_executor_gets_nothing_new() {
    let mut desk = Desk::with(&[("a", 2), ("b", 1)]);
    desk.started(1, "a");
    assert_eq!(desk.start(2), ["a: start 2"]);
    assert_eq!(desk.answer("a", 2, Answer::Closed), ["b: start 2"], "nothing was begun there");
    assert_eq!(desk.start(3), [""; 0]);
    desk.report("a", 1, Kind::Prepared(Box::new(prepared())));
    assert_eq!(desk.commit(1), ["a: commit 1"]);
    assert_eq!(desk.report("a", 1, Kind::Committed), ["1 committed"]);
    assert_eq!(desk.step(Event::Withdrawn("a".into())), [""; 0]);
    desk.step(Event::Broken("a".into()));
    assert_eq!(desk.step(Event::Unreachable("a".into())), ["leave a"]);
}

#[test]
fn without_an_answer_an_attempt_has_failed_and_is_removed_where_it_may_be() {
    let mut desk = Desk::with(&[("a", 1), ("b", 1)]);
    assert_eq!(desk.start(1), ["a: start 1"]);
    let told = desk.answer("a", 1, Answer::Unsure("it was cut off".into()));
    assert_eq!(told, ["1 failed (lost_executor): executor `a` did not answer: it was cut off"]);
    assert_eq!(desk.report("a", 1, Kind::Prepared(Box::new(prepared()))), [""; 0]);
    assert_eq!(desk.discard(1), ["a: discard 1"]);
    assert_eq!(desk.report("a", 1, failed(Class::Cancelled)), [""; 0], "it was running");
    assert_eq!(desk.report("a", 1, Kind::Discarded), ["1 discarded"]);
    let refusal = Failure::new(Class::Fenced, "overtaken");
    assert_eq!(desk.start(2), ["a: start 2"]);
    assert_eq!(desk.answer("a", 2, Answer::Refused(refusal)), ["2 failed (fenced): overtaken"]);
}

#[test]
fn a_cancel_never_overtakes_its_start() {
    let mut desk = Desk::with(&[("a", 1)]);
    assert_eq!(desk.start(1), ["a: start 1"]);
    assert_eq!(desk.cancel(1), [""; 0]);
    assert_eq!(desk.answer("a", 1, Answer::Accepted), ["a: cancel 1"]);
}

#[test]
fn a_new_coordinator_finds_attempts_where_they_are() {
    let mut desk = Desk::default();
    desk.announce("a", 1);
    desk.announce("b", 2);
    assert_eq!(desk.open("a", vec![]), [""; 0]);
    assert_eq!(desk.open("b", vec![(sink(1), true), (sink(2), false)]), [""; 0]);
    assert_eq!(desk.placement.loads()[&ExecutorId::from("b")], Load { slots: 2, busy: 1 });
    assert_eq!(desk.commit(1), ["b: commit 1"]);
    assert_eq!(desk.discard(2), ["b: discard 2"]);
    assert_eq!(desk.report("b", 2, failed(Class::Cancelled)), [""; 0]);
    assert_eq!(desk.report("b", 2, Kind::Discarded), ["2 discarded"]);
}

#[test]
fn attempts_of_an_earlier_coordinator_are_told_of_once_their_run_asks() {
    let mut desk = Desk::default();
    desk.announce("a", 2);
    desk.announce("b", 2);
    assert_eq!(desk.open("a", vec![(sink(1), false), (sink(2), true)]), [""; 0]);
    let told = || Kind::Prepared(Box::new(prepared()));
    assert_eq!(desk.report("a", 1, told()), [""; 0], "its run does not listen yet");
    assert!(desk.reattach(1)[0].starts_with("1 {prepared:"));
    assert_eq!(desk.commit(1), ["a: commit 1"]);
    assert_eq!(desk.reattach(2), [""; 0]);
    assert!(desk.report("a", 2, told())[0].starts_with("2 {prepared:"), "also where it was told before");
    // Whoever has not said what it has may have it.
    assert_eq!(desk.reattach(3), [""; 0]);
    assert_eq!(desk.reattach(4), [""; 0]);
    assert_eq!(desk.cancel(3), [""; 0]);
    assert_eq!(desk.open("b", vec![(sink(3), false)]), ["4 lost", "b: cancel 3"]);
    assert_eq!(desk.report("b", 3, failed(Class::Cancelled)), ["3 failed (cancelled): made to fail"]);
    assert_eq!(desk.reattach(5), ["5 lost"], "all have said what they have");
}

#[test]
fn what_nobody_has_is_waited_for_only_as_long_as_somebody_may_have_it() {
    let mut desk = Desk::default();
    desk.announce("a", 2);
    assert_eq!(desk.reattach(1), [""; 0]);
    assert_eq!(desk.tick(AWAY_LIMIT.as_secs() - 1), [""; 0]);
    assert_eq!(desk.tick(1), ["1 lost"]);
    assert_eq!(desk.reattach(2), [""; 0]);
    assert_eq!(desk.step(Event::Withdrawn("a".into())), ["leave a", "2 lost"]);
    assert!(desk.placement.attempts.is_empty());
}

/// Something that may happen to one of a few executors and attempts.
fn anything() -> impl Strategy<Value = Event> {
    let id = prop::sample::select(vec![ExecutorId::from("a"), ExecutorId::from("b")]);
    let token = 1..5_i64;
    let kind = prop::sample::select(vec![
        Kind::Progress { stalled: None, standing: Vec::new() },
        Kind::Prepared(Box::new(prepared())),
        Kind::Committed,
        Kind::Lost,
        Kind::Discarded,
        failed(Class::User),
        failed(Class::Cancelled),
        Kind::NeedsHelp { most: 2 },
        Kind::NeedsHelp { most: 0 },
    ]);
    let answer = prop::sample::select(vec![
        Answer::Accepted,
        Answer::Closed,
        Answer::Refused(Failure::new(Class::Internal, "no")),
        Answer::Unsure("gone".into()),
    ]);
    prop_oneof![
        (token.clone(), 0..5).prop_map(|(token, job)| Event::Asked(match job {
            0 => Job::Start(sink(token)),
            1 => Job::Commit(sink(token), Arc::new(prepared())),
            2 => Job::Discard(sink(token)),
            3 => Job::Reattach(sink(token)),
            _ => Job::Cancel { run: "r".into(), token: Token(token), limit: Duration::ZERO },
        })),
        (id.clone(), any::<bool>()).prop_map(|(id, draining)| Event::Announced {
            id,
            url: String::new(),
            slots: 2,
            draining
        }),
        id.clone().prop_map(Event::Withdrawn),
        (id.clone(), prop::collection::vec((token.clone(), any::<bool>()), 0..3)).prop_map(|(id, held)| {
            Event::Opened(id, held.into_iter().map(|(token, prepared)| (sink(token), prepared)).collect())
        }),
        id.clone().prop_map(Event::Broken),
        id.clone().prop_map(Event::Unreachable),
        (id.clone(), token.clone(), kind).prop_map(|(id, token, kind)| {
            Event::Reported(id, AttemptEvent::new("r".into(), "load".into(), Token(token), kind))
        }),
        (id, token, answer).prop_map(|(id, token, answer)| Event::Answered(id, Token(token), answer)),
        Just(Event::Tick),
    ]
}

proptest! {
    #[test]
    fn whatever_happens_no_slot_is_given_twice_and_whoever_waits_hears(events in prop::collection::vec(anything(), 0..60)) {
        let mut desk = Desk::default();
        // Starts and commits that were asked for and have not been heard the end of.
        let (mut awaited, mut known, mut asked) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for event in events {
            desk.now += 1;
            let named: Vec<Token> = match &event {
                Event::Asked(job) => vec![job.token()],
                Event::Opened(_, held) => held.iter().map(|(spec, _)| spec.id.token).collect(),
                _ => vec![],
            };
            let is_known = named.iter().any(|token| known.contains(token));
            known.extend(named);
            if is_known && matches!(event, Event::Asked(Job::Start(_))) {
                // Tokens are never used again.
                continue;
            }
            if let Event::Asked(job) = &event
                && !asked.insert(job.token())
                && matches!(job, Job::Reattach(_))
            {
                // It is the first thing that is asked.
                continue;
            }
            if let Event::Asked(Job::Start(spec) | Job::Reattach(spec) | Job::Commit(spec, _)) = &event {
                awaited.insert(spec.id.token);
            }
            if let Event::Asked(Job::Discard(spec)) = &event {
                awaited.remove(&spec.id.token);
            }
            for action in desk.placement.step(Duration::from_secs(desk.now), event) {
                let taken: Vec<&ExecutorId> = match &action {
                    Action::Call(id, Job::Start(_)) => vec![id],
                    Action::Call(_, Job::Help(spec)) => spec.helpers.iter().map(|helper| &helper.id).collect(),
                    _ => vec![],
                };
                for id in taken {
                    prop_assert!(desk.placement.members[id].takes_new());
                    prop_assert!(desk.placement.busy(id) <= desk.placement.members[id].slots, "{:?}", desk.placement);
                }
                if let Action::Tell(AttemptEvent { token, kind, .. }) = action
                    && !matches!(kind, Kind::Progress { .. })
                {
                    awaited.remove(&token);
                }
            }
        }
        // Everybody goes away: whoever still waits hears of it.
        for id in ["a", "b"] {
            for event in [Event::Broken(id.into()), Event::Withdrawn(id.into()), Event::Unreachable(id.into())] {
                desk.now += 1;
                for action in desk.placement.step(Duration::from_secs(desk.now), event) {
                    if let Action::Tell(event) = action {
                        awaited.remove(&event.token);
                    }
                }
            }
        }
        prop_assert!(desk.placement.members.is_empty());
        desk.now += 61;
        for action in desk.placement.step(Duration::from_secs(desk.now), Event::Tick) {
            if let Action::Tell(event) = action {
                awaited.remove(&event.token);
            }
        }
        prop_assert!(awaited.is_empty(), "{awaited:?} still wait: {:?}", desk.placement);
        prop_assert!(desk.placement.attempts.is_empty(), "{:?}", desk.placement);
    }
}
