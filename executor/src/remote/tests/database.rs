//! Tables of a database that several executors read and write together.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use flowetl_proto::control::{Executor as _, Output};
use flowetl_proto::id::BlockId;
use tokio::runtime::Handle;
use tokio::task::block_in_place;

use super::{Crew, Kind};
use crate::connectors::postgres::tests::{Database, with_database};
use crate::tests::world::{extract, load, sql};

/// Rows of the table `source`: more than a slice.
const ROWS: u64 = 300_000;

/// How long a server takes to notice that a session has ended, on however slow a machine.
const SESSIONS_LIMIT: Duration = Duration::from_secs(20);

/// Runs a test with a leader, its helpers and a database with the table `source`.
fn with_source(helpers: usize, test: impl FnOnce(&mut Crew, &mut Database) + Send + 'static) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(with_database(move |mut database| async move {
        let sql = format!(
            "create table source as select v as id, v % 700 as customer, repeat('x', 60) || v as note
             from generate_series(1, {ROWS}) v; analyze source"
        );
        database.run(&sql).await;
        block_in_place(|| {
            let mut crew = Crew::new(helpers);
            crew.world.connections.insert("db".into(), database.spec());
            test(&mut crew, &mut database);
        });
    }));
}

fn run(database: &mut Database, sql: &str) {
    Handle::current().block_on(database.run(sql));
}

fn number(database: &mut Database, sql: &str) -> u64 {
    Handle::current().block_on(database.value(sql)).parse().unwrap()
}

/// Waits until no session of ours does anything: what an attempt has begun ends with it.
fn leaves_no_session(database: &mut Database) {
    let ours = "select count(*) from pg_stat_activity where datname = current_database() and application_name ~ '^flowetl' and state <> 'idle'";
    let started = Instant::now();
    while number(database, ours) > 0 {
        assert!(started.elapsed() < SESSIONS_LIMIT, "{} sessions are left", number(database, ours));
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Rows that are in one of the tables and not in the other.
fn difference(database: &mut Database, one: &str, other: &str) -> u64 {
    number(
        database,
        &format!(
            "select count(*) from ((table {one} except all table {other}) union all (table {other} except all table {one})) d"
        ),
    )
}

#[test]
fn a_table_is_read_by_all_and_each_row_once() {
    with_source(2, |crew, database| {
        let query = "select place(id) as place, count(*) as n, sum(id) as ids from source group by 1";
        let blocks = vec![extract("source", "db", "source"), sql("out", &["source"], query)];
        let spec = crew.helped(crew.world.attempt("r", 1, blocks, Output::Boundary));
        crew.start(&spec);
        let prepared = crew.prepared();
        let rows = crew.rows(&prepared);
        let cell = |row: &str, n: usize| row.split('|').nth(n).unwrap().to_owned();
        let places: BTreeSet<_> = rows.iter().map(|row| cell(row, 1)).collect();
        assert_eq!(places, BTreeSet::from(["helper-0", "helper-1", "leader"].map(str::to_owned)), "{rows:?}");
        let sum = |n| rows.iter().map(|row| cell(row, n).parse::<u64>().unwrap()).sum::<u64>();
        assert_eq!((sum(2), sum(3)), (ROWS, number(database, "select sum(id) from source")));
        assert_eq!(prepared.blocks[&BlockId::new("source")].rows_out, ROWS);
        crew.idles();
        leaves_no_session(database);
    });
}

#[test]
fn a_join_that_all_work_on_leaves_no_session() {
    with_source(2, |crew, database| {
        run(database, "create table other as select id, note as words from source where id % 2 = 0; analyze other");
        let query = "select count(*) as n, sum(o.id) as ids from source s join other o on o.id = s.id";
        let inputs = [extract("source", "db", "source"), extract("other", "db", "other")];
        let blocks = inputs.into_iter().chain([sql("out", &["source", "other"], query)]).collect();
        let spec = crew.helped(crew.world.attempt("r", 1, blocks, Output::Boundary));
        crew.start(&spec);
        let prepared = crew.prepared();
        assert_eq!(prepared.blocks[&BlockId::new("source")].rows_out, ROWS);
        crew.idles();
        leaves_no_session(database);
    });
}

#[test]
fn all_see_the_table_as_it_was_when_the_first_looked() {
    with_source(1, |crew, database| {
        let hold = crew.world.folder.path().join("hold");
        std::fs::write(&hold, "").unwrap();
        // Slices that the helper has not begun are read after the change.
        let query = format!("select held('{}', id) as id from source", hold.display());
        let blocks = vec![extract("source", "db", "source"), sql("out", &["source"], &query)];
        let spec = crew.helped(crew.world.attempt("r", 1, blocks, Output::Boundary));
        crew.start(&spec);
        crew.flows("source");
        run(database, "update source set note = note || '!'; insert into source select -id, 0, '' from source");
        std::fs::remove_file(hold).unwrap();
        let prepared = crew.prepared();
        let ids: BTreeSet<_> = crew.rows(&prepared).into_iter().collect();
        assert_eq!(prepared.blocks[&BlockId::new("out")].rows_out, ROWS);
        assert_eq!(ids.len() as u64, ROWS);
        assert!(!ids.iter().any(|id| id.contains('-')), "rows that came later");
    });
}

#[test]
fn a_table_is_written_by_all_and_appears_at_once() {
    with_source(2, |crew, database| {
        run(
            database,
            "create table merged (id integer primary key, customer integer, note text);
             insert into merged select id, -1, 'old' from source where id % 3 = 0;
             create table wanted as table source;
             create view seen as select count(*) as n from merged",
        );
        let merged = {
            let mut block = load("merged", "source", "db", "merged", "merge");
            block.settings["key"] = serde_json::json!(["id"]);
            block
        };
        let loads = [load("replaced", "source", "db", "replaced", "replace"), merged];
        for (at, to) in loads.into_iter().enumerate() {
            let (name, blocks) = (to.id.to_string(), vec![extract("source", "db", "source"), to]);
            let spec = crew.helped(crew.world.attempt("r", at as i64 + 1, blocks, Output::Sink));
            crew.start(&spec);
            let prepared = crew.prepared();
            let parts = prepared.manifest.as_ref().unwrap().parts.len();
            assert_eq!(parts, 6, "two writers of each executor: {:?}", prepared.manifest);
            assert_eq!(prepared.blocks[&BlockId::new(name.as_str())].rows_in, ROWS);
            assert_eq!(number(database, "select n from seen"), ROWS / 3, "nothing is visible yet");
            crew.runtime.block_on(crew.leader.node.commit(spec.clone(), prepared)).unwrap();
            assert_eq!(crew.end(), Kind::Committed);
            assert_eq!(difference(database, &name, "wanted"), 0, "{name}");
        }
    });
}
