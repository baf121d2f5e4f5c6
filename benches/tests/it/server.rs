//! A coordinator that serves, and who asks it: the program with `--server` says and does what it does alone.

use std::process::Command;

use flowetl::{Block, Client, Options, Phase, Pipeline, Source};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::failure::{HELD, held_copy, let_go, nothing_left, wait_until};
use crate::world::{Database, Ended, Running, World};

/// What differs between two runs of the same.
const OWN_TO_A_RUN: [&str; 6] =
    ["run_id", "started_at", "finished_at", "cpu_seconds", "peak_memory_bytes", "bottleneck"];
/// The same, of its blocks and edges.
const TIMES: [&str; 6] = ["seconds", "busy_ms", "waiting_ms", "blocked_ms", "empty_ms", "full_ms"];

/// A coordinator that serves on a free port, and its URL.
fn up(world: &World) -> (Running, String) {
    let mut serving = world.start(&["up", "--listen", "127.0.0.1:0"]);
    let line = serving.says("flowetl serves at ");
    let url = line.rsplit(' ').next().unwrap().to_owned();
    (serving, url)
}

/// The program as a client of the coordinator at `url`, without a home of its own.
pub fn client(world: &World, url: &str, arguments: &[&str]) -> Command {
    let mut command = world.command(arguments);
    command.env("FLOWETL_SERVER", url).env("FLOWETL_HOME", world.path("nobody"));
    command
}

fn ask(world: &World, url: &str, arguments: &[&str]) -> Ended {
    Running::start(client(world, url, arguments)).wait()
}

/// A table of three rows in SQLite, checked and copied into another file.
pub fn small() -> World {
    let world = World::new();
    Database::sqlite(&world.path("source.db"))
        .run("create table t (id integer primary key, note text); insert into t values (1, 'a'), (2, 'b'), (3, null)");
    Database::sqlite(&world.path("target.db")).run("pragma journal_mode = wal");
    world.write("connections.yml", "target: sqlite://target.db\n");
    let text = "connections: {source: \"sqlite://source.db\"}\nblocks:\n  rows: {extract: source.t}\n  \
                some: {sql: \"select * from rows where id > 1\", boundary: checkpoint}\n  \
                checks: {test: some, not_null: [note], severity: warn}\n  out: {load: some, to: target.out}\n";
    world.write("p.yml", text);
    world
}

/// A run's document without what is its own.
pub fn told(ended: Ended) -> Value {
    let mut json = ended.json();
    for key in OWN_TO_A_RUN {
        assert!(json.as_object_mut().unwrap().remove(key).is_some(), "`{key}` is missing");
    }
    without_times(&mut json["edges"]);
    without_times(&mut json["blocks"]);
    json
}

/// Takes the times out of blocks or edges.
fn without_times(parts: &mut Value) {
    let parts: Vec<_> = match parts {
        Value::Object(blocks) => blocks.values_mut().collect(),
        edges => edges.as_array_mut().unwrap().iter_mut().collect(),
    };
    for part in parts {
        part.as_object_mut().unwrap().retain(|key, _| !TIMES.contains(&key.as_str()));
    }
}

/// A run's table and what follows, without times.
fn shown(text: &str) -> Vec<Vec<&str>> {
    text.lines()
        .filter(|line| !line.starts_with("run ") && !line.contains(" the bottleneck: "))
        .map(|line| line.split_whitespace().take(4).collect())
        .collect()
}

#[test]
fn a_run_there_is_told_as_one_here() {
    let world = small();
    let (document, table) = (world.run(&["run", "p.yml", "--json"]).expect(0), world.run(&["run", "p.yml"]).expect(0));
    let (_serving, url) = up(&world);
    let there = ask(&world, &url, &["run", "p.yml", "--json"]).expect(0);
    assert_eq!(told(there), told(document));
    let there = ask(&world, &url, &["run", "p.yml"]).expect(0);
    assert_eq!(shown(&there.out), shown(&table.out));
    assert!(there.out.lines().last().unwrap().contains("of p: success in "), "{}", there.out);
    assert_eq!(Database::sqlite(&world.path("target.db")).texts("select cast(id as text) from out"), ["2", "3"]);

    let runs = world.run(&["runs", "--json"]).expect(0);
    assert_eq!(runs.json().as_array().unwrap().len(), 4);
    let run = runs.json()[0]["id"].as_str().unwrap().to_owned();
    for arguments in
        [&["runs", "--json"][..], &["runs"], &["runs", &run, "--json"], &["runs", &run], &["runs", &run, "--logs"]]
    {
        assert_eq!(ask(&world, &url, arguments).expect(0).out, world.run(arguments).expect(0).out, "{arguments:?}");
    }
    assert_eq!(world.files("nobody"), Vec::<String>::new(), "a client makes no home");
}

#[test]
fn what_is_wrong_is_said_in_the_same_words() {
    let world = small();
    let (_serving, url) = up(&world);
    world.write("wrong.yml", "blocks:\n  rows: {extrakt: source.t}\n  out: {load: row, to: target.out}\n");
    let cases = [
        &["run", "wrong.yml", "--json"][..],
        &["run", "missing.yml"],
        &["run", "p.yml", "-c", "source=nonsense"],
        &["run", "p.yml", "--until", "nothing"],
        &["run", "--resume", "none"],
        &["run", "p.yml", "--resume", "none"],
        &["runs", "none"],
    ];
    for arguments in cases {
        let (here, there) = (world.run(arguments).expect(2), ask(&world, &url, arguments).expect(2));
        assert_eq!((there.err, there.out), (here.err, here.out), "{arguments:?}");
    }
    assert_eq!(ask(&world, &url, &["runs", "--json"]).expect(0).json(), json!([]));
}

#[test]
fn who_does_not_serve_is_named() {
    let world = small();
    let (serving, url) = up(&world);
    let address = url.strip_prefix("http://").unwrap();
    let said = world.run(&["up", "--listen", address]).expect(2).err;
    assert!(said.contains(&format!("cannot listen on `{address}`")), "{said}");
    serving.signal("INT");
    serving.wait().expect(0);
    let cases = [
        (url.as_str(), format!("no coordinator answers at `{url}`: ")),
        (
            "127.0.0.1:50051",
            "`127.0.0.1:50051` is not the address of a coordinator: write `http://host:port` or `https://host:port`"
                .to_owned(),
        ),
        ("ftp://127.0.0.1", "`ftp://127.0.0.1` is not the address of a coordinator".to_owned()),
    ];
    for (url, words) in cases {
        let ended = world.run(&["run", "p.yml", "--json", "--server", url]).expect(2);
        assert!(ended.out.is_empty() && ended.err.contains(&words), "`{words}` is not in: {}", ended.err);
    }
    let said = world.run(&["run", "p.yml", "--detach"]).expect(2).err;
    assert!(said.contains("--server"), "{said}");
}

/// Starts the held copy on the coordinator at `url`, and waits until its rows have stopped coming.
fn start_held(world: &World, database: &Database, url: &str) -> Running {
    let mut running = Running::start(client(world, url, &["run", "p.yml", "--json"]));
    wait_until("the source's rows", || {
        assert!(running.runs(), "the run ended before it was met");
        is_held(database)
    });
    running
}

fn is_held(database: &Database) -> bool {
    database.number(&format!("select count(*) {HELD}")) > 0
}

#[test]
fn an_interrupt_cancels_there() {
    let (world, database) = held_copy(3);
    let (_serving, url) = up(&world);
    let running = start_held(&world, &database, &url);
    running.signal("INT");
    let json = running.wait().expect(1).json();
    assert_eq!((&json["state"], &json["error"]["class"]), (&json!("cancelled"), &json!("cancelled")));
    wait_until("the end of our sessions", || database.sessions().is_empty());
    nothing_left(&database);
    assert!(!database.has("out"));
}

#[test]
fn a_run_that_never_waits_holds_up_nobody() {
    let world = World::new();
    let sql = "select sum(a.value % 7 * b.value) as n from generate_series(1, 10000000) a cross join generate_series(1, 10000000) b";
    world.write("p.yml", &format!("blocks:\n  busy: {{sql: \"{sql}\"}}\n  out: {{load: busy, to: out.parquet}}\n"));
    let (serving, url) = up(&world);
    ask(&world, &url, &["run", "p.yml", "--detach"]).expect(0);
    wait_until("the run to compute", || newest(&world, &url) == "running");
    for _ in 0..20 {
        assert_eq!(newest(&world, &url), "running");
    }
    serving.signal("TERM");
    serving.wait().expect(0);
}

/// The state of the newest run.
fn newest(world: &World, url: &str) -> Value {
    ask(world, url, &["runs", "--json"]).expect(0).json()[0]["state"].clone()
}

#[test]
fn a_run_goes_on_without_who_asked_for_it() {
    let (world, database) = held_copy(0);
    let (_serving, url) = up(&world);
    start_held(&world, &database, &url).kill();
    let said = ask(&world, &url, &["run", "p.yml"]).expect(2).err;
    assert!(said.contains("pipeline `p` is already running as run `"), "{said}");
    let_go(&database);
    wait_until("the end of the run", || newest(&world, &url) != "running");
    assert_eq!(newest(&world, &url), "success");
    assert_eq!(database.number("select count(*) from out"), 20_000);
}

#[test]
fn who_does_not_wait_gets_the_id() {
    let world = small();
    let (_serving, url) = up(&world);
    let run = ask(&world, &url, &["run", "p.yml", "--detach"]).expect(0).out;
    wait_until("the end of the run", || newest(&world, &url) != "running");
    let view = ask(&world, &url, &["runs", run.trim_end(), "--json"]).expect(0).json();
    assert_eq!((&view["state"], &view["blocks"]["out"]["rows_out"]), (&json!("success"), &json!(2)));
}

#[test]
fn a_stop_leaves_runs_to_the_next_start() {
    let (world, database) = held_copy(0);
    let (serving, url) = up(&world);
    let running = start_held(&world, &database, &url);
    serving.signal("TERM");
    serving.wait().expect(0);
    let said = running.wait().expect(1).err;
    assert!(said.contains("the coordinator is stopping"), "{said}");
    assert!(!database.has("out"));

    let (serving, url) = up(&world);
    wait_until("the source's rows", || is_held(&database));
    let_go(&database);
    wait_until("the end of the run", || newest(&world, &url) != "running");
    assert_eq!(newest(&world, &url), "success");
    assert_eq!(database.number("select count(distinct id) from out"), 20_000);
    nothing_left(&database);
    serving.signal("TERM");
    serving.wait().expect(0);
}

/// What `p.yml` of [`small`] says, drawn in code.
fn drawn(world: &World) -> Source {
    let pipeline = Pipeline::new("p")
        .connection("source", "sqlite://source.db")
        .block("rows", Block::extract("source.t"))
        .block("some", Block::sql("select * from rows where id > 1").set("boundary", "checkpoint"))
        .block("checks", Block::test("some").set("not_null", vec!["note"]).set("severity", "warn"))
        .block("out", Block::load("some", "target.out"));
    let read = flowetl::read(world.path("p.yml")).unwrap();
    Source { folder: read.folder, connections_text: read.connections_text, ..pipeline.into() }
}

#[test]
fn looking_there_shows_what_is_seen_here() {
    let world = small();
    let (_serving, url) = up(&world);
    for arguments in [&["plan", "p.yml"][..], &["plan", "p.yml", "--json"], &["preview", "p.yml", "some", "-n", "1"]] {
        let here = world.run(arguments).expect(0).out;
        assert_eq!(ask(&world, &url, arguments).expect(0).out, here);
    }
    let rows = ask(&world, &url, &["preview", "p.yml", "some", "--json"]).expect(0).json();
    assert_eq!(rows, json!([{ "id": 2, "note": "b" }, { "id": 3, "note": null }]));
    world.write("lost.yml", "connections: {source: \"sqlite://source.db\"}\nblocks:\n  rows: {extract: source.no}\n");
    for arguments in [&["plan", "lost.yml"][..], &["preview", "lost.yml", "rows"], &["preview", "p.yml", "sum"]] {
        let here = world.run(arguments).expect(2).err;
        assert_eq!(ask(&world, &url, arguments).expect(2).err, here);
    }
    assert!(
        !Database::sqlite(&world.path("target.db")).texts("select name from sqlite_master").contains(&"out".into())
    );
}

#[test]
fn a_drawn_pipeline_is_that_of_its_file() {
    let world = small();
    let catalogue = flowetl_executor::catalogue();
    let [read, drawn] = [flowetl::read(world.path("p.yml")).unwrap(), drawn(&world)]
        .map(|source| source.parse(&catalogue, None).unwrap().pipeline);
    assert_eq!(drawn, read);
    let everything = Pipeline::new("all")
        .set("memory", "64MB")
        .set("retries", json!({ "max": 1 }))
        .connection("db", json!({ "type": "postgres", "host": "127.0.0.1", "database": "d" }))
        .block("raw", Block::extract(json!({ "connection": "db", "query": "select 1 as id" })))
        .block("made", Block::in_database("db", "select 1 as id", "public.made"))
        .block(
            "out",
            Block::load("raw", "db.public.out").set("write", "merge").set("key", "id").set("after", vec!["made"]),
        );
    assert!(Source::from(everything).parse(&catalogue, None).is_ok());
}

#[test]
fn a_program_runs_what_it_draws() {
    let world = small();
    let (_serving, url) = up(&world);
    Runtime::new().unwrap().block_on(draws_and_runs(&world, &url));
}

async fn draws_and_runs(world: &World, url: &str) {
    let client = Client::connect(url).await.unwrap();
    assert_eq!(client.validate(drawn(world)).await.unwrap(), []);
    let run = client.submit(drawn(world), Options::default()).await.unwrap();
    let view = run.wait().await.unwrap();
    assert_eq!((view.state, view.blocks["out"].rows_out), (Phase::Success, 2));
    assert_eq!(run.view().await.unwrap(), view);
    run.cancel().await.expect("what has ended needs no cancelling");
    assert_eq!(client.runs().await.unwrap()[0].id, *run.id());
    assert_eq!(run.events().await.unwrap()[0].kind, "begun");
    assert_eq!(client.executors().await.unwrap().len(), 1);

    let rows = client.preview(drawn(world), "rows", 2).await.unwrap();
    assert_eq!(rows.batches.iter().map(|batch| batch.num_rows()).sum::<usize>(), 2);
    assert_eq!(rows.schema.fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>(), ["id", "note"]);

    let wrong = Pipeline::new("wrong").block("out", Block::load("nothing", "target.out"));
    let refused = client.submit(wrong, Options::default()).await.unwrap_err();
    assert!(matches!(&refused, flowetl::Error::Problems(found) if found.len() == 2), "{refused}");
    let unknown = client.run("none".into()).wait().await.unwrap_err();
    assert_eq!(unknown.to_string(), "there is no run `none`");
}
