//! What scripts and people rely on: exit status, the JSON document, commands that touch nothing, incremental reading.

use serde_json::Value;

use crate::world::{Database, World};

const KEYS: [&str; 9] =
    ["run_id", "pipeline", "state", "started_at", "finished_at", "cpu_seconds", "peak_memory_bytes", "blocks", "error"];
const BLOCK_KEYS: [&str; 7] = ["state", "rows_in", "rows_out", "rows_quarantined", "bytes_out", "seconds", "attempts"];

/// A database with a table of three rows, and a pipeline that copies it.
fn small() -> (World, Database) {
    let (world, database) = (World::new(), Database::postgres());
    database.run(
        "create table small (id bigint primary key, note text); insert into small values (1, 'a'), (2, 'b'), (3, 'c')",
    );
    write(
        &world,
        &database.url,
        "blocks:\n  small: {extract: db.public.small}\n  out: {load: small, to: db.public.out}\n",
    );
    (world, database)
}

fn write(world: &World, url: &str, rest: &str) {
    world.write("p.yml", &format!("connections: {{db: \"{url}\"}}\n{rest}"));
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn a_run_prints_one_document() {
    let (world, database) = small();
    let ended = world.run(&["run", "p.yml", "--json"]).expect(0);
    println!("three rows, PostgreSQL to PostgreSQL, whole process: {:?}", ended.took);
    let json = ended.json();
    for key in KEYS {
        assert!(keys(&json).contains(&key), "`{key}` is missing: {json:#}");
    }
    for (block, rows) in [("small", 3), ("out", 3)] {
        let block = &json["blocks"][block];
        for key in BLOCK_KEYS {
            assert!(keys(block).contains(&key), "`{key}` is missing: {block:#}");
        }
        assert_eq!(block["rows_out"], rows, "{json:#}");
    }
    assert_eq!((&json["pipeline"], &json["state"]), (&Value::from("p"), &Value::from("success")));
    assert_eq!(json["error"], Value::Null);
    assert!(json["peak_memory_bytes"].as_u64().unwrap() > 1 << 20);
    assert_eq!(database.number("select count(*) from out"), 3);

    let runs = world.run(&["runs", "--json"]).expect(0).json();
    assert_eq!(runs[0]["id"], json["run_id"]);
    let run = json["run_id"].as_str().unwrap();
    assert_eq!(world.run(&["runs", run, "--json"]).expect(0).json()["state"], "success");
    assert!(world.run(&["runs", run, "--logs"]).expect(0).out.contains("committed"));
}

#[test]
fn wrong_input_is_2_and_nothing_runs() {
    let (world, database) = small();
    let rest = "blocks:\n  small: {extrakt: db.public.small}\n  out: {load: smal, to: db.public.out}\n";
    write(&world, &database.url, rest);
    for arguments in [&["run", "p.yml", "--json"][..], &["run", "missing.yml"], &["run"], &["copy", "nothing"]] {
        let ended = world.run(arguments).expect(2);
        assert_eq!(ended.out, "", "{arguments:?}");
        assert!(!ended.err.is_empty(), "{arguments:?}");
    }
    let said = world.run(&["validate", "p.yml"]).expect(2).err;
    assert!(said.contains("p.yml:3:") && said.contains("`extract`"), "{said}");
    assert!(!database.has("out"));
    assert_eq!(world.run(&["runs", "--json"]).expect(0).json(), Value::Array(Vec::new()));
}

#[test]
fn plan_names_what_is_not_there() {
    let (world, database) = small();
    let cases = [
        ("blocks:\n  a: {extract: db.public.smal}\n  out: {load: a, to: db.public.out}\n", "did you mean `small`"),
        (
            "blocks:\n  a: {extract: db.public.small}\n  b: {sql: \"select nota from a\"}\n  out: {load: b, to: db.public.out}\n",
            "note",
        ),
        ("blocks:\n  a: {extract: bd.public.small}\n  out: {load: a, to: db.public.out}\n", "`db`"),
    ];
    for (rest, nearest) in cases {
        write(&world, &database.url, rest);
        let said = world.run(&["plan", "p.yml"]).expect(2).err;
        assert!(said.contains("p.yml:") && said.contains(nearest), "no {nearest} in: {said}");
    }
}

#[test]
fn plan_and_preview_touch_nothing() {
    let (world, database) = small();
    let name = database.text("select current_database()::text");
    database.run(&format!(
        "create role reader_{name} login; grant usage on schema public to reader_{name}; \
         grant select on small to reader_{name}; revoke create on schema public from public"
    ));
    let url = database.url.replacen("postgres@", &format!("reader_{name}@"), 1);
    write(&world, &url, "blocks:\n  small: {extract: db.public.small}\n  out: {load: small, to: db.public.out}\n");
    let plan = world.run(&["plan", "p.yml", "--json"]).expect(0).json();
    assert_eq!(plan[0]["segment"], "out", "{plan:#}");
    let rows = world.run(&["preview", "p.yml", "small", "-n", "2", "--json"]).expect(0).json();
    assert_eq!(rows.as_array().unwrap().len(), 2, "{rows:#}");
    assert_eq!(database.text("select string_agg(relname, ',') from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'"), "small");
    let files = world.files(".");
    assert!(files.iter().all(|f| f == "p.yml" || f.starts_with("./p.yml")), "{files:?}");
    database.run(&format!("drop owned by reader_{name}; drop role reader_{name}"));
}

/// A table that grows by a cursor, with rows that are committed late.
fn incremental(write_mode: &str, overlap: &str) -> (World, Database) {
    let (world, database) = (World::new(), Database::postgres());
    database.run(
        "create table src (id bigint primary key, note text, at timestamptz not null); \
         insert into src select i, 'first', timestamptz '2026-01-01 00:00Z' + i * interval '1 second' from generate_series(1, 10000) i",
    );
    write(
        &world,
        &database.url,
        &format!(
            "blocks:\n  src: {{extract: db.public.src, sync: {{cursor: at, key: id{overlap}}}}}\n  \
             out: {{load: src, to: db.public.out, write: {write_mode}}}\n"
        ),
    );
    (world, database)
}

#[track_caller]
fn moves(world: &World, rows: u64) {
    let json = world.run(&["run", "p.yml", "--json"]).expect(0).json();
    assert_eq!(json["blocks"]["out"]["rows_in"], rows, "{json:#}");
}

#[track_caller]
fn equal(database: &Database) {
    let differing =
        "select count(*) from ((table src except all table out) union all (table out except all table src)) d";
    assert_eq!(database.number(differing), 0);
}

#[test]
fn st_1_and_st_3_a_merge_moves_what_is_new_and_late() {
    let (world, database) = incremental("merge, key: id", ", overlap: 10s");
    moves(&world, 10_000);
    equal(&database);
    // The last eleven seconds are read again, and change nothing.
    moves(&world, 11);
    equal(&database);
    // One row far ahead, one that is committed late within the overlap, one changed.
    database.run(
        "insert into src values (10001, 'new', timestamptz '2026-01-01 00:00Z' + 10001 * interval '1 second'), \
         (10002, 'late', timestamptz '2026-01-01 00:00Z' + 9995 * interval '1 second'); \
         update src set note = 'changed', at = timestamptz '2026-01-01 00:00Z' + 10002 * interval '1 second' where id = 5",
    );
    moves(&world, 11 + 3);
    equal(&database);
}

#[test]
fn a_merge_takes_a_row_that_shares_the_last_value() {
    let (world, database) = incremental("merge, key: id", "");
    moves(&world, 10_000);
    database.run("insert into src select 10001, 'late', max(at) from src");
    moves(&world, 2);
    equal(&database);
    moves(&world, 2);
    equal(&database);
}

#[test]
fn an_append_doubles_nothing() {
    let (world, database) = incremental("append", "");
    moves(&world, 10_000);
    moves(&world, 0);
    database
        .run("insert into src values (10001, 'new', timestamptz '2026-01-01 00:00Z' + 10001 * interval '1 second')");
    moves(&world, 1);
    moves(&world, 0);
    equal(&database);
}

#[test]
fn st_4_positions_are_shown_set_and_exported() {
    let (world, database) = incremental("merge, key: id", "");
    moves(&world, 10_000);
    let shown = world.run(&["state", "show", "p", "--json"]).expect(0).json();
    assert_eq!((&shown[0]["block"], &shown[0]["column"]), (&Value::from("src"), &Value::from("at")), "{shown:#}");
    let exported: Value = serde_json::from_str(&world.run(&["state", "export"]).expect(0).out).unwrap();
    assert_eq!(exported, shown[0]);
    world.run(&["state", "set", "p", "src", "2026-01-01T02:46:30Z"]).expect(0);
    // 10,000 seconds end at 02:46:40.
    moves(&world, 11);
    world.run(&["state", "set", "p", "src"]).expect(0);
    moves(&world, 10_000);
    equal(&database);
}

#[test]
fn forty_blocks_in_a_chain() {
    let (world, database) = small();
    let mut rest = String::from("blocks:\n  b0: {extract: db.public.small}\n");
    for i in 1..=40 {
        rest.push_str(&format!("  b{i}: {{sql: \"select id + 1 as id, note from b{}\"}}\n", i - 1));
    }
    rest.push_str("  out: {load: b40, to: db.public.out}\n");
    write(&world, &database.url, &rest);
    let ended = world.run(&["run", "p.yml", "--json"]).expect(0);
    println!("40 SQL blocks over three rows, whole process: {:?}", ended.took);
    assert_eq!(database.text("select string_agg(id || note, ',' order by id) from out"), "41a,42b,43c");
}
