//! `kill -9` at random moments of a run with two boundaries and three sinks: run again, nothing is lost, doubled, half
//! visible or left behind.

mod cluster;
mod target;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use self::target::{Files, Postgres, Sqlite, Target};
use crate::world::{Database, Random, World};

/// Kills where `FLOWETL_KILLS` does not say another number.
const KILLS: usize = 25;
/// Every so many logical runs the appended and merged tables are dropped, so that they are also made.
const FRESH_EVERY: i64 = 5;
/// Rows that leave and as many that come between two logical runs.
const CHURN: i64 = 500;

#[test]
fn postgres() {
    torment(|_, source| Box::new(Postgres::new(source)), 20_000, kills(), 7);
}

#[test]
fn sqlite() {
    torment(|world, _| Box::new(Sqlite::new(world)), 5_000, KILLS / 3, 11);
}

#[test]
fn files() {
    torment(|world, _| Box::new(Files::new(world)), 5_000, KILLS / 3, 13);
}

fn kills() -> usize {
    std::env::var("FLOWETL_KILLS").map_or(KILLS, |n| n.parse().expect("`FLOWETL_KILLS` is a number"))
}

/// Makes logical runs until `kills` of them were cut off.
fn torment(target: impl Fn(&World, &Database) -> Box<dyn Target>, rows: i64, kills: usize, seed: u64) {
    let (world, source) = (World::new(), Database::postgres());
    let target = target(&world, &source);
    world.write("kill.yml", &pipeline(&source.url, target.as_ref()));
    source.run("create schema src; create table src.events (id bigint primary key, customer bigint, note text, version bigint)");
    let mut expected = Expected::default();
    let mut random = Random(seed);

    // The first run is left alone: it tells how long one takes, and the reader needs a table.
    fill(&source, 0, rows);
    let first = world.run(&["run", "kill.yml", "--json"]).expect(0);
    expected.ran(&source);
    expected.check(target.as_ref(), &world, true, "the first run");

    let reader = Reader::start(target.reader(), rows);
    let (mut killed, mut logical) = (0, 0);
    while killed < kills {
        logical += 1;
        if logical % FRESH_EVERY == 0 && target.start_afresh() {
            expected.start_afresh();
        }
        fill(&source, logical, rows);
        let moment = first.took.mul_f64(random.share() * 1.1);
        let what = format!("logical run {logical}, killed after {moment:?}");
        let cut = cut_off(&world, moment);
        // A run that was killed after its end leaves the tidying up of its forerunner to its successor.
        let tidied = !matches!(cut, Cut::Ended);
        match cut {
            Cut::Ended => {}
            Cut::NotBegun => drop(world.run(&["run", "kill.yml", "--json"]).expect(0)),
            Cut::Running(run) => {
                killed += 1;
                let mut arguments = vec!["run", "kill.yml", "--json"];
                if killed % 4 == 0 {
                    arguments.extend(["--resume", &run]);
                }
                let again = world.run(&arguments).expect(0).json();
                assert_eq!(again["run_id"], run, "{what}: another run was begun");
                assert_eq!(again["state"], "success", "{what}");
            }
        }
        expected.ran(&source);
        expected.check(target.as_ref(), &world, tidied, &what);
    }
    assert!(reader.stop() > kills as u64, "the reader hardly looked");
}

/// Two boundaries: a block that asks for one, and one that three loads read.
fn pipeline(source: &str, target: &dyn Target) -> String {
    format!(
        "connections:\n  source: {source}\n{connection}\
         retries: {{max: 50, backoff: 50ms..1s}}\n\
         blocks:\n  events: {{extract: source.src.events}}\n  \
         shaped:\n    sql: select id, customer, upper(note) as note, version from events\n    boundary: checkpoint\n  \
         fanned: {{sql: \"select id, customer * 2 as customer, note, version from shaped\"}}\n{loads}",
        connection = target.connection(),
        loads = target.loads(),
    )
}

/// Each logical run sees other rows, always as many: some gone, some new, all of another version.
fn fill(source: &Database, version: i64, rows: i64) {
    let (first, last) = (version * CHURN, version * CHURN + rows - 1);
    source.run(&format!(
        "begin; delete from src.events; insert into src.events select i, i % 97, 'row ' || md5(i::text), {version} \
         from generate_series({first}, {last}) i; commit"
    ));
}

/// How far a run had come when it was killed.
enum Cut {
    /// No run was recorded.
    NotBegun,
    Running(String),
    /// It was quicker than the kill.
    Ended,
}

fn cut_off(world: &World, moment: Duration) -> Cut {
    let newest = |world: &World| world.run(&["runs", "--json"]).expect(0).json()[0].clone();
    let before = newest(world);
    let mut running = world.start(&["run", "kill.yml", "--json"]);
    running.let_run(moment);
    running.kill();
    let after: Value = newest(world);
    if after["id"] == before["id"] {
        return Cut::NotBegun;
    }
    match after["state"].as_str() {
        Some("success") => Cut::Ended,
        Some("running") => Cut::Running(after["id"].as_str().unwrap().to_owned()),
        other => panic!("a killed run is {other:?}"),
    }
}

/// What the three targets must hold, a line per row.
#[derive(Default)]
struct Expected {
    replaced: Vec<String>,
    appended: Vec<String>,
    merged: BTreeMap<String, String>,
}

impl Expected {
    /// A logical run has read the source as it is now.
    fn ran(&mut self, source: &Database) {
        let query = "select id || '|' || customer * 2 || '|' || upper(note) || '|' || version from src.events";
        self.replaced = source.texts(query);
        self.appended.extend(self.replaced.iter().cloned());
        let by_id = |line: &String| (line.split('|').next().unwrap().to_owned(), line.clone());
        self.merged.extend(self.replaced.iter().map(by_id));
    }

    fn start_afresh(&mut self) {
        self.appended.clear();
        self.merged.clear();
    }

    fn same_as(&self, target: &dyn Target, what: &str) {
        same(target.rows("replaced"), self.replaced.clone(), &format!("{what}: replaced"));
        same(target.rows("appended"), self.appended.clone(), &format!("{what}: appended"));
        if target.merges() {
            same(target.rows("merged"), self.merged.values().cloned().collect(), &format!("{what}: merged"));
        }
    }

    fn check(&self, target: &dyn Target, world: &World, tidied: bool, what: &str) {
        self.same_as(target, what);
        let left = target.left_behind();
        assert!(left.is_empty(), "{what}: left behind in the target: {left:?}\n{}", log(world));
        let left = if tidied { orphans(world) } else { Vec::new() };
        assert!(left.is_empty(), "{what}: left behind at home: {left:?}\n{}", log(world));
    }
}

/// Compares multisets.
fn same(mut found: Vec<String>, mut expected: Vec<String>, what: &str) {
    found.sort();
    expected.sort();
    if found != expected {
        let (few, many) = (found.len(), expected.len());
        let first = found.iter().zip(&expected).find(|(f, e)| f != e);
        panic!("{what}: {few} rows instead of {many}; the first that differ, found and expected: {first:?}");
    }
}

fn newest(world: &World) -> Value {
    world.run(&["runs", "--json"]).expect(0).json()[0]["id"].clone()
}

/// What happened in the newest run.
fn log(world: &World) -> String {
    world.run(&["runs", newest(world).as_str().unwrap(), "--logs"]).out
}

/// Files at home that nobody needs: boundaries of any run but the newest, of attempts that did not win, and spilled rows.
fn orphans(world: &World) -> Vec<String> {
    let newest = newest(world).as_str().unwrap().to_owned();
    let mut attempts: BTreeMap<String, String> = BTreeMap::new();
    let mut orphans = world.files("home/spill");
    // What was said of runs stays.
    for file in world.files("home/storage").into_iter().filter(|file| !file.starts_with("logs/")) {
        // runs/RUN/SEGMENT/ATTEMPT/PART
        let [_, run, segment, attempt, _] = file.split('/').collect::<Vec<_>>()[..] else {
            orphans.push(file);
            continue;
        };
        let winner = attempts.entry(segment.to_owned()).or_insert_with(|| attempt.to_owned());
        if run != newest || winner != attempt {
            orphans.push(file);
        }
    }
    orphans
}

/// Gives the number of rows in the replaced table, and the versions among them.
type Look = Box<dyn Fn() -> Result<(i64, Vec<i64>), String> + Send>;

/// A thread that looks at the replaced table all the time.
struct Reader {
    stop: Arc<AtomicBool>,
    thread: thread::JoinHandle<u64>,
}

impl Reader {
    /// `rows` is how many there must be whenever somebody looks.
    fn start(look: Look, rows: i64) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let (mut looks, mut newest) = (0, 0);
            while !stopped.load(Ordering::Relaxed) {
                let (count, versions) = look().unwrap_or_else(|e| panic!("the replaced table cannot be read: {e}"));
                assert_eq!(count, rows, "the replaced table is not complete: versions {versions:?}");
                assert_eq!(versions.len(), 1, "the replaced table mixes versions {versions:?}");
                assert!(versions[0] >= newest, "the replaced table went back to version {}", versions[0]);
                newest = versions[0];
                looks += 1;
            }
            looks
        });
        Self { stop, thread }
    }

    /// How often it looked.
    fn stop(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}
