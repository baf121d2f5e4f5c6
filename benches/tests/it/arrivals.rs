//! Pipelines that run when files arrive in a folder, also across a restart.

use std::fs::{OpenOptions, create_dir_all};
use std::io::Write;

use serde_json::{Value, json};

use crate::failure::wait_until;
use crate::world::{Database, Served, World};

#[test]
fn x27_files_that_arrive_in_a_folder_begin_one_run() {
    let world = World::new();
    create_dir_all(world.path("lake/raw")).unwrap();
    world.write("lake/raw/old.csv", "id,note\n0,old\n");
    let target = Database::sqlite(&world.path("target.db"));
    target.run("pragma journal_mode = wal");
    let served = Served::start(&world);
    for (name, kind, key, path) in [("lake", "file", "path", "lake"), ("target", "sqlite", "database", "target.db")] {
        served.post("/connections", &json!({ "name": name, "type": kind, key: world.path(path) }));
    }
    let text = "blocks:\n  raw: {extract: \"lake/raw/*.csv\"}\n  out: {load: raw, to: target.raw}\n";
    let pipeline = served.post("/pipelines", &json!({ "name": "bring", "text": text }));
    let wish = json!({ "kind": "files", "target_id": pipeline["id"], "place": "lake/raw/*.csv", "every_seconds": 5 });
    let trigger = format!("/triggers/{}", served.post("/triggers", &wish)["id"].as_str().unwrap());
    let metadata = Database::sqlite(&world.path("home/flowetl.db"));
    let look = || {
        let looks = || metadata.text("select cast(looks as text) from file_watch").parse::<i64>().unwrap();
        let before = looks();
        wait_until("a look is taken", || looks() > before);
    };
    let ran = |served: &Served, count: usize| {
        wait_until("the run is over", || {
            let runs = served.get("/runs")["runs"].as_array().unwrap().clone();
            assert!(runs.len() <= count && runs.iter().all(|run| run["status"] != "failed"), "{runs:?}");
            runs.len() == count && runs.iter().all(|run| run["status"] == "success" && run["trigger"] == "files")
        });
    };
    look();

    // Half of a file, which nobody is to read.
    world.write("lake/raw/a.csv", "id,note\n1,");
    world.write("lake/raw/note.txt", "nothing to read");
    look();
    OpenOptions::new().append(true).open(world.path("lake/raw/a.csv")).unwrap().write_all(b"a\n").unwrap();
    look();
    assert_eq!(served.get(&trigger)["firings"], json!([]));
    ran(&served, 1);
    assert_eq!(target.texts("select id || note from raw order by id"), ["0old", "1a"]);
    let fired = served.get(&trigger)["firings"].clone();
    assert_eq!(fired[0]["arrived"], json!({ "count": 1, "files": ["raw/a.csv"] }));
    let run = served.get(&format!("/runs/{}", fired[0]["run_id"].as_str().unwrap()));
    assert_eq!(run["arrived"]["files"][0], "raw/a.csv");
    served.end();

    // What comes while nobody looks is seen by whoever looks next, once.
    world.write("lake/raw/b.csv", "id,note\n2,b\n");
    world.write("lake/raw/c.csv", "id,note\n3,c\n");
    let served = Served::start(&world);
    ran(&served, 2);
    look();
    look();
    assert_eq!(served.get(&trigger)["firings"].as_array().unwrap().len(), 2);
    assert_eq!(served.get("/runs")["runs"].as_array().unwrap().len(), 2);
    assert_eq!(target.texts("select id || note from raw order by id"), ["0old", "1a", "2b", "3c"]);
    let problem = || served.get(&trigger)["problem"].clone();
    assert_eq!(problem(), Value::Null);
    served.end();
}
