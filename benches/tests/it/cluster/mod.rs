//! A coordinator and its executors as processes: runs end as they do in one process, and survive any of them.

mod leader;
mod metrics;
mod outage;
mod publish;
mod road;
mod schedules;
mod seen;
mod shared;
mod spread;

use std::process::Command;
use std::time::Instant;

use flowetl::Client;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::failure::{CANCEL_LIMIT, HELD, held_copy, let_go, nothing_left, wait_until};
use crate::server::{client, told};
use crate::world::{Database, Ended, Running, World};

/// What the processes of one cluster share: etcd under a prefix of its own, the metadata database, and storage.
pub struct Cluster<'a> {
    pub world: &'a World,
    pub metadata: Database,
    settings: Vec<(&'static str, String)>,
    runtime: Runtime,
}

impl<'a> Cluster<'a> {
    pub fn new(world: &'a World) -> Self {
        let metadata = Database::postgres();
        let name = metadata.url.rsplit('/').next().unwrap().to_owned();
        let etcd = server("FLOWETL_TEST_ETCD");
        let s3 = server("FLOWETL_TEST_S3");
        let (bucket, options) = s3.split_once('?').expect("`FLOWETL_TEST_S3` has options");
        let settings = vec![
            ("FLOWETL_ETCD", etcd),
            ("FLOWETL_ETCD_PREFIX", format!("/test/{name}")),
            ("FLOWETL_DATABASE_URL", metadata.url.clone()),
            ("FLOWETL_STORAGE_URL", format!("{bucket}/{name}?{options}")),
            ("RUST_LOG", "warn,flowetl_executor=info".to_owned()),
        ];
        Self { world, metadata, settings, runtime: Runtime::new().unwrap() }
    }

    /// Sets a variable of the processes that are started from now on.
    pub fn set(&mut self, name: &'static str, value: String) {
        self.settings.retain(|(known, _)| *known != name);
        self.settings.push((name, value));
    }

    fn setting(&self, name: &str) -> &str {
        &self.settings.iter().find(|(n, _)| *n == name).unwrap().1
    }

    pub fn start(&self, home: &str, arguments: &[&str]) -> Running {
        let mut command: Command = self.world.command(arguments);
        command.envs(self.settings.iter().map(|(name, value)| (*name, value)));
        command.env("FLOWETL_HOME", self.world.path(home));
        Running::start(command)
    }

    /// A coordinator that leads or stands by, and its URL.
    fn coordinator(&self, home: &str) -> (Running, String) {
        self.coordinator_with(home, &[])
    }

    pub fn coordinator_with(&self, home: &str, settings: &[&str]) -> (Running, String) {
        let mut running = self.start(home, &[&["coordinator", "--listen", "127.0.0.1:0"], settings].concat());
        let line = running.says("coordinator at ");
        (running, line.rsplit(' ').next().unwrap().to_owned())
    }

    /// An executor that is known to the coordinator at `url`, as one of `count`.
    fn executor(&self, home: &str, url: &str, count: usize) -> Running {
        self.executor_with(home, url, count, &[])
    }

    fn executor_with(&self, home: &str, url: &str, count: usize, settings: &[&str]) -> Running {
        let mut running = self.start(home, &[&["executor", "--listen", "127.0.0.1:0"], settings].concat());
        running.says("executor at ");
        self.gathered(url, count);
        running
    }

    /// Waits until the coordinator knows so many executors.
    fn gathered(&self, url: &str, count: usize) {
        wait_until("the executors", || self.executors(url).unwrap() == count);
    }

    /// How many executors whoever leads of the coordinators `servers` knows.
    pub fn executors(&self, servers: &str) -> flowetl::Result<usize> {
        self.runtime.block_on(async { Ok(Client::connect(servers).await?.executors().await?.len()) })
    }

    /// How many slots of each executor are taken.
    fn busy(&self, url: &str) -> Vec<u32> {
        let executors = self.runtime.block_on(async { Client::connect(url).await?.executors().await });
        executors.unwrap().into_iter().map(|executor| executor.busy).collect()
    }

    /// What the program says as a client of the coordinator.
    pub fn ask(&self, url: &str, arguments: &[&str]) -> Ended {
        self.follow(url, arguments).wait()
    }

    fn follow(&self, url: &str, arguments: &[&str]) -> Running {
        Running::start(client(self.world, url, arguments))
    }

    /// Starts the pipeline `p.yml`, a held copy, and waits until its rows have stopped coming.
    fn start_held(&self, url: &str, database: &Database) -> Running {
        let running = self.follow(url, &["run", "p.yml", "--json"]);
        wait_until("the source's rows", || !readers(database).is_empty());
        running
    }
}

fn server(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| panic!("`{variable}` names no server; `deploy/test.sh` starts one"))
}

/// The sessions of ours that stand still in the held source.
fn readers(database: &Database) -> Vec<String> {
    database.texts(&format!("select pid::text {HELD}"))
}

fn attempts(json: &Value) -> &Value {
    &json["blocks"]["out"]["attempts"]
}

/// Waits for the end of the held copy: it took so many attempts, and its rows are there, each once, and nothing else.
#[track_caller]
fn copied_once(running: Running, database: &Database, wanted: u64) {
    let json = running.wait().expect(0).json();
    assert_eq!((&json["state"], attempts(&json)), (&json!("success"), &json!(wanted)), "{json:#}");
    assert_eq!(database.number("select count(distinct id) from out"), 20_000);
    assert_eq!(database.number("select count(*) from out"), 20_000);
    nothing_left(database);
}

#[test]
fn a_run_on_many_ends_as_one_alone() {
    let (world, database) = (World::new(), Database::postgres());
    database.run(
        "create table events (id bigint primary key, customer int, note text, at timestamptz); \
         insert into events select i, i % 97, 'row ' || i, timestamptz '2026-01-01' + i * interval '1 s' \
         from generate_series(1, 50000) i",
    );
    let text = format!(
        "connections: {{db: \"{}\"}}\nblocks:\n  events: {{extract: db.public.events}}\n  \
         shaped: {{sql: \"select id, customer, upper(note) as note, at from events where id % 3 = 0\", boundary: checkpoint}}\n  \
         totals: {{sql: \"select customer, count(*) as n, max(at) as last from shaped group by customer\"}}\n  \
         checks: {{test: totals, unique: [customer]}}\n  \
         rows: {{load: shaped, to: db.public.rows}}\n  sums: {{load: totals, to: db.public.sums}}\n",
        database.url
    );
    world.write("p.yml", &text);
    let made = || ["rows", "sums"].map(|table| database.texts(&format!("select t::text from {table} t order by 1")));
    let alone = told(world.run(&["run", "p.yml", "--json"]).expect(0));
    let oracle = made();
    assert_eq!((oracle[0].len(), oracle[1].len()), (16_666, 97));
    database.run("drop table rows, sums, _flowetl_commits");

    let cluster = Cluster::new(&world);
    let (_coordinator, url) = cluster.coordinator("coordinator");
    let _executors: Vec<_> = (1..=3).map(|count| cluster.executor(&format!("executor-{count}"), &url, count)).collect();
    let looked = ["plan", "p.yml"];
    assert_eq!(cluster.ask(&url, &looked).expect(0).out, world.run(&looked).expect(0).out);
    let rows = cluster.ask(&url, &["preview", "p.yml", "totals", "--json"]).expect(0).json();
    assert_eq!(rows.as_array().unwrap().len(), 97);
    let there = told(cluster.ask(&url, &["run", "p.yml", "--json"]).expect(0));
    assert_eq!(there, alone);
    assert_eq!(made(), oracle);
    nothing_left(&database);
    assert_eq!(cluster.metadata.number("select count(*) from run"), 1);
}

/// The tables of TPC-H as files in object storage, and a pipeline of its 22 queries over them: `p.yml`.
fn tpch(world: &World, database: &Database) -> usize {
    let files = server("FLOWETL_TEST_TPCH");
    let s3 = server("FLOWETL_TEST_S3");
    let (bucket, options) = s3.split_once('?').expect("`FLOWETL_TEST_S3` has options");
    let name = database.url.rsplit('/').next().unwrap();
    let lake = format!("lake: \"{bucket}/{name}-lake?{options}\"");
    let tables = ["customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier"];
    let mut up = format!("connections: {{files: \"file://{files}\", {lake}}}\nblocks:\n");
    let mut text = format!("connections: {{{lake}, db: \"{}\"}}\nblocks:\n", database.url);
    for table in tables {
        up += &format!("  {table}: {{extract: files/{table}.parquet}}\n");
        up += &format!("  {table}_up: {{load: {table}, to: lake/{table}/, file_size: 1MB}}\n");
        text += &format!("  {table}: {{extract: lake/{table}/*.parquet}}\n");
    }
    let queries: Vec<_> = include_str!("tpch.sql").split(";\n").filter(|query| !query.trim().is_empty()).collect();
    for (at, query) in queries.iter().enumerate() {
        let (n, query) = (at + 1, json!(query.trim()));
        text += &format!("  q{n}: {{sql: {query}}}\n  made{n}: {{load: q{n}, to: db.public.q{n}}}\n");
    }
    world.write("up.yml", &up);
    world.write("p.yml", &text);
    world.run(&["run", "up.yml"]).expect(0);
    queries.len()
}

#[test]
fn queries_over_files_end_the_same_on_one_two_and_three() {
    let (world, database) = (World::new(), Database::postgres());
    let queries = tpch(&world, &database);
    assert_eq!(queries, 22);
    let made = || -> Vec<_> {
        (1..=queries).map(|n| database.texts(&format!("select t::text from q{n} t order by 1"))).collect()
    };
    let drop_all = || (1..=queries).for_each(|n| database.run(&format!("drop table q{n}")));
    world.run(&["run", "p.yml"]).expect(0);
    let oracle = made();
    drop_all();

    let cluster = Cluster::new(&world);
    let (_coordinator, url) = cluster.coordinator("coordinator");
    let mut executors = Vec::new();
    for count in 1..=3 {
        let home = format!("executor-{count}");
        executors.push(cluster.executor_with(&home, &url, count, &["--share", "8KB", "--slots", "64"]));
        cluster.ask(&url, &["run", "p.yml"]).expect(0);
        assert_eq!(made(), oracle, "on {count}");
        drop_all();
    }
    executors[0].warns("a segment is spread");
    nothing_left(&database);
}

#[test]
fn a_copy_there_is_told_as_one_here() {
    let (world, database) = (World::new(), Database::postgres());
    database.run(
        "create table t (id bigint primary key, note text); \
         insert into t select i, 'row ' || i from generate_series(1, 1000) i",
    );
    let connection = format!("db={}", database.url);
    let copy = |to| ["copy", "db.public.t", to, "--cursor", "id", "--key", "id", "--json", "-c", &connection];
    let made = || database.texts("select out::text from out order by 1");
    let here = told(world.run(&copy("db.public.out")).expect(0));
    let oracle = made();
    assert_eq!(oracle.len(), 1000);
    database.run("drop table out, _flowetl_commits");

    let cluster = Cluster::new(&world);
    let (_coordinator, url) = cluster.coordinator("coordinator");
    let _executor = cluster.executor("first", &url, 1);
    let there = told(cluster.ask(&url, &copy("db.public.out")).expect(0));
    assert_eq!((there, made()), (here, oracle));
    // It is remembered there how far the first one came.
    database.run("insert into t values (1001, 'another')");
    let json = cluster.ask(&url, &copy("db.public.out")).expect(0).json();
    assert!(json["blocks"]["extract"]["rows_out"].as_u64().unwrap() < 10, "{json:#}");
    assert_eq!(made().len(), 1001);
    let (here, there) = (world.run(&copy("dc.public.out")), cluster.ask(&url, &copy("dc.public.out")));
    assert_eq!(there.expect(2).err, here.expect(2).err);
    assert_eq!(cluster.metadata.number("select count(*) from run"), 2);
}

#[test]
fn a_killed_executors_work_is_done_by_another() {
    let (world, database) = held_copy(3);
    let cluster = Cluster::new(&world);
    let (_coordinator, url) = cluster.coordinator("coordinator");
    let first = cluster.executor("first", &url, 1);
    let running = cluster.start_held(&url, &database);
    let _second = cluster.executor("second", &url, 2);
    let before = readers(&database);
    first.kill();
    wait_until("another's attempt", || readers(&database).iter().any(|reader| !before.contains(reader)));
    let_go(&database);
    copied_once(running, &database, 2);
    cluster.gathered(&url, 1);
}

#[test]
fn an_executor_that_wakes_up_late_changes_nothing() {
    let (world, database) = held_copy(3);
    let cluster = Cluster::new(&world);
    let (_coordinator, url) = cluster.coordinator("coordinator");
    let first = cluster.executor("first", &url, 1);
    let running = cluster.start_held(&url, &database);
    let _second = cluster.executor("second", &url, 2);
    let before = readers(&database);
    first.signal("STOP");
    wait_until("another's attempt", || readers(&database).iter().any(|reader| !before.contains(reader)));
    let_go(&database);
    let json = running.wait().expect(0).json();
    assert_eq!((&json["state"], attempts(&json)), (&json!("success"), &json!(2)), "{json:#}");
    let made = || database.texts("select out::text from out order by 1");
    let published = made();
    assert_eq!(published.len(), 20_000);
    first.signal("CONT");
    // It belongs to the fleet again, and what it was doing is removed.
    cluster.gathered(&url, 2);
    wait_until("the end of its attempt", || database.staged().is_empty() && database.sessions().is_empty());
    assert_eq!(made(), published);
}

#[test]
fn a_cancel_ends_what_runs_elsewhere() {
    let (world, database) = held_copy(3);
    let cluster = Cluster::new(&world);
    let (_coordinator, url) = cluster.coordinator("coordinator");
    let _executor = cluster.executor("first", &url, 1);
    let running = cluster.start_held(&url, &database);
    let asked = Instant::now();
    running.signal("INT");
    let json = running.wait().expect(1).json();
    assert!(asked.elapsed() < CANCEL_LIMIT, "it took {:?}", asked.elapsed());
    assert_eq!((&json["state"], attempts(&json)), (&json!("cancelled"), &json!(1)), "{json:#}");
    wait_until("the end of the executor's sessions", || database.sessions().is_empty());
    assert!(asked.elapsed() < CANCEL_LIMIT, "a query of ours ran on for {:?}", asked.elapsed());
    nothing_left(&database);
    assert!(!database.has("out"));
}

#[test]
fn a_drained_executor_finishes_its_attempt() {
    let (world, database) = held_copy(0);
    let cluster = Cluster::new(&world);
    let (_coordinator, url) = cluster.coordinator("coordinator");
    let first = cluster.executor("first", &url, 1);
    let running = cluster.start_held(&url, &database);
    let asked = |arguments: &[&str]| cluster.ask(&url, &[&["executor"], arguments].concat());
    let known = asked(&["list", "--json"]).expect(0).json();
    let unknown = asked(&["drain", "x"]).expect(2).err;
    assert!(unknown.contains("no executor `x` is alive"), "{unknown}");
    asked(&["drain", known["executors"][0]["id"].as_str().unwrap()]).expect(0);
    wait_until("a draining executor", || asked(&["list"]).expect(0).out.ends_with("busy 1 of 2, draining\n"));
    let second = cluster.executor("second", &url, 2);
    let_go(&database);
    let json = running.wait().expect(0).json();
    assert_eq!((&json["state"], attempts(&json)), (&json!("success"), &json!(1)), "{json:#}");
    first.wait().expect(0);
    cluster.gathered(&url, 1);
    let json = cluster.ask(&url, &["run", "p.yml", "--json"]).expect(0).json();
    assert_eq!(attempts(&json), &json!(1));
    assert_eq!(database.number("select count(distinct id) from out"), 20_000);
    nothing_left(&database);
    second.signal("TERM");
    second.wait().expect(0);
    cluster.gathered(&url, 0);
}

#[test]
fn settings_that_are_wrong_are_refused_by_name() {
    let world = World::new();
    let cases = [
        (&["executor", "--etcd", "http://127.0.0.1:1"][..], "set `FLOWETL_STORAGE_URL`"),
        (&["executor", "--etcd", "127.0.0.1:1"], "`--etcd` (`FLOWETL_ETCD`) takes `http://host:port` or"),
        (&["coordinator", "--etcd", "http://127.0.0.1:1"], "cannot find executors: etcd"),
        (&["coordinator", "--etcd", "http://127.0.0.1:1", "--etcd-prefix", "x/"], "`FLOWETL_ETCD_PREFIX`"),
        (&["coordinator"], "--etcd"),
    ];
    for (arguments, words) in cases {
        let said = world.run(arguments).expect(2).err;
        assert!(said.contains(words), "`{words}` is not in: {said}");
    }
}
