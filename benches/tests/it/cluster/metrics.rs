//! What Prometheus is told by the processes of a cluster.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::Cluster;
use crate::failure::wait_until;
use crate::world::{Database, World, free_address};

/// The figures at an address.
fn figures(address: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    answer
}

/// Waits until these figures are there: some are looked at once a second.
fn shows(address: &str, wanted: &[&str]) {
    let mut last = String::new();
    wait_until(&format!("{wanted:?}"), || {
        last = figures(address);
        wanted.iter().all(|line| last.lines().any(|l| l.starts_with(line)))
    });
}

#[test]
fn processes_tell_what_they_did() {
    let (world, database) = (World::new(), Database::postgres());
    database.run("create table t (id bigint primary key); insert into t select generate_series(1, 1000)");
    let blocks = "blocks:\n  rows: {extract: db.public.t}\n  out: {load: rows, to: db.public.out}\n";
    world.write("p.yml", &format!("connections: {{db: \"{}\"}}\n{blocks}", database.url));
    let cluster = Cluster::new(&world);
    let (coordinator, executor) = (free_address(), free_address());
    let (_leader, url) = cluster.coordinator_with("coordinator", &["--metrics", &coordinator]);
    let _executor = cluster.start("executor", &["executor", "--listen", "127.0.0.1:0", "--metrics", &executor]);
    cluster.gathered(&url, 1);
    cluster.ask(&url, &["run", "p.yml"]).expect(0);
    world.write(
        "no.yml",
        &format!("connections: {{db: \"{}\"}}\n{}", database.url, blocks.replace("db.public.t}", "db.public.no}")),
    );
    cluster.ask(&url, &["run", "no.yml"]).expect(1);
    shows(
        &coordinator,
        &[
            "flowetl_leads 1",
            "flowetl_executors 1",
            "flowetl_slots 2",
            "flowetl_slots_busy 0",
            "flowetl_runs_active 0",
            "flowetl_runs_ended_total{state=\"success\"} 1",
            "flowetl_runs_ended_total{state=\"failed\"} 1",
            "flowetl_attempts_total{outcome=\"committed\",class=\"\"} 1",
            "flowetl_attempts_total{outcome=\"failed\",class=\"user\"} 1",
            "flowetl_decision_seconds_count ",
            "process_resident_memory_bytes ",
        ],
    );
    shows(
        &executor,
        &[
            "flowetl_attempts_running 0",
            "flowetl_attempts_ended_total{outcome=\"prepared\",class=\"\"} 1",
            "flowetl_rows_in_total 2000",
            "process_cpu_seconds_total ",
        ],
    );
}
