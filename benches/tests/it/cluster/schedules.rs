//! Schedules as the program keeps them: each time begins one run, whoever of the coordinators lives to see it.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;

use super::Cluster;
use crate::failure::wait_until;
use crate::world::{Served, World};

const SCHEDULES: usize = 500;
/// The times of all of them lie within these seconds.
const WINDOW_SECONDS: usize = 20;
/// How long making them takes at most, on a busy machine: the first time comes after it.
const MAKING_SECONDS: u64 = 20;

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

#[test]
fn sc_5_five_hundred_times_begin_one_run_each_though_the_leader_is_killed() {
    let world = World::new();
    let cluster = Cluster::new(&world);
    let service = ["--http", "127.0.0.1:0", "--auth", "off"];
    let (leader, first) = cluster.coordinator_with("one", &service);
    let leader = Served::of(leader);
    let (mut next, second) = cluster.coordinator_with("two", &service);
    let both = format!("{first},{second}");
    let _executor = cluster.executor_with("executor", &both, 1, &["--slots", "64"]);

    let pipelines = (0..SCHEDULES).map(|number| {
        let text = format!(
            "blocks:\n  rows: {{sql: \"select value as n from generate_series(1, 10) t\"}}\n  \
             out: {{load: rows, to: 'file://{}/out-{number}.parquet'}}\n",
            world.folder().display()
        );
        leader.post("/pipelines", &json!({ "name": format!("p{number}"), "text": text }))["id"].clone()
    });
    let pipelines: Vec<_> = pipelines.collect();
    let begin = now() + MAKING_SECONDS;
    for (number, pipeline) in pipelines.iter().enumerate() {
        let at = begin + (number * WINDOW_SECONDS / SCHEDULES) as u64;
        let cron = format!("{} {} {} * * *", at % 60, at / 60 % 60, at / 3600 % 24);
        leader.post("/schedules", &json!({ "target_id": pipeline, "cron_expression": cron, "missed": "run_now" }));
    }
    assert!(now() < begin, "the schedules were made too slowly for this test");
    let count =
        |what: &str| cluster.metadata.number(&format!("select count({what}) from run where schedule is not null"));
    // In the midst of them, with runs under way.
    wait_until("a third of the runs", || count("*") >= SCHEDULES as i64 / 3);
    leader.process.kill();
    next.says("leads in term ");
    let ended = "select count(*) from run where state = 'success'";
    wait_until("all runs", || cluster.metadata.number(ended) == SCHEDULES as i64);
    assert_eq!((count("*"), count("distinct schedule")), (SCHEDULES as i64, SCHEDULES as i64));
    let written = (0..SCHEDULES).filter(|number| world.path(&format!("out-{number}.parquet")).exists());
    assert_eq!(written.count(), SCHEDULES);
}
