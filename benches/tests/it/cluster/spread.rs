//! A segment that is spread over executors, and what goes away while its rows flow: it is done again without, and the
//! target holds what one process alone makes.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::json;

use super::road::Road;
use super::{Cluster, attempts, readers, server};
use crate::failure::{let_go, nothing_left, wait_until};
use crate::world::{Database, Running, World, free_address};

/// Within so long what a lost executor did is begun again.
const RESTART_LIMIT: Duration = Duration::from_secs(15);

/// Rows that are far more than lie on the way, from many files.
const SCAN: &str = "select l_orderkey, l_linenumber, repeat(l_comment, 8) as note from lineitem";
/// The same rows, after each executor has read of each other.
const EXCHANGE: &str = "select l_orderkey, l_linenumber, max(repeat(l_comment, 8)) as note from lineitem group by 1, 2";
/// One value that no executor has the memory for.
const TOO_LARGE: &str = "select l_returnflag, string_agg(repeat(l_comment, 100), ',') as note from lineitem group by 1";

/// The largest table of TPC-H in object storage.
struct Lake {
    connection: String,
    /// What one process makes of it.
    oracle: String,
}

fn lake() -> &'static Lake {
    static LAKE: OnceLock<Lake> = OnceLock::new();
    LAKE.get_or_init(|| {
        let (world, database) = (World::new(), Database::postgres());
        let (files, s3) = (server("FLOWETL_TEST_TPCH"), server("FLOWETL_TEST_S3"));
        let (bucket, options) = s3.split_once('?').expect("`FLOWETL_TEST_S3` has options");
        let name = database.url.rsplit('/').next().unwrap();
        let connection = format!("lake: \"{bucket}/{name}-lake?{options}\"");
        world.write(
            "up.yml",
            &format!(
                "connections: {{files: \"file://{files}\", {connection}}}\nblocks:\n  \
                 lineitem: {{extract: files/lineitem.parquet}}\n  \
                 up: {{load: lineitem, to: lake/lineitem/, file_size: 1MB}}\n"
            ),
        );
        world.run(&["run", "up.yml"]).expect(0);
        write(&world, &connection, &database, SCAN, "");
        world.run(&["run", "p.yml"]).expect(0);
        Lake { connection, oracle: digest(&database) }
    })
}

/// The pipeline `p.yml` of a query over the lake.
fn write(world: &World, lake: &str, database: &Database, query: &str, settings: &str) {
    world.write(
        "p.yml",
        &format!(
            "connections: {{{lake}, db: \"{}\"}}\nretries: {{max: 3, backoff: 50ms..100ms}}\n{settings}blocks:\n  \
             lineitem: {{extract: lake/lineitem/*.parquet}}\n  rows: {{sql: \"{query}\"}}\n  \
             out: {{load: rows, to: db.public.out}}\n",
            database.url
        ),
    );
}

/// All rows of the target, in any order.
fn digest(database: &Database) -> String {
    database.text("select count(*) || ' rows, ' || sum(hashtextextended(t::text, 0)) from out t")
}

/// Lets the rows that are staged in `database` stand still until [`let_go`] is called.
fn hold(database: &Database) {
    database.run(
        "create function held() returns trigger language plpgsql as \
         $$begin if new.l_orderkey % 100 = 3 then perform pg_advisory_xact_lock_shared(1); end if; return new; end$$; \
         create function holds() returns event_trigger language plpgsql as \
         $$declare made record; begin \
           for made in select objid::regclass::text as name from pg_event_trigger_ddl_commands() \
               where command_tag = 'CREATE TABLE' and objid::regclass::text ~ '_t[0-9]+\"?$' loop \
             execute 'create trigger held before insert on ' || made.name || ' for each row execute function held()'; \
           end loop; end$$; \
         create event trigger holds on ddl_command_end when tag in ('CREATE TABLE') execute function holds(); \
         select pg_advisory_lock(1)",
    );
}

/// A cluster of three executors, of which the first leads whatever comes first.
struct Crew<'a> {
    cluster: Cluster<'a>,
    database: Database,
    url: String,
    _coordinator: Running,
    executors: Vec<Running>,
    /// To the last executor: first the coordinator's connection, then that of the leader, then that of the other.
    road: Road,
}

impl<'a> Crew<'a> {
    fn new(world: &'a World) -> Self {
        let cluster = Cluster::new(world);
        let (coordinator, url) = cluster.coordinator("coordinator");
        let mut executors = Vec::new();
        for count in 1..=2 {
            executors.push(cluster.executor_with(&format!("executor-{count}"), &url, count, &["--share", "8KB"]));
        }
        let address = free_address();
        let road = Road::new(&cluster.runtime, &address);
        let advertised = format!("http://{}", road.address);
        let settings = ["executor", "--listen", &address, "--advertise", &advertised, "--share", "8KB"];
        let mut last = cluster.start("executor-3", &settings);
        last.says("executor at ");
        executors.push(last);
        cluster.gathered(&url, 3);
        Self { cluster, database: Database::postgres(), url, _coordinator: coordinator, executors, road }
    }

    fn start(&self, query: &str, settings: &str) -> Running {
        write(self.cluster.world, &lake().connection, &self.database, query, settings);
        self.cluster.follow(&self.url, &["run", "p.yml", "--json"])
    }

    /// Starts a run over all executors and waits until its rows stand still in the target.
    fn start_held(&mut self) -> Running {
        hold(&self.database);
        let running = self.start(SCAN, "");
        wait_until("rows in the target", || !readers(&self.database).is_empty());
        self.executors[0].warns("a segment is spread");
        assert_eq!(self.cluster.busy(&self.url), [1, 1, 1], "whoever helps has a slot taken for it");
        running
    }

    fn attempts(&self) -> i64 {
        self.cluster.metadata.number("select count(*) from attempt")
    }

    /// Waits for the next attempt after something was lost.
    fn begins_again(&self, lost: Instant) {
        wait_until("another attempt", || self.attempts() > 1);
        assert!(lost.elapsed() < RESTART_LIMIT, "it was begun again only after {:?}", lost.elapsed());
    }

    /// Waits for the end: it took so many attempts, one of them won, the target is as one process makes it, and nothing
    /// else is left.
    fn ends_as_one_alone(&self, running: Running, wanted: u64) {
        let json = running.wait().expect(0).json();
        assert_eq!((&json["state"], attempts(&json)), (&json!("success"), &json!(wanted)), "{json:#}");
        assert_eq!(digest(&self.database), lake().oracle);
        assert_eq!(self.cluster.metadata.number("select count(*) from attempt where state = 'won'"), 1);
        assert!(self.cluster.busy(&self.url).iter().all(|busy| *busy == 0), "a slot is kept");
        nothing_left(&self.database);
    }

    /// Every executor that is left ends as soon as it is asked: none has anything to do for anybody.
    fn idles(self) {
        let Self { executors, database, .. } = self;
        executors.iter().for_each(|executor| executor.signal("TERM"));
        executors.into_iter().for_each(|executor| drop(executor.wait().expect(0)));
        assert_eq!(database.sessions(), Vec::<String>::new(), "a session is left");
        nothing_left(&database);
    }
}

#[test]
fn what_a_killed_helper_did_is_done_again_without_it() {
    let world = World::new();
    let mut crew = Crew::new(&world);
    let running = crew.start_held();
    crew.executors.remove(1).kill();
    crew.begins_again(Instant::now());
    let_go(&crew.database);
    crew.ends_as_one_alone(running, 2);
    crew.idles();
}

#[test]
fn a_helper_that_stands_still_is_left_out_and_changes_nothing_later() {
    let world = World::new();
    let mut crew = Crew::new(&world);
    let running = crew.start_held();
    crew.executors[1].signal("STOP");
    crew.begins_again(Instant::now());
    let_go(&crew.database);
    crew.ends_as_one_alone(running, 2);
    crew.executors[1].signal("CONT");
    crew.cluster.gathered(&crew.url, 3);
    assert_eq!(digest(&crew.database), lake().oracle);
    crew.idles();
}

#[test]
fn a_killed_leaders_segment_is_led_by_another() {
    let world = World::new();
    let mut crew = Crew::new(&world);
    let running = crew.start_held();
    crew.executors.remove(0).kill();
    crew.begins_again(Instant::now());
    let_go(&crew.database);
    crew.ends_as_one_alone(running, 2);
    crew.idles();
}

#[test]
fn a_leader_that_wakes_up_late_changes_nothing() {
    let world = World::new();
    let mut crew = Crew::new(&world);
    let running = crew.start_held();
    crew.executors[0].signal("STOP");
    crew.begins_again(Instant::now());
    let_go(&crew.database);
    crew.ends_as_one_alone(running, 2);
    crew.executors[0].signal("CONT");
    crew.cluster.gathered(&crew.url, 3);
    crew.idles();
}

#[test]
fn rows_that_vanish_on_their_way_to_the_leader_are_made_again() {
    let world = World::new();
    let mut crew = Crew::new(&world);
    let running = crew.start_held();
    crew.road.swallow_from(1);
    crew.begins_again(Instant::now());
    let_go(&crew.database);
    crew.ends_as_one_alone(running, 2);
    crew.road.open();
    crew.idles();
}

#[test]
fn two_helpers_that_do_not_reach_each_other_are_not_put_together_again() {
    let world = World::new();
    let mut crew = Crew::new(&world);
    crew.road.swallow_from(2);
    let began = Instant::now();
    let running = crew.start(EXCHANGE, "");
    crew.executors[0].warns("a segment is spread");
    crew.begins_again(began);
    crew.ends_as_one_alone(running, 2);
    crew.road.open();
    crew.idles();
}

#[test]
fn sessions_that_the_target_ends_are_made_again() {
    let world = World::new();
    let mut crew = Crew::new(&world);
    let running = crew.start_held();
    let ended = crew.database.number(
        "select count(*) filter (where pg_terminate_backend(pid)) from pg_stat_activity \
         where datname = current_database() and application_name like 'flowetl%'",
    );
    assert!(ended > 0, "no session was there");
    crew.begins_again(Instant::now());
    let_go(&crew.database);
    crew.ends_as_one_alone(running, 2);
    let told = crew.cluster.metadata.text("select failure from attempt where number = 1");
    assert!(told.contains("sink_transient") && told.contains("out"), "{told}");
    crew.idles();
}

#[test]
fn memory_that_is_not_enough_ends_the_run_and_nothing_else() {
    let world = World::new();
    let mut crew = Crew::new(&world);
    let json = crew.start(TOO_LARGE, "memory: 100MB\n").wait().expect(1).json();
    let error = &json["error"];
    assert_eq!((&json["state"], &error["class"]), (&json!("failed"), &json!("resource")), "{json:#}");
    assert!(error["block"].is_string(), "{error:#}");
    crew.executors[0].warns("a segment is spread");
    assert!(!crew.database.has("out"));
    nothing_left(&crew.database);
    // What runs on threads of its own gives its files back a moment later.
    let spilled = |executor: usize| world.files(&format!("executor-{executor}/spill"));
    wait_until("the end of what was spilled", || (1..=3).all(|executor| spilled(executor).is_empty()));
    let running = crew.start(EXCHANGE, "");
    crew.ends_as_one_alone(running, 1);
    crew.idles();
}
