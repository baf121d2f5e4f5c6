//! What a run does when something goes wrong: a named error with its block and class, nothing visible, nothing staged.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::world::{Database, Ended, Running, World};

/// How long a cancelled run may take to be gone.
pub const CANCEL_LIMIT: Duration = Duration::from_secs(5);
/// How long a test waits for a run to reach a point.
const REACH_LIMIT: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// A source of `rows` wide rows, and a world to run in.
fn with_rows(rows: i64) -> (World, Database) {
    let database = Database::postgres();
    database.run(&format!(
        "create table wide (id bigint primary key, grp bigint, note text); \
         insert into wide select i, i % 10, repeat(md5(i::text), 8) from generate_series(1, {rows}) i"
    ));
    (World::new(), database)
}

/// A pipeline with the connection `db` to `database`.
fn write(world: &World, database: &Database, rest: &str) {
    world.write("p.yml", &format!("connections: {{db: \"{}\"}}\n{rest}", database.url));
}

/// Checks how a run failed: exit status 1, in this block, of this class, with these words.
#[track_caller]
fn failed(ended: Ended, database: &Database, block: &str, class: &str, words: &str) -> Value {
    let json = ended.expect(1).json();
    let error = &json["error"];
    let message = error["message"].as_str().unwrap_or_default();
    assert_eq!((error["block"].as_str(), error["class"].as_str()), (Some(block), Some(class)), "{error:#}");
    assert!(message.contains(words), "`{words}` is not in: {message}");
    assert_eq!(json["state"], "failed");
    nothing_left(database);
    json
}

#[track_caller]
pub fn nothing_left(database: &Database) {
    assert_eq!(database.staged(), Vec::<String>::new(), "staging is left");
}

/// Waits until `reached`.
#[track_caller]
pub fn wait_until(what: &str, mut reached: impl FnMut() -> bool) {
    let started = Instant::now();
    while !reached() {
        assert!(started.elapsed() < REACH_LIMIT, "{what} did not come within {REACH_LIMIT:?}");
        thread::sleep(LOOK_EVERY);
    }
}

#[test]
fn a_data_test_stops_the_load_or_only_warns() {
    let (world, database) = with_rows(100);
    let pipeline = |severity: &str| {
        format!(
            "blocks:\n  wide: {{extract: db.public.wide}}\n  \
             checks: {{test: wide, unique: [grp], not_null: [id], severity: {severity}}}\n  \
             out: {{load: wide, to: db.public.out}}\n"
        )
    };
    write(&world, &database, &pipeline("error"));
    let json = failed(world.run(&["run", "p.yml", "--json"]), &database, "checks", "data_test", "unique(grp)");
    assert_eq!(json["blocks"]["out"]["state"], "skipped");
    assert!(!database.has("out"));

    write(&world, &database, &pipeline("warn"));
    let json = world.run(&["run", "p.yml", "--json"]).expect(0).json();
    assert_eq!(json["tests"][0]["passed"], false, "{json:#}");
    assert_eq!(database.number("select count(*) from out"), 100);
}

/// A source that stands still in the middle of its rows until [`let_go`] is called.
pub fn held_copy(retries: u32) -> (World, Database) {
    let (world, database) = with_rows(20_000);
    database.run(
        "create function held(i bigint) returns bigint language plpgsql volatile as \
         $$begin if i = 10000 then perform pg_advisory_xact_lock_shared(1); end if; return i; end$$; \
         select pg_advisory_lock(1)",
    );
    let query = "select held(id) as id, grp, note from wide";
    write(
        &world,
        &database,
        &format!(
            "retries: {{max: {retries}, backoff: 50ms..100ms}}\nblocks:\n  \
             wide: {{extract: {{connection: db, query: \"{query}\"}}}}\n  out: {{load: wide, to: db.public.out}}\n"
        ),
    );
    (world, database)
}

pub fn let_go(database: &Database) {
    database.run("select pg_advisory_unlock(1)");
}

/// The sessions that wait for us: whoever only describes the query never calls its function.
pub const HELD: &str = "from pg_locks where locktype = 'advisory' and not granted \
                    and database = (select oid from pg_database where datname = current_database())";

/// Starts the held copy and waits until its rows have stopped coming.
fn start_held(world: &World, database: &Database) -> Running {
    let mut running = world.start(&["run", "p.yml", "--json"]);
    wait_until("the source's rows", || {
        assert!(running.runs(), "the run ended before it was met");
        database.number(&format!("select count(*) {HELD}")) > 0
    });
    running
}

/// Ends the session that reads the source.
#[track_caller]
fn kill_reader(database: &Database) {
    let ended = database.number(&format!("select count(*) filter (where pg_terminate_backend(pid)) {HELD}"));
    assert_eq!(ended, 1, "sessions that were ended");
}

#[test]
fn a_source_that_dies_ends_the_run_without_retries() {
    let (world, database) = held_copy(0);
    let running = start_held(&world, &database);
    kill_reader(&database);
    failed(running.wait(), &database, "wide", "source_transient", "");
    assert!(!database.has("out"));
}

#[test]
fn a_source_that_dies_is_read_again() {
    let (world, database) = held_copy(3);
    let running = start_held(&world, &database);
    kill_reader(&database);
    let_go(&database);
    let json = running.wait().expect(0).json();
    assert_eq!(json["blocks"]["wide"]["attempts"], 2, "{json:#}");
    assert_eq!(database.number("select count(distinct id) from out"), 20_000);
    nothing_left(&database);
}

#[test]
fn an_interrupt_cancels() {
    cancels_by("INT");
}

#[test]
fn a_termination_cancels() {
    cancels_by("TERM");
}

fn cancels_by(signal: &str) {
    let (world, database) = held_copy(3);
    let running = start_held(&world, &database);
    running.signal(signal);
    let asked = Instant::now();
    let json = running.wait().expect(1).json();
    assert!(asked.elapsed() < CANCEL_LIMIT, "it took {:?}", asked.elapsed());
    assert_eq!(json["state"], "cancelled");
    assert_eq!(json["error"]["class"], "cancelled");
    wait_until("the end of our sessions", || database.sessions().is_empty());
    assert!(asked.elapsed() < CANCEL_LIMIT, "a query of ours ran on for {:?}", asked.elapsed());
    nothing_left(&database);
    assert!(!database.has("out"));
}

/// A limit on the size of files stands for the full disk: it needs no rights, and ends a write the same way.
#[test]
fn a_full_disk_at_the_boundary() {
    let (world, database) = with_rows(200_000);
    write(
        &world,
        &database,
        "blocks:\n  wide: {extract: db.public.wide}\n  \
         shaped: {sql: \"select id, sha256(note) as a, sha256(cast(id as varchar)) as b from wide\", boundary: checkpoint}\n  \
         out: {load: shaped, to: db.public.out}\n",
    );
    // In blocks of 512 or 1,024 bytes: below the boundary's size, above the metadata database's.
    let command = world.command_after("trap '' XFSZ; ulimit -f 4096", &["run", "p.yml", "--json"]);
    failed(Running::start(command).wait(), &database, "shaped", "resource", "a file has grown");
    assert!(!database.has("out"));
    let mut parts = world.files("home/storage");
    parts.retain(|file| !file.starts_with("logs/"));
    assert_eq!(parts, Vec::<String>::new(), "parts are left");
    world.run(&["run", "p.yml", "--json"]).expect(0);
    assert_eq!(database.number("select count(*) from out"), 200_000);
}

/// The engine's `lpad` takes a negative length for a huge one, and no memory is that large.
#[test]
fn a_panic_inside_an_operator() {
    let (world, database) = with_rows(100);
    write(
        &world,
        &database,
        "blocks:\n  wide: {extract: db.public.wide}\n  \
         boom: {sql: \"select id, lpad('x', id - 9223372036854775807 - 1) as note from wide\"}\n  \
         out: {load: boom, to: db.public.out}\n",
    );
    failed(world.run(&["run", "p.yml", "--json"]), &database, "boom", "panic", "panic in an operator");
    assert!(!database.has("out"));
    assert_eq!(database.sessions(), Vec::<String>::new(), "a session is left");
}

#[test]
fn a_target_that_refuses_a_row() {
    let (world, database) = with_rows(1_000);
    database.run("create table out (id bigint check (id <> 777), grp bigint, note text); insert into out values (0, 0, 'before')");
    write(
        &world,
        &database,
        "blocks:\n  wide: {extract: db.public.wide}\n  out: {load: wide, to: db.public.out, write: append}\n",
    );
    failed(world.run(&["run", "p.yml", "--json"]), &database, "out", "user", "out_id_check");
    assert_eq!(database.number("select count(*) from out"), 1);
}

/// Each side alone is larger than the pool: the join spills, or says that memory was not enough; it never grows past the
/// ceiling by more than what a debug build's own code and stacks take.
#[test]
fn a_join_larger_than_memory() {
    let (world, database) = with_rows(200_000);
    write(
        &world,
        &database,
        "memory: 128MB\nblocks:\n  wide: {extract: db.public.wide}\n  other: {extract: db.public.wide}\n  \
         joined: {sql: \"select a.id, b.note from wide a join other b on a.note = b.note\"}\n  \
         out: {load: joined, to: db.public.out}\n",
    );
    let ended = world.run(&["run", "p.yml", "--json"]);
    let json = ended.json();
    let peak = json["peak_memory_bytes"].as_u64().unwrap();
    match ended.status.code() {
        Some(0) => {
            assert_eq!(database.number("select count(*) from out"), 200_000);
            let spilled = &json["blocks"]["joined"]["bytes_spilled"];
            assert!(spilled.as_u64().unwrap() > 0, "{json:#}");
        }
        _ => {
            assert_eq!(json["error"]["class"], "resource", "{json:#}");
            assert!(json["error"]["block"].is_string(), "{json:#}");
            assert!(!database.has("out"));
        }
    }
    nothing_left(&database);
    assert!(peak < 256 << 20, "{} MB were used", peak >> 20);
    assert_eq!(world.files("home/spill"), Vec::<String>::new(), "spilled rows are left");
}
