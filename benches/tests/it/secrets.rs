//! A secret that was planted in a connection, and where it must not be found again.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::{Value, json};

use crate::server::client;
use crate::world::{Database, Running, Served, World};

const PLANTED: &str = "planted-secret-4711";

/// Every file below a folder that holds `secret`.
fn holding(folder: &Path, secret: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(holding(&path, secret));
        } else if fs::read(&path).unwrap().windows(secret.len()).any(|window| window == secret.as_bytes()) {
            found.push(path.display().to_string());
        }
    }
    found
}

#[test]
fn se_5_a_planted_secret_is_nowhere_after_a_run() {
    let world = World::new();
    let database = Database::postgres();
    database.run("create table t (id int primary key, note text); insert into t values (1, 'a'), (2, 'b')");
    let (server, name) = database.url.rsplit_once('/').unwrap();
    let (host, port) = server.rsplit_once('@').unwrap().1.split_once(':').unwrap();
    let mut serving = world.start(&["-vv", "up", "--listen", "127.0.0.1:0", "--auth", "off"]);
    let url = serving.says("flowetl serves at ").rsplit(' ').next().unwrap().to_owned();
    let serving = Served::of(serving);

    // The server trusts everybody, so that any password is right.
    let port: u16 = port.parse().unwrap();
    let shop = json!({
        "name": "shop", "db_type": "postgresql", "host": host, "port": port, "database": name, "username": "postgres",
        "password": PLANTED,
    });
    let (status, made) = serving.call("POST", "/connections", &shop);
    assert_eq!(status, 201, "{made}");
    let id = made.split("\"id\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let (status, tested) = serving.call("POST", &format!("/connections/{id}/test"), &Value::Null);
    assert!(status == 200 && tested.contains("\"version\":\"PostgreSQL 1"), "{tested}");
    let key = fs::metadata(world.path("home/vault.key")).unwrap();
    assert_eq!(key.permissions().mode() & 0o777, 0o600);

    world.write("p.yml", "from: shop.public.t\nto: shop.public.copied\n");
    let asked = |arguments: &[&str]| Running::start(client(&world, &url, arguments)).wait().expect(0);
    let ran = asked(&["run", "p.yml", "--json"]);
    assert_eq!(database.number("select count(*) from copied"), 2);
    let planned = asked(&["plan", "p.yml", "--json"]);
    let logs = asked(&["runs", ran.json()["run_id"].as_str().unwrap(), "--logs"]);
    let answers = ["/runs", "/connections", "/audit", "/connections/export"]
        .map(|path| serving.call("GET", path, &Value::Null).1);
    serving.process.signal("TERM");
    let served = serving.process.wait();
    let told = [ran.out, ran.err, planned.out, planned.err, logs.out, logs.err, served.out, served.err, made, tested];
    for text in told.iter().chain(&answers) {
        assert!(!text.contains(PLANTED), "{text}");
    }
    assert_eq!(holding(world.folder(), PLANTED), Vec::<String>::new());
    // What is looked for would be found.
    assert!(!holding(world.folder(), "copied").is_empty());
}
