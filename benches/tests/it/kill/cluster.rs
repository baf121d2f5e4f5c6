//! `kill -9` at random moments of random processes of a cluster on which pipelines run in a loop: every run comes to its
//! end, and every target holds what it must.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::target::{Postgres, Target};
use super::{Expected, FRESH_EVERY, KILLS, fill, kills, pipeline};
use crate::cluster::Cluster;
use crate::failure::wait_until;
use crate::world::{Database, Random, Running, World, free_address};

/// Between two kills, on average: as many as come in ten minutes are 200.
const PACE: Duration = Duration::from_secs(3);
const COORDINATORS: usize = 2;
const EXECUTORS: usize = 3;
const ROWS: i64 = 2_000;

/// One process of the cluster, which is started again whenever it was killed.
struct Member {
    name: String,
    arguments: Vec<String>,
    running: Option<Running>,
}

impl Member {
    fn new(name: String, arguments: &[&str]) -> Self {
        Self { name, arguments: arguments.iter().map(|a| (*a).to_owned()).collect(), running: None }
    }

    fn start(&mut self, cluster: &Cluster) {
        let arguments: Vec<_> = self.arguments.iter().map(String::as_str).collect();
        self.running = Some(cluster.start(&self.name, &arguments));
    }

    fn kill(&mut self) {
        drop(self.running.take().map(Running::kill));
    }
}

#[test]
fn a_cluster() {
    let (pipelines, kills) = match kills() {
        KILLS => (4, KILLS / 3),
        more => (20, more),
    };
    let world = World::new();
    let cluster = Cluster::new(&world);
    let mut members = Vec::new();
    let mut servers = Vec::new();
    for number in 0..COORDINATORS {
        let address = free_address();
        members.push(Member::new(format!("coordinator-{number}"), &["coordinator", "--listen", &address]));
        servers.push(format!("http://{address}"));
    }
    for number in 0..EXECUTORS {
        members.push(Member::new(format!("executor-{number}"), &["executor", "--listen", "127.0.0.1:0"]));
    }
    let servers = servers.join(",");
    members.iter_mut().for_each(|member| member.start(&cluster));
    // A coordinator that listens yet takes no connection.
    let gathered = || cluster.executors(&servers).is_ok_and(|count| count == EXECUTORS);
    wait_until("the executors", gathered);

    let stop = AtomicBool::new(false);
    let runs: i64 = thread::scope(|scope| {
        let (cluster, servers, stop) = (&cluster, servers.as_str(), &stop);
        let loops: Vec<_> = (0..pipelines).map(|n| scope.spawn(move || run_on(cluster, servers, n, stop))).collect();
        let mut random = Random(23);
        for _ in 0..kills {
            thread::sleep(PACE.mul_f64(2.0 * random.share()));
            let many = u64::try_from(members.len()).unwrap();
            let member = &mut members[usize::try_from(random.next() % many).unwrap()];
            member.kill();
            member.start(cluster);
        }
        stop.store(true, Ordering::Relaxed);
        loops.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    let count = |what: &str| cluster.metadata.number(&format!("select count(*) from {what}"));
    assert_eq!(count("run where finished_at is null"), 0, "a run has no end");
    assert_eq!(count("run where state = 'success'"), runs, "a run was made twice");
    println!("{kills} kills, {runs} runs of {pipelines} pipelines, {} attempts", count("attempt"));
}

/// Runs a pipeline of its own until `stop`; how often it did.
fn run_on(cluster: &Cluster, servers: &str, number: usize, stop: &AtomicBool) -> i64 {
    let source = Database::postgres();
    let target = Postgres::new(&source);
    let (name, file) = (format!("p{number}"), format!("p{number}.yml"));
    cluster.world.write(&file, &pipeline(&source.url, &target));
    source.run("create schema src; create table src.events (id bigint primary key, customer bigint, note text, version bigint)");
    let metadata = cluster.metadata.again();
    let mut expected = Expected::default();
    let mut version = 0;
    while version == 0 || !stop.load(Ordering::Relaxed) {
        if version % FRESH_EVERY == FRESH_EVERY - 1 && target.start_afresh() {
            expected.start_afresh();
        }
        fill(&source, version, ROWS);
        run_once(cluster, servers, &file, &metadata, &name);
        expected.ran(&source);
        // What a killed executor had staged goes when its session does.
        wait_until("the removal of what was staged", || target.left_behind().is_empty());
        expected.same_as(&target, &format!("{name}, version {version}"));
        version += 1;
    }
    version
}

/// Runs a pipeline until it has succeeded once more. What its client saw does not count, what the database says does.
fn run_once(cluster: &Cluster, servers: &str, file: &str, metadata: &Database, name: &str) {
    let count = |state: &str| {
        metadata.number(&format!("select count(*) from run where pipeline = '{name}' and state in ({state})"))
    };
    let before = count("'success'");
    loop {
        let ended = cluster.ask(servers, &["run", file, "--json"]);
        wait_until("the end of a run", || count("'running', 'failing', 'cancelling'") == 0);
        match count("'success'") - before {
            1 => return,
            // Nobody led when it was asked for, or the leader was killed before it had written the run down.
            0 => assert!(!ended.status.success(), "a run that succeeded is not there: {}", ended.out),
            more => panic!("{more} runs of `{name}` instead of one"),
        }
    }
}
