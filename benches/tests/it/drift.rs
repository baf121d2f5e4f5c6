//! What becomes of a source that changes between two runs, under every policy, in SQLite: the target's rows against those
//! written down here.

use serde_json::{Value, json};

use crate::world::{Database, Ended, World};

/// A source table `t` and a target `out`, each in a file of its own.
struct Shop {
    world: World,
    source: Database,
    target: Database,
}

impl Shop {
    /// Three rows in the source, not yet run.
    fn new() -> Self {
        let world = World::new();
        let [source, target] = ["source.db", "target.db"].map(|name| Database::sqlite(&world.path(name)));
        source.run(
            "create table t (id integer primary key, n integer, note text); \
             insert into t values (1, 10, 'a'), (2, 20, 'b'), (3, 30, null)",
        );
        target.run("pragma journal_mode = wal");
        Self { world, source, target }
    }

    /// Writes the pipeline, with settings of the extract and the load.
    fn write(&self, extract: &str, load: &str) {
        let [source, target] = ["source.db", "target.db"].map(|name| self.world.path(name).display().to_string());
        self.world.write(
            "p.yml",
            &format!(
                "connections: {{source: \"sqlite://{source}\", target: \"sqlite://{target}\"}}\n\
                 blocks:\n  rows: {{extract: source.t{extract}}}\n  out: {{load: rows, to: target.out{load}}}\n"
            ),
        );
    }

    fn run(&self) -> Ended {
        self.world.run(&["run", "p.yml", "--json"])
    }

    #[track_caller]
    fn succeeds(&self) -> Value {
        self.run().expect(0).json()
    }

    /// Runs, and expects the extract to refuse with these words.
    #[track_caller]
    fn refuses(&self, words: &str) {
        let json = self.run().expect(1).json();
        let error = &json["error"];
        assert_eq!((&error["block"], &error["class"]), (&json!("rows"), &json!("user")), "{error:#}");
        assert!(error["message"].as_str().unwrap().contains(words), "`{words}` is not in: {error:#}");
    }

    /// The target: its columns, then a line a row.
    fn target(&self) -> Vec<String> {
        let names = self.target.texts("select name from pragma_table_info('out') order by cid");
        let values: Vec<String> = names.iter().map(|name| format!("quote({name})")).collect();
        let rows = self.target.texts(&format!("select {} from out order by id", values.join(" || ' ' || ")));
        [vec![names.join(" ")], rows].concat()
    }
}

const BEFORE: [&str; 4] = ["id n note", "1 10 'a'", "2 20 'b'", "3 30 NULL"];

const ADD: &str = "alter table t add column extra text; update t set extra = 'new', note = 'B' where id = 2";
const DROP: &str = "alter table t drop column note; update t set n = 21 where id = 2";
const RETYPE: &str = "drop table t; create table t (id integer primary key, n text, note text); \
                      insert into t values (1, '11', 'a'), (2, 'many', 'b'), (3, null, null)";
const WIDEN: &str = "drop table t; create table t (id integer primary key, n real, note text); \
                     insert into t values (1, 11.0, 'a'), (2, 20.5, 'b'), (3, null, null)";

/// A change, what it is called, the policy, the target after it (`None` where the run is refused), and rows left out.
type Case = (&'static str, &'static str, &'static str, Option<&'static [&'static str]>, u64);

const CASES: &[Case] = &[
    (
        ADD,
        "column `extra` (Utf8) is new",
        "evolve",
        Some(&["id n note extra", "1 10 'a' NULL", "2 20 'B' 'new'", "3 30 NULL NULL"]),
        0,
    ),
    (ADD, "column `extra` (Utf8) is new", "freeze", None, 0),
    (
        ADD,
        "column `extra` (Utf8) is new",
        "discard_value",
        Some(&["id n note", "1 10 'a'", "2 20 'B'", "3 30 NULL"]),
        0,
    ),
    (ADD, "column `extra` (Utf8) is new", "discard_row", Some(&["id n note", "1 10 'a'", "3 30 NULL"]), 1),
    (ADD, "column `extra` (Utf8) is new", "pause", None, 0),
    (DROP, "column `note` (Utf8) is gone", "evolve", Some(&["id n", "1 10", "2 21", "3 30"]), 0),
    (DROP, "column `note` (Utf8) is gone", "freeze", None, 0),
    (
        DROP,
        "column `note` (Utf8) is gone",
        "discard_value",
        Some(&["id n note", "1 10 NULL", "2 21 NULL", "3 30 NULL"]),
        0,
    ),
    (
        DROP,
        "column `note` (Utf8) is gone",
        "discard_row",
        Some(&["id n note", "1 10 NULL", "2 21 NULL", "3 30 NULL"]),
        0,
    ),
    (DROP, "column `note` (Utf8) is gone", "pause", None, 0),
    (
        RETYPE,
        "column `n` was Int64 and is Utf8",
        "evolve",
        Some(&["id n note", "1 '11' 'a'", "2 'many' 'b'", "3 NULL NULL"]),
        0,
    ),
    (RETYPE, "column `n` was Int64 and is Utf8", "freeze", None, 0),
    (
        RETYPE,
        "column `n` was Int64 and is Utf8",
        "discard_value",
        Some(&["id n note", "1 11 'a'", "2 NULL 'b'", "3 NULL NULL"]),
        0,
    ),
    (RETYPE, "column `n` was Int64 and is Utf8", "discard_row", Some(&["id n note", "1 11 'a'", "3 NULL NULL"]), 1),
    (RETYPE, "column `n` was Int64 and is Utf8", "pause", None, 0),
    (
        WIDEN,
        "column `n` was Int64 and is Float64",
        "evolve",
        Some(&["id n note", "1 11.0 'a'", "2 20.5 'b'", "3 NULL NULL"]),
        0,
    ),
    (WIDEN, "column `n` was Int64 and is Float64", "freeze", None, 0),
    (
        WIDEN,
        "column `n` was Int64 and is Float64",
        "discard_value",
        Some(&["id n note", "1 11 'a'", "2 NULL 'b'", "3 NULL NULL"]),
        0,
    ),
    (WIDEN, "column `n` was Int64 and is Float64", "discard_row", Some(&["id n note", "1 11 'a'", "3 NULL NULL"]), 1),
    (WIDEN, "column `n` was Int64 and is Float64", "pause", None, 0),
];

#[test]
fn every_change_under_every_policy() {
    for (change, difference, policy, expected, discarded) in CASES {
        let shop = Shop::new();
        shop.write(&format!(", schema: {{columns: {policy}, types: {policy}}}"), "");
        let first = shop.succeeds();
        assert_eq!(first["schema_changes"], json!([]), "the first run takes the source as it is");
        assert_eq!(shop.target(), BEFORE);
        shop.source.run(change);
        let Some(expected) = expected else {
            // What was refused is not taken for known the next time.
            for _ in 0..2 {
                shop.refuses(difference);
                assert_eq!(shop.target(), BEFORE, "{policy}: {difference}");
            }
            let said = shop.world.run(&["plan", "p.yml"]).expect(2).err;
            assert!(said.contains(difference), "{said}");
            continue;
        };
        let plan = shop.world.run(&["plan", "p.yml"]).expect(0).out;
        assert!(plan.contains(difference), "{policy}: no `{difference}` in {plan}");
        assert_eq!(shop.target(), BEFORE, "a plan changes nothing");
        let run = shop.succeeds();
        assert_eq!(shop.target(), *expected, "{policy}: {difference}");
        assert_eq!(run["blocks"]["rows"]["rows_discarded"], *discarded, "{run:#}");
        assert_eq!(
            (run["schema_changes"].as_array().map(Vec::len), &run["schema_changes"][0]["policy"]),
            (Some(1), &json!(policy))
        );
        let logs = shop.world.run(&["runs", run["run_id"].as_str().unwrap(), "--logs"]).expect(0).out;
        assert!(logs.contains(run["schema_changes"][0]["column"].as_str().unwrap()), "{logs}");
        // What is discarded stays so, and what is taken is no change any more.
        let again = shop.succeeds();
        assert_eq!(shop.target(), *expected, "{policy}: {difference}, again");
        assert_eq!(again["schema_changes"].as_array().unwrap().is_empty(), *policy == "evolve", "{again:#}");
    }
}

#[test]
fn a_refused_change_is_taken_by_a_full_refresh_or_another_policy() {
    for by in ["refresh", "policy"] {
        let shop = Shop::new();
        shop.write(", schema: {columns: pause}", "");
        shop.succeeds();
        shop.source.run(ADD);
        shop.refuses("waits for a decision");
        match by {
            "refresh" => drop(shop.world.run(&["run", "p.yml", "--full-refresh"]).expect(0)),
            _ => {
                shop.write(", schema: {columns: evolve}", "");
                shop.succeeds();
                shop.write(", schema: {columns: pause}", "");
            }
        }
        shop.succeeds();
        assert_eq!(shop.target(), ["id n note extra", "1 10 'a' NULL", "2 20 'B' 'new'", "3 30 NULL NULL"], "{by}");
    }
}

#[test]
fn a_merge_keeps_what_the_source_no_longer_has() {
    let shop = Shop::new();
    let merge = ", write: merge, key: id";
    shop.write(", sync: {cursor: n}", merge);
    shop.succeeds();
    shop.source.run("alter table t drop column note; insert into t values (4, 30)");
    let run = shop.succeeds();
    assert_eq!(run["blocks"]["out"]["rows_in"], 2, "the rows with the last value, one of them late: {run:#}");
    assert_eq!(shop.target(), ["id n note", "1 10 'a'", "2 20 'b'", "3 30 NULL", "4 30 NULL"]);
    shop.source.run("alter table t add column note integer; insert into t values (5, 50, 7)");
    shop.write(", sync: {cursor: n}, schema: {columns: discard_row}", merge);
    let run = shop.succeeds();
    assert_eq!(run["blocks"]["rows"]["rows_discarded"], 1, "{run:#}");
    assert_eq!(shop.target().len(), 5);
}

#[test]
fn a_boundary_carries_what_its_extract_read() {
    let shop = Shop::new();
    let extract = ", schema: {columns: freeze}, boundary: checkpoint";
    shop.write(extract, "");
    shop.succeeds();
    shop.source.run(ADD);
    shop.refuses("column `extra` (Utf8) is new");
    assert_eq!(shop.target(), BEFORE);
}

#[test]
fn frozen_tables_are_not_made() {
    let shop = Shop::new();
    for extract in [", schema: {tables: freeze}", ", schema: {tables: freeze}, boundary: checkpoint"] {
        shop.write(extract, "");
        let error = shop.run().expect(1).json()["error"].clone();
        assert_eq!((&error["block"], &error["class"]), (&json!("out"), &json!("user")), "{error:#}");
        assert!(error["message"].as_str().unwrap().contains("`target.out` is not there"), "{error:#}");
        assert!(shop.world.run(&["plan", "p.yml"]).expect(2).err.contains("`target.out` is not there"));
        assert_eq!(shop.target.texts("select name from sqlite_master"), Vec::<String>::new());
    }
    shop.target.run("create table out (id integer primary key, n integer, note text)");
    shop.succeeds();
    assert_eq!(shop.target(), BEFORE);
}

#[test]
fn a_policy_that_does_not_fit_is_named_with_those_that_do() {
    let shop = Shop::new();
    for (policies, words) in [
        ("{tables: pause}", "it is `evolve` or `freeze`"),
        ("{columns: frozen}", "`freeze`"),
        ("{column: freeze}", "`columns`"),
    ] {
        shop.write(&format!(", schema: {policies}"), "");
        let said = shop.world.run(&["run", "p.yml"]).expect(2).err;
        assert!(said.contains("p.yml:3:") && said.contains(words), "no {words} in: {said}");
    }
}

#[test]
fn a_server_keeps_its_types() {
    let (world, database) = (World::new(), Database::postgres());
    database.run(
        "create table t (id bigint primary key, n numeric(10, 2), tag uuid, at timestamptz not null); \
         insert into t select i, i + 0.25, md5(i::text)::uuid, timestamptz '2026-01-01' + i * interval '1 second' \
         from generate_series(1, 3) i",
    );
    let schema = "{columns: discard_value, types: discard_row}";
    let rows = format!("rows: {{extract: db.public.t, sync: {{cursor: at, key: id}}, schema: {schema}}}");
    let out = "out: {load: rows, to: db.public.out, write: merge, key: id}";
    world.write("p.yml", &format!("connections: {{db: \"{}\"}}\nblocks:\n  {rows}\n  {out}\n", database.url));
    world.run(&["run", "p.yml", "--json"]).expect(0);
    database.run(
        "alter table t alter n type numeric(12, 4), drop column tag, add column extra text; \
         insert into t values (4, 4.5, now(), 'x'), (5, 5.1234, now(), 'y')",
    );
    let run = world.run(&["run", "p.yml", "--json"]).expect(0).json();
    assert_eq!(run["blocks"]["rows"]["rows_discarded"], 1, "{run:#}");
    assert_eq!(run["schema_changes"].as_array().map(Vec::len), Some(3), "{run:#}");
    assert_eq!(
        database.texts("select concat_ws(' ', id, n, tag is null, pg_typeof(n), pg_typeof(tag)) from out order by id"),
        ["1 1.25 f", "2 2.25 f", "3 3.25 t", "4 4.50 t"].map(|row| format!("{row} numeric uuid")),
    );
    let columns = "select string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' order by attnum) \
                   from pg_attribute where attrelid = 'out'::regclass and attnum > 0 and not attisdropped";
    assert_eq!(database.text(columns), "id bigint, n numeric(10,2), tag uuid, at timestamp with time zone");
}
