//! Who gets which slot, and that nobody waits for ever.

use std::collections::VecDeque;

use flowetl_proto::control::Helper;

use super::*;

impl Desk {
    /// An attempt of another run than `r`.
    fn start_of(&mut self, run: &str, token: i64) -> Vec<String> {
        self.step(Event::Asked(Job::Start(of(run, token))))
    }

    fn asks(&mut self, leader: &str, token: i64, most: usize) -> Vec<String> {
        self.report(leader, token, Kind::NeedsHelp { most })
    }

    fn busy(&self) -> Vec<u32> {
        self.placement.loads().values().map(|load| load.busy).collect()
    }
}

fn of(run: &str, token: i64) -> Arc<AttemptSpec> {
    let spec = spec(token, Output::Boundary);
    let id = AttemptId { run: run.into(), ..spec.id.clone() };
    Arc::new(AttemptSpec { id, ..AttemptSpec::clone(&spec) })
}

/// One that is not to be helped by those at these addresses.
fn avoiding(token: i64, urls: &[&str]) -> Job {
    let avoided = urls.iter().map(|url| (*url).to_owned()).collect();
    Job::Start(Arc::new(AttemptSpec { avoided, ..AttemptSpec::clone(&sink(token)) }))
}

#[test]
fn helpers_have_slots_and_give_them_back() {
    let mut desk = Desk::with(&[("a", 1), ("b", 3), ("c", 2), ("d", 1), ("e", 1)]);
    desk.step(Event::Announced { id: "d".into(), url: String::new(), slots: 1, draining: true });
    desk.step(Event::Broken("e".into()));
    desk.started(1, "b");
    assert_eq!(desk.busy(), [0, 1, 0, 0]);
    assert_eq!(desk.asks("b", 1, 7), ["b: help 1 by [c a]"]);
    assert_eq!(desk.answer("b", 1, Answer::Accepted), [""; 0]);
    assert_eq!(desk.busy(), [1, 1, 1, 0]);
    desk.started(2, "b");
    // One is enough for what it reads.
    assert_eq!(desk.asks("b", 2, 1), ["b: help 2 by [c]"]);
    assert_eq!(desk.answer("b", 2, Answer::Accepted), [""; 0]);
    desk.started(3, "b");
    assert_eq!(desk.start(4), [""; 0], "helpers keep the other slots");
    assert_eq!(desk.asks("b", 2, 0), ["c: start 4"], "there was nothing to do for the helper");
    assert_eq!(desk.start(5), [""; 0]);
    let told = desk.report("b", 1, Kind::Prepared(Box::new(prepared())));
    assert_eq!(told[1..], ["a: start 5"], "{told:?}");
    assert_eq!(desk.busy(), [1, 2, 1, 0]);
}

#[test]
fn whoever_waits_to_start_comes_before_helpers() {
    let mut desk = Desk::with(&[("a", 1), ("b", 1)]);
    desk.started(1, "a");
    desk.started(2, "b");
    assert_eq!(desk.start(3), [""; 0]);
    assert_eq!(desk.asks("a", 1, 1), ["a: help 1 by []"], "it goes on alone, at once");
    assert_eq!(desk.answer("a", 1, Answer::Accepted), [""; 0]);
    assert_eq!(desk.report("b", 2, failed(Class::User)), ["2 failed (user): made to fail", "b: start 3"]);
    assert_eq!(desk.tick(1), [""; 0], "help is named once");
}

#[test]
fn help_that_comes_too_late_frees_its_slots() {
    for answer in [Answer::Refused(Failure::new(Class::Fenced, "late")), Answer::Unsure("gone".into())] {
        let mut desk = Desk::with(&[("a", 1), ("b", 1)]);
        assert_eq!(desk.start(1), ["a: start 1"]);
        assert_eq!(desk.asks("a", 1, 1), [""; 0], "its start has not been answered");
        assert_eq!(desk.answer("a", 1, Answer::Accepted), ["a: help 1 by [b]"]);
        assert_eq!(desk.start(2), [""; 0]);
        assert_eq!(desk.cancel(1), [""; 0]);
        assert_eq!(desk.answer("a", 1, answer), ["a: cancel 1", "b: start 2"]);
    }
}

#[test]
fn who_was_lost_on_the_way_is_left_out() {
    let mut desk = Desk::with(&[("a", 9), ("b", 8), ("c", 7)]);
    let cases: [(&[&str], &str); 4] =
        [(&["http://b"], "c"), (&["http://x"], "b c"), (&["http://b", "http://x"], ""), (&["http://a"], "")];
    for (token, (avoided, helpers)) in (1..).zip(cases) {
        assert_eq!(desk.step(Event::Asked(avoiding(token, avoided))), [format!("a: start {token}")]);
        desk.answer("a", token, Answer::Accepted);
        assert_eq!(desk.asks("a", token, 9), [format!("a: help {token} by [{helpers}]")], "{avoided:?}");
        desk.answer("a", token, Answer::Accepted);
        desk.report("a", token, failed(Class::LostExecutor));
    }
}

#[test]
fn no_run_keeps_another_out() {
    let mut desk = Desk::with(&[("a", 2)]);
    assert_eq!(desk.start_of("r", 11), ["a: start 11"]);
    assert_eq!(desk.start_of("r", 12), ["a: start 12"]);
    for token in 1..5 {
        assert_eq!(desk.start_of("r", token), [""; 0]);
    }
    desk.now += 1;
    assert_eq!(desk.start_of("s", 20), [""; 0]);
    assert_eq!(desk.start_of("s", 21), [""; 0]);
    let next = |desk: &mut Desk, run: &str, token| {
        let kind = Kind::Failed(Failure::new(Class::User, "no"));
        let event = AttemptEvent::new(run.into(), "load".into(), Token(token), kind);
        desk.step(Event::Reported("a".into(), event)).remove(1)
    };
    assert_eq!(next(&mut desk, "r", 11), "a: start 20", "the other run has none");
    assert_eq!(next(&mut desk, "r", 12), "a: start 1");
    assert_eq!(next(&mut desk, "s", 20), "a: start 21");
    assert_eq!(next(&mut desk, "s", 21), "a: start 2");
}

#[test]
fn a_new_coordinator_knows_whom_an_attempt_keeps_busy() {
    let mut desk = Desk::default();
    desk.announce("a", 1);
    desk.announce("b", 1);
    let helped = AttemptSpec {
        helpers: vec![Helper { id: "b".into(), url: "http://b".into() }],
        ..AttemptSpec::clone(&sink(1))
    };
    desk.open("a", vec![(Arc::new(helped), false)]);
    desk.open("b", vec![]);
    assert_eq!(desk.busy(), [1, 1]);
    assert_eq!(desk.start(2), [""; 0]);
    desk.reattach(1);
    assert_eq!(desk.report("a", 1, failed(Class::User))[1..], ["a: start 2"]);
}

/// An attempt of a simulated run: how long it flows, and how many helpers it asks for.
type Work = (u64, usize);

/// A cluster on which runs work, a few attempts of each at once.
struct Simulation {
    desk: Desk,
    /// What is left of each run.
    runs: Vec<Vec<Work>>,
    /// Attempts that were asked for and have not started.
    waiting: BTreeMap<i64, (usize, Work)>,
    /// Attempts that flow: run, where, until when.
    flowing: BTreeMap<i64, (usize, ExecutorId, u64)>,
    tokens: i64,
}

const AT_ONCE: usize = 3;

impl Simulation {
    fn ask(&mut self) {
        for run in 0..self.runs.len() {
            let under_way = self.waiting.values().filter(|(of, _)| *of == run).count()
                + self.flowing.values().filter(|(of, ..)| *of == run).count();
            for _ in under_way..AT_ONCE {
                let Some(work) = self.runs[run].pop() else { break };
                self.tokens += 1;
                let token = self.tokens;
                self.waiting.insert(token, (run, work));
                self.happens(Event::Asked(Job::Start(of(&format!("{run}"), token))));
            }
        }
    }

    /// Decides, checks what was decided, and does it.
    fn happens(&mut self, event: Event) {
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            for action in self.desk.placement.step(Duration::from_secs(self.desk.now), event) {
                match action {
                    Action::Call(on, Job::Start(spec)) => {
                        let token = spec.id.token.0;
                        let (run, (lasts, most)) = self.waiting.remove(&token).unwrap();
                        self.is_fair(run);
                        self.flowing.insert(token, (run, on.clone(), self.desk.now + lasts));
                        events.push_back(Event::Answered(on.clone(), spec.id.token, Answer::Accepted));
                        if most > 0 {
                            let (id, kind) = (spec.id.clone(), Kind::NeedsHelp { most });
                            let asks = AttemptEvent::new(id.run, id.segment, id.token, kind);
                            events.push_back(Event::Reported(on, asks));
                        }
                    }
                    Action::Call(on, Job::Help(spec)) => {
                        events.push_back(Event::Answered(on, spec.id.token, Answer::Accepted));
                    }
                    Action::Tell(_) => {}
                    other => panic!("{other:?}"),
                }
            }
            let loads = self.desk.placement.loads();
            assert!(loads.values().all(|load| load.busy <= load.slots), "{loads:?}");
        }
    }

    /// Nobody who waits has fewer slots than the run that has got one, helpers included.
    fn is_fair(&self, run: usize) {
        let taken = |run: usize| {
            let tokens = self.flowing.iter().filter(|(_, (of, ..))| *of == run).map(|(token, _)| Token(*token));
            tokens.map(|token| 1 + self.desk.placement.attempts[&token].spec.helpers.len()).sum::<usize>()
        };
        assert!(self.waiting.values().all(|(other, _)| taken(run) <= taken(*other)));
    }

    /// Ends what has flowed for long enough.
    fn pass(&mut self) {
        self.desk.now += 1;
        let now = self.desk.now;
        let over = self.flowing.iter().filter(|(_, (_, _, until))| *until <= now).map(|(token, _)| *token);
        for token in over.collect::<Vec<_>>() {
            let (run, on, _) = self.flowing.remove(&token).unwrap();
            let kind = Kind::Prepared(Box::new(prepared()));
            let run = RunId::new(format!("{run}"));
            let event = AttemptEvent::new(run, "load".into(), Token(token), kind);
            self.happens(Event::Reported(on, event));
        }
        let loads = self.desk.placement.loads();
        let is_full = loads.values().all(|load| load.busy == load.slots);
        assert!(self.waiting.is_empty() || is_full, "a slot is free while somebody waits: {loads:?}");
    }
}

proptest! {
    #[test]
    fn runs_share_a_cluster_to_their_ends(
        slots in prop::collection::vec(1..4_u32, 1..5),
        runs in prop::collection::vec(prop::collection::vec((1..9_u64, 0..4_usize), 1..12), 1..6),
    ) {
        let names = ["a", "b", "c", "d"];
        let members: Vec<_> = names.into_iter().zip(slots).collect();
        let total: u64 = runs.iter().flatten().map(|(lasts, _)| lasts).sum();
        let mut simulation = Simulation {
            desk: Desk::with(&members),
            runs,
            waiting: BTreeMap::new(),
            flowing: BTreeMap::new(),
            tokens: 0,
        };
        simulation.ask();
        while !simulation.flowing.is_empty() {
            prop_assert!(simulation.desk.now <= total, "no longer than one after the other");
            simulation.pass();
            simulation.ask();
        }
        prop_assert!(simulation.waiting.is_empty() && simulation.runs.iter().all(Vec::is_empty));
        prop_assert!(simulation.desk.placement.attempts.is_empty());
    }
}
