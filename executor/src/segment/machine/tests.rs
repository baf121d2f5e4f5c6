//! Every phase of an attempt by table, and random orders of events.

use proptest::prelude::*;

use super::*;

fn failure(class: Class) -> Failure {
    Failure::new(class, class.as_str())
}

fn written(partition: usize) -> Event {
    Event::OperatorDone(vec![Written { partition, rows: partition as u64, parts: Vec::new() }])
}

fn broke(class: Class) -> Event {
    Event::OperatorFailed { partition: 0, failure: failure(class) }
}

/// The commands after each event, one line an event.
fn told(events: impl IntoIterator<Item = Event>) -> Vec<String> {
    let mut machine = Machine::new(Thrift::Usual);
    let word = |command: &Command| match command {
        Command::Plan(thrift) => format!("plan {thrift:?}"),
        Command::StartOperators(count) => format!("start {count}"),
        Command::StopOperators => "stop".into(),
        Command::Clear => "clear".into(),
        Command::Prepare(written) => format!("prepare {:?}", written.iter().map(|w| w.partition).collect::<Vec<_>>()),
        Command::Finish => "finish".into(),
        Command::Fail(failure) => format!("fail {}", failure.class),
    };
    assert_eq!(machine.begin(), [Command::Plan(Thrift::Usual)]);
    events.into_iter().map(|event| machine.step(event).iter().map(word).collect::<Vec<_>>().join(", ")).collect()
}

const PLANNED: Event = Event::Planned { partitions: 2, spread: false };

#[test]
fn a_good_attempt() {
    let parts = told([PLANNED, written(1), written(0), Event::Prepared, Event::Cancel, written(0)]);
    assert_eq!(parts, ["start 2", "", "prepare [0, 1]", "finish", "", ""]);
    assert_eq!(told([Event::Planned { partitions: 0, spread: false }, Event::Prepared]), ["prepare []", "finish"]);
}

#[test]
fn a_failure_ends_it_once_all_operators_are_gone() {
    assert_eq!(told([PLANNED, broke(Class::User), broke(Class::Cancelled)]), ["start 2", "stop", "fail user"]);
    assert_eq!(told([PLANNED, written(0), broke(Class::Panic), written(0)]), ["start 2", "", "stop, fail panic", ""]);
    // A sibling that ended well at the same moment changes nothing.
    assert_eq!(told([PLANNED, broke(Class::User), written(1)]), ["start 2", "stop", "fail user"]);
    let steps = [Event::Failed(failure(Class::User)), Event::Failed(failure(Class::Internal))];
    assert_eq!(told(steps.clone()), ["fail user", ""]);
    assert_eq!(
        told([Event::Planned { partitions: 0, spread: false }].into_iter().chain(steps)),
        ["prepare []", "fail user", ""]
    );
}

#[test]
fn what_stands_still_is_done_again_with_less() {
    let stalled = || Event::Stalled(failure(Class::Stalled));
    for (thrift, thriftily) in [(Thrift::Usual, true), (Thrift::Frugal, false)] {
        let mut machine = Machine::new(thrift);
        machine.step(PLANNED);
        assert_eq!(machine.step(stalled()), [Command::StopOperators]);
        assert_eq!(machine.step(stalled()), []);
        assert_eq!(machine.step(broke(Class::Cancelled)), []);
        let told = Failure { thriftily, ..failure(Class::Stalled) };
        assert_eq!(machine.step(broke(Class::Cancelled)), [Command::Fail(told)]);
    }
    // What a source, a target or a plan takes is not ours to say.
    assert_eq!(told([stalled(), PLANNED, written(0), written(1), stalled(), Event::Prepared])[4..], ["", "finish"]);
}

#[test]
fn what_others_may_still_write_into_is_not_made_again_under_its_name() {
    let mut machine = Machine::new(Thrift::Usual);
    machine.step(Event::Planned { partitions: 1, spread: true });
    let thriftily = Failure { thriftily: true, ..failure(Class::Resource) };
    assert_eq!(machine.step(broke(Class::Resource)), [Command::StopOperators, Command::Fail(thriftily)]);
    let mut machine = Machine::new(Thrift::Frugal);
    assert_eq!(machine.begin(), [Command::Plan(Thrift::Frugal)]);
    machine.step(Event::Planned { partitions: 1, spread: true });
    assert_eq!(machine.step(broke(Class::Resource)), [Command::StopOperators, Command::Fail(failure(Class::Resource))]);
}

#[test]
fn memory_that_was_not_enough_gives_one_thrifty_try() {
    let again = [PLANNED, broke(Class::Resource), broke(Class::Resource), Event::Cleared];
    assert_eq!(told(again.clone()), ["start 2", "stop", "clear", "plan Frugal"]);
    let second = told(again.clone().into_iter().chain([PLANNED, broke(Class::Resource), broke(Class::Cancelled)]));
    assert_eq!(second[4..], ["start 2", "stop", "fail resource"]);
    let good =
        told(again.into_iter().chain([Event::Planned { partitions: 1, spread: false }, written(0), Event::Prepared]));
    assert_eq!(good[4..], ["start 1", "prepare [0]", "finish"]);
    // Staging that cannot be removed ends it; so does a plan that never stood.
    let stuck = told([PLANNED, broke(Class::Resource), written(0), Event::Failed(failure(Class::SinkTransient))]);
    assert_eq!(stuck[3], "fail sink_transient");
    assert_eq!(told([Event::Failed(failure(Class::Resource))]), ["fail resource"]);
    // Data tests run while preparing.
    let tests =
        [Event::Planned { partitions: 0, spread: false }, Event::Failed(failure(Class::Resource)), Event::Cleared];
    let tests = tests.clone().into_iter().chain(tests);
    assert_eq!(told(tests)[1..5], ["stop, clear", "plan Frugal", "prepare []", "fail resource"]);
}

#[test]
fn a_cancel_ends_every_phase() {
    let gone = || Event::Failed(failure(Class::Cancelled));
    assert_eq!(told([Event::Cancel, gone(), PLANNED]), ["", "fail cancelled", ""]);
    // The step may have been done already.
    assert_eq!(told([Event::Cancel, PLANNED]), ["", "fail cancelled"]);
    assert_eq!(told([PLANNED, Event::Cancel, written(0), broke(Class::User)])[1..], ["stop", "", "fail cancelled"]);
    let preparing = [PLANNED, written(0), written(1), Event::Cancel, Event::Cancel, Event::Prepared];
    assert_eq!(told(preparing)[2..], ["prepare [0, 1]", "", "", "fail cancelled"]);
    let stopping = [PLANNED, broke(Class::Resource), Event::Cancel, broke(Class::Cancelled), Event::Cleared];
    assert_eq!(told(stopping)[1..], ["stop", "", "fail cancelled", ""]);
    let clearing = [PLANNED, broke(Class::Resource), written(0), Event::Cancel, Event::Cleared];
    assert_eq!(told(clearing)[2..], ["clear", "", "fail cancelled"]);
}

/// What is under way around the brain: it performs commands, and events come back in any order.
#[derive(Default)]
struct World {
    operators: usize,
    step: Option<Command>,
    stopped: bool,
    ends: usize,
    plans: usize,
}

impl World {
    fn perform(&mut self, commands: Vec<Command>) {
        for command in commands {
            assert_eq!(self.ends, 0, "a command after the end");
            match command {
                Command::StartOperators(count) => {
                    assert!(self.operators == 0 && self.step.is_none() && count > 0);
                    (self.operators, self.stopped) = (count, false);
                }
                Command::StopOperators => self.stopped = true,
                Command::Plan(_) | Command::Clear | Command::Prepare(_) => {
                    assert!(self.operators == 0 && self.step.is_none(), "two things at once");
                    self.plans += usize::from(matches!(command, Command::Plan(_)));
                    self.step = Some(command);
                }
                Command::Finish | Command::Fail(_) => {
                    assert!(self.operators == 0 && self.step.is_none(), "ended with work under way");
                    self.ends += 1;
                }
            }
        }
    }

    /// The event that comes next when the die shows `pick`.
    fn next(&mut self, pick: u8) -> Option<Event> {
        let class = [Class::User, Class::Resource, Class::Panic, Class::Cancelled][usize::from(pick / 8 % 4)];
        let is_good = pick % 8 < 5;
        if self.operators > 0 {
            self.operators -= 1;
            return Some(if is_good { written(self.operators) } else { broke(class) });
        }
        let step = self.step.take()?;
        Some(match step {
            _ if !is_good => Event::Failed(failure(class)),
            Command::Plan(_) => Event::Planned { partitions: usize::from(pick / 32) % 4, spread: false },
            Command::Clear => Event::Cleared,
            _ => Event::Prepared,
        })
    }
}

proptest! {
    #[test]
    fn any_order_ends_exactly_once(picks in prop::collection::vec(any::<u8>(), 40), cancel in prop::option::of(0usize..12)) {
        let (mut machine, mut world) = (Machine::new(Thrift::Usual), World::default());
        world.perform(machine.begin());
        for (at, pick) in picks.into_iter().enumerate() {
            if cancel == Some(at) {
                let commands = machine.step(Event::Cancel);
                let goes_on = |c: &Command| matches!(c, Command::StartOperators(_) | Command::Plan(_) | Command::Prepare(_));
                prop_assert!(!commands.iter().any(goes_on));
                world.perform(commands);
            }
            let Some(event) = world.next(pick) else { break };
            let commands = machine.step(event);
            let goes_on = |c: &Command| !matches!(c, Command::Fail(_) | Command::StopOperators);
            prop_assert!(cancel.is_none_or(|c| c > at) || !commands.iter().any(goes_on), "went on after a cancel");
            world.perform(commands);
        }
        prop_assert_eq!(world.ends, 1);
        prop_assert!(world.plans <= 2);
        prop_assert!(machine.step(Event::Cancel).is_empty() && machine.step(written(0)).is_empty());
    }
}
