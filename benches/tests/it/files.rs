//! Files that people bring to a service: up and down over a way that keeps breaking, and read by a pipeline.

use std::fs;
use std::io::{Read, Write, copy};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Command;
use std::thread::{JoinHandle, spawn};

use crate::failure::wait_until;
use crate::world::{Database, Ended, Running, World};

/// What a connection carries either way before it breaks.
const CARRIED: u64 = 3 << 20;

/// The service over a new way, on which every connection breaks.
fn broken_road(to: &str) -> String {
    let to = to.strip_prefix("http://").unwrap().to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    spawn(move || {
        for near in listener.incoming().map_while(Result::ok) {
            let Ok(far) = TcpStream::connect(&to) else { return };
            carry(&near, &far);
            carry(&far, &near);
        }
    });
    url
}

/// Carries what comes from one end to the other, up to a number of bytes; then neither hears the other any more.
fn carry(from: &TcpStream, to: &TcpStream) -> JoinHandle<()> {
    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
    spawn(move || {
        // However it ends, it has ended.
        let _ = copy(&mut (&mut from).take(CARRIED), &mut to).and_then(|_| to.flush());
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    })
}

struct Person<'a> {
    world: &'a World,
    http: &'a str,
}

impl Person<'_> {
    fn does(&self, arguments: &[&str]) -> Ended {
        let mut command = self.world.command(arguments);
        command.env("XDG_CONFIG_HOME", self.world.path("ann")).env("FLOWETL_HOME", self.world.path("nobody"));
        command.env("FLOWETL_API", self.http).env("FLOWETL_PASSWORD", "correct horse");
        Running::start(command).wait()
    }
}

/// A service on this storage, and its HTTP.
fn up(world: &World, storage: &[(&str, String)]) -> (Running, String) {
    let mut command: Command = world.command(&["up", "--listen", "127.0.0.1:0"]);
    command.envs(storage.iter().map(|(name, value)| (*name, value)));
    let mut serving = Running::start(command);
    let http = serving.says("HTTP at ").split([' ', ',']).nth(2).unwrap().to_owned();
    (serving, http)
}

/// Settings of the test's own place in the S3 service that `FLOWETL_TEST_S3` names.
fn bucket() -> Vec<(&'static str, String)> {
    let url = std::env::var("FLOWETL_TEST_S3").expect("this test needs an S3 server: set FLOWETL_TEST_S3 to its URL");
    let url = url::Url::parse(&url).unwrap();
    let option = |wanted: &str| url.query_pairs().find(|(name, _)| name == wanted).unwrap().1.into_owned();
    let folder = tempfile::TempDir::with_prefix("files-").unwrap();
    let prefix = folder.path().file_name().unwrap().to_string_lossy().into_owned();
    vec![
        ("FLOWETL_STORAGE_URL", format!("s3://{}/{prefix}", url.host_str().unwrap())),
        ("FLOWETL_S3_ENDPOINT", option("endpoint")),
        ("AWS_ACCESS_KEY_ID", option("access_key")),
        ("AWS_SECRET_ACCESS_KEY", option("secret_key")),
    ]
}

#[test]
fn fi_1_a_pipeline_reads_what_was_uploaded_to_a_folder() {
    brought_and_read(&[]);
}

#[test]
fn fi_2_a_pipeline_reads_what_was_uploaded_to_a_bucket() {
    brought_and_read(&bucket());
}

fn brought_and_read(storage: &[(&str, String)]) {
    let world = World::new();
    let (serving, http) = up(&world, storage);
    let ann = Person { world: &world, http: &http };
    ann.does(&["user", "register", "--email", "ann@example.com", "--name", "Ann", "--found", "Acme"]).expect(0);
    world.write("zamówienia 2025.csv", "id,note\n1,a\n2,b\n");
    let made = ann.does(&["file", "upload", "zamówienia 2025.csv", "--folder", "raw/2025", "--json"]).expect(0).json();
    assert_eq!((&made["name"], &made["size"]), (&"zamówienia 2025.csv".into(), &16.into()));
    world.write("later.csv", "id,note\n3,c\n");
    ann.does(&["file", "upload", "later.csv", "--folder", "raw/2025"]).expect(0);
    let listed = ann.does(&["file", "list", "raw"]).expect(0).out;
    assert_eq!(listed, "raw/2025/later.csv  12 bytes\nraw/2025/zamówienia 2025.csv  16 bytes\n");

    let target = Database::sqlite(&world.path("target.db"));
    target.run("pragma journal_mode = wal");
    let url = format!("sqlite://{}", world.path("target.db").display());
    ann.does(&["connection", "add", "target", &url]).expect(0);
    let text = "blocks:\n  one: {extract: \"files/raw/2025/zamówienia 2025.csv\"}\n  all: {extract: \"files/raw/2025/*.csv\"}\n  \
                to_one: {load: one, to: target.one}\n  to_all: {load: all, to: target.all_of_them}\n  \
                to_file: {load: all, to: files/out/all.csv}\n  to_folder: {load: all, to: files/out/parts/}\n";
    world.write("bring.yml", text);
    ann.does(&["apply", "bring.yml"]).expect(0);
    ann.does(&["pipeline", "run", "bring"]).expect(0);
    wait_until("the run is over", || {
        let listed = ann.does(&["pipeline", "list", "--json"]).expect(0).json();
        let state = listed[0]["last_run"]["status"].as_str().unwrap_or_default().to_owned();
        assert!(state != "failed", "{listed}");
        state == "success"
    });
    assert_eq!(target.texts("select id || note from one order by id"), ["1a", "2b"]);
    assert_eq!(target.texts("select id || note from all_of_them order by id"), ["1a", "2b", "3c"]);

    let run = ann.does(&["pipeline", "list", "--json"]).expect(0).json()[0]["last_run"]["id"].clone();
    let written = ann.does(&["file", "list", "out", "--json"]).expect(0).json();
    let makers: Vec<_> = written.as_array().unwrap().iter().map(|file| &file["written_by"]["run_id"]).collect();
    assert!(makers.len() >= 2 && makers.iter().all(|maker| **maker == run), "{written}");
    let listed = ann.does(&["file", "list", "out"]).expect(0).out;
    let run = run.as_str().unwrap();
    assert!(listed.starts_with(&format!("out/all.csv  20 bytes  by bring, run {run}\nout/parts/{run}-t")), "{listed}");

    ann.does(&["file", "remove", "raw/2025/later.csv"]).expect(0);
    let gone = ann.does(&["file", "remove", "raw/2025/later.csv"]).expect(2);
    assert!(gone.err.contains("there is no file `raw/2025/later.csv`"), "{}", gone.err);
    let leaves = ann.does(&["file", "upload", "later.csv", "--folder", "../other"]).expect(2);
    assert!(leaves.err.contains("a folder is names of files"), "{}", leaves.err);
    serving.signal("TERM");
    serving.wait().expect(0);
}

#[test]
fn x27_what_is_uploaded_to_a_bucket_begins_a_run() {
    let world = World::new();
    let (serving, http) = up(&world, &bucket());
    let ann = Person { world: &world, http: &http };
    ann.does(&["user", "register", "--email", "ann@example.com", "--name", "Ann", "--found", "Acme"]).expect(0);
    let target = Database::sqlite(&world.path("target.db"));
    target.run("pragma journal_mode = wal");
    let url = format!("sqlite://{}", world.path("target.db").display());
    ann.does(&["connection", "add", "target", &url]).expect(0);
    world.write("bring.yml", "blocks:\n  raw: {extract: \"files/raw/*.csv\"}\n  out: {load: raw, to: target.raw}\n");
    ann.does(&["apply", "bring.yml"]).expect(0);
    let wrong = ann.does(&["trigger", "files", "bring", "target/raw/*.csv"]).expect(2);
    assert!(wrong.err.contains("`target` holds tables"), "{}", wrong.err);
    ann.does(&["trigger", "files", "bring", "files/raw/*.csv", "--every", "5"]).expect(0);
    let listed = ann.does(&["trigger", "list"]).expect(0).out;
    assert!(listed.contains("bring  enabled  waits for files at files/raw/*.csv"), "{listed}");
    let metadata = Database::sqlite(&world.path("home/flowetl.db"));
    wait_until("a first look is taken", || metadata.text("select cast(looks as text) from file_watch") != "0");
    world.write("orders.csv", "id,note\n1,a\n");
    ann.does(&["file", "upload", "orders.csv", "--folder", "raw"]).expect(0);
    ann.does(&["file", "upload", "orders.csv", "--folder", "elsewhere"]).expect(0);
    wait_until("the run is over", || {
        let listed = ann.does(&["pipeline", "list", "--json"]).expect(0).json();
        let state = listed[0]["last_run"]["status"].as_str().unwrap_or_default().to_owned();
        assert!(state != "failed", "{listed}");
        state == "success"
    });
    assert_eq!(target.texts("select id || note from raw"), ["1a"]);
    assert_eq!(metadata.text("select arrived from firing"), r#"{"count":1,"files":["raw/orders.csv"]}"#);
    serving.signal("TERM");
    serving.wait().expect(0);
}

#[test]
fn fi_1_what_breaks_off_on_the_way_goes_on_where_it_was() {
    let world = World::new();
    let (serving, http) = up(&world, &[]);
    let ann = Person { world: &world, http: &http };
    ann.does(&["user", "register", "--email", "ann@example.com", "--name", "Ann", "--found", "Acme"]).expect(0);
    let road = broken_road(&http);
    let afar = Person { world: &world, http: &road };
    afar.does(&["login", "--email", "ann@example.com"]).expect(0);
    let bytes: Vec<u8> = (0..4 * CARRIED + 5).map(|n| (n % 251) as u8).collect();
    fs::write(world.path("big.bin"), &bytes).unwrap();
    afar.does(&["file", "upload", "big.bin"]).expect(0);
    afar.does(&["file", "download", "big.bin", "--to", "there.bin"]).expect(0);
    assert!(fs::read(world.path("there.bin")).unwrap() == bytes, "what comes back is what was brought");
    let there = afar.does(&["file", "download", "big.bin", "--to", "there.bin"]).expect(2);
    assert!(there.err.contains("is there already"), "{}", there.err);
    serving.signal("TERM");
    serving.wait().expect(0);
}
