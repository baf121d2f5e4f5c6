//! Processes that are killed while a target publishes: it is found out whether it did, and it is done once.

use serde_json::json;

use super::{Cluster, attempts};
use crate::failure::{nothing_left, wait_until};
use crate::world::{Database, Running, World};

const ROWS: i64 = 1_000;

/// A merge into a table that is there, which can be kept from being published.
fn merge() -> (World, Database) {
    let (world, database) = (World::new(), Database::postgres());
    database.run(&format!(
        "create table events (id bigint primary key, note text); \
         insert into events select i, 'event ' || i from generate_series(1, {ROWS}) i; \
         create table out (id bigint primary key, note text); insert into out values (0, 'old'), (1, 'old')"
    ));
    world.write(
        "p.yml",
        &format!(
            "connections: {{db: \"{}\"}}\nblocks:\n  events: {{extract: db.public.events}}\n  \
             out: {{load: events, to: db.public.out, write: merge, key: id}}\n",
            database.url
        ),
    );
    (world, database)
}

/// Keeps `out` as it is until it is dropped: what has been staged waits to be published.
struct Locked<'a> {
    locker: Database,
    database: &'a Database,
}

impl<'a> Locked<'a> {
    fn new(database: &'a Database) -> Self {
        let locker = database.again();
        locker.run("begin; lock table out in share mode");
        Self { locker, database }
    }

    /// The sessions of ours that stand still in their commits.
    fn waiting(&self) -> Vec<String> {
        self.database.texts(
            "select distinct l.pid::text from pg_locks l join pg_stat_activity a using (pid) \
             where not l.granted and a.datname = current_database() and a.application_name like 'flowetl%'",
        )
    }

    /// Waits for a session that is not one of `before`; gives all that wait then.
    fn meets_another(&self, before: &[String]) -> Vec<String> {
        let mut waiting = Vec::new();
        wait_until("a commit", || {
            waiting = self.waiting();
            waiting.iter().any(|session| !before.contains(session))
        });
        waiting
    }

    fn open(self) {
        self.locker.run("commit");
    }
}

/// Waits for the end: in one attempt, every row is there once, and nothing else is left.
fn merged_once(running: Running, database: &Database) {
    let json = running.wait().expect(0).json();
    assert_eq!((&json["state"], attempts(&json)), (&json!("success"), &json!(1)), "{json:#}");
    assert_eq!(database.number("select count(*) from out where note = 'event ' || id"), ROWS);
    assert_eq!(database.number("select count(*) from out"), ROWS + 1);
    assert_eq!(database.number("select count(*) from _flowetl_commits"), 1);
    nothing_left(database);
}

#[test]
fn what_a_killed_executor_was_publishing_is_published_by_another() {
    let (world, database) = merge();
    let cluster = Cluster::new(&world);
    let (_coordinator, url) = cluster.coordinator("coordinator");
    let first = cluster.executor("first", &url, 1);
    let locked = Locked::new(&database);
    let running = cluster.follow(&url, &["run", "p.yml", "--json"]);
    let before = locked.meets_another(&[]);
    let _second = cluster.executor("second", &url, 2);
    first.kill();
    locked.meets_another(&before);
    locked.open();
    merged_once(running, &database);
}

#[test]
fn what_was_being_published_when_the_leader_was_killed_is_published_once() {
    let (world, database) = merge();
    let cluster = Cluster::new(&world);
    let (leader, first) = cluster.coordinator("one");
    let (mut next, second) = cluster.coordinator("two");
    let _executor = cluster.executor("executor", &first, 1);
    let locked = Locked::new(&database);
    let running = cluster.follow(&format!("{first},{second}"), &["run", "p.yml", "--json"]);
    let before = locked.meets_another(&[]);
    leader.kill();
    next.says("leads in term ");
    // It asks for the same commit again, while the first goes on.
    locked.meets_another(&before);
    locked.open();
    merged_once(running, &database);
    assert_eq!(cluster.metadata.number("select count(*) from attempt"), 1);
}
