//! Certificates, the cluster's key and tokens: with all of them a cluster works, without any of them nobody is answered.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use flowetl::{Access, Client};
use serde_json::json;
use tokio::runtime::Runtime;

use crate::cluster::Cluster;
use crate::failure::{nothing_left, wait_until};
use crate::server::small;
use crate::world::{Database, Ended, Running, World};

const KEY: &str = "a-key-that-appears-in-no-output-at-all";
const TOKEN: &str = "a-token-that-appears-in-no-output";

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("deploy/certificates.sh")
}

/// An authority, the certificates of `processes`, and a file of tokens with that of ann, in the folder of `world`.
pub fn make(world: &World, processes: &[&str]) {
    for process in processes {
        let made = Command::new(script()).arg(world.path("tls")).arg(process).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
    world.write("token", TOKEN);
    let line = "printf 'ann %s\\n' \"$(printf %s \"$(cat token)\" | sha256sum | cut -d ' ' -f 1)\" >tokens";
    assert!(Command::new("sh").arg("-c").arg(line).current_dir(world.folder()).status().unwrap().success());
}

pub fn tls(world: &World, file: &str) -> String {
    world.path("tls").join(file).display().to_string()
}

/// The program as a client that shows `token` and believes our authority.
fn ask(world: &World, url: &str, token: Option<&str>, arguments: &[&str]) -> Ended {
    let mut command = world.command(arguments);
    command.env("FLOWETL_SERVER", url).env("FLOWETL_TLS_CA", tls(world, "ca.crt")).env("RUST_LOG", "trace");
    if let Some(token) = token {
        command.env("FLOWETL_TOKEN", token);
    }
    Running::start(command).wait()
}

/// Fails where a secret is among what was said.
fn tells_nothing(world: &World, ended: &Ended) {
    let private = fs::read_to_string(world.path("tls").join("process.key")).unwrap();
    let private = private.lines().nth(1).unwrap();
    for secret in [KEY, TOKEN, private] {
        assert!(!ended.out.contains(secret) && !ended.err.contains(secret), "`{secret}` is in an output");
    }
}

#[test]
fn a_cluster_with_certificates_a_key_and_tokens_runs_a_pipeline_and_tells_no_secret() {
    let (world, database) = (World::new(), Database::postgres());
    database.run("create table t (id bigint primary key); insert into t select generate_series(1, 1000)");
    let text = "blocks:\n  rows: {extract: db.public.t}\n  \
                some: {sql: \"select id from rows where id > 10\", boundary: checkpoint}\n  \
                out: {load: some, to: db.public.out}\n";
    world.write("p.yml", &format!("connections: {{db: \"{}\"}}\n{text}", database.url));
    make(&world, &["process"]);
    let mut cluster = Cluster::new(&world);
    cluster.set("FLOWETL_TLS_CA", tls(&world, "ca.crt"));
    cluster.set("FLOWETL_TLS_CERT", tls(&world, "process.crt"));
    cluster.set("FLOWETL_TLS_KEY", tls(&world, "process.key"));
    cluster.set("FLOWETL_CLUSTER_KEY", KEY.to_owned());
    cluster.set("RUST_LOG", "trace".to_owned());
    let (mut coordinator, url) = cluster.coordinator_with("coordinator", &["--tokens", "tokens"]);
    assert!(url.starts_with("https://"), "{url}");
    let executors = ["first", "second"].map(|home| {
        let mut executor = cluster.start(home, &["executor", "--listen", "127.0.0.1:0"]);
        executor.says("executor at https://");
        executor
    });
    let access = Access::default().tls_ca(fs::read(world.path("tls").join("ca.crt")).unwrap()).unwrap();
    let access = access.token(TOKEN).unwrap();
    let runtime = Runtime::new().unwrap();
    let client = runtime.block_on(Client::connect_with(&url, access)).unwrap();
    let known = || runtime.block_on(client.executors()).unwrap();
    wait_until("the executors", || known().len() == 2);

    // Asked of one that stands by, which names the other.
    let (next, second) = cluster.coordinator_with("next", &["--tokens", "tokens"]);
    let ended = ask(&world, &second, Some(TOKEN), &["run", "p.yml", "--json"]).expect(0);
    assert_eq!(ended.json()["state"], json!("success"));
    tells_nothing(&world, &ended);
    assert_eq!(database.number("select count(*) from out"), 990);
    nothing_left(&database);

    // One with another key listens in vain: nobody gives it work.
    cluster.set("FLOWETL_CLUSTER_KEY", KEY.replace('a', "b"));
    let stranger = cluster.start("stranger", &["executor", "--listen", "127.0.0.1:0"]);
    coordinator.warns("the pass was not made with this cluster's key");
    assert_eq!(known().len(), 2);

    drop(client);
    for running in [stranger, next, coordinator].into_iter().chain(executors) {
        running.signal("TERM");
        tells_nothing(&world, &running.wait().expect(0));
    }
}

#[test]
fn who_has_no_token_is_told_what_to_set() {
    let world = small();
    make(&world, &["process"]);
    let (certificate, key) = (tls(&world, "process.crt"), tls(&world, "process.key"));
    let arguments = ["up", "--listen", "127.0.0.1:0", "--tls-cert", &certificate, "--tls-key", &key];
    let mut serving = world.start(&[&arguments[..], &["--tokens", "tokens"]].concat());
    let url = serving.says("flowetl serves at ").rsplit(' ').next().unwrap().to_owned();
    assert!(url.starts_with("https://"), "{url}");

    let run = ["run", "p.yml", "--json"];
    for (token, words) in [(None, "none came with this one"), (Some("other"), "none of this coordinator's")] {
        let refused = ask(&world, &url, token, &run).expect(2);
        let hint = "set `FLOWETL_TOKEN` to a token that the coordinator has in its `--tokens` file";
        assert!(refused.err.contains(words) && refused.err.contains(hint), "{}", refused.err);
        assert_eq!(refused.out, "");
    }
    let ended = ask(&world, &url, Some(TOKEN), &run).expect(0);
    assert_eq!(ended.json()["state"], json!("success"));
    tells_nothing(&world, &ended);

    // Believed by this machine's own authorities, or not at all.
    let mut trusting = world.command(&["runs", "--server", &url]);
    trusting.env("FLOWETL_TOKEN", TOKEN).env("SSL_CERT_FILE", tls(&world, "ca.crt")).env_remove("SSL_CERT_DIR");
    assert!(Running::start(trusting).wait().expect(0).out.contains("success"));
    let other = Command::new(script()).arg(world.path("other")).arg("process").output().unwrap();
    assert!(other.status.success());
    let mut doubting = world.command(&["runs", "--server", &url, "--tls-ca", "other/ca.crt"]);
    doubting.env("FLOWETL_TOKEN", TOKEN);
    let refused = Running::start(doubting).wait().expect(2);
    assert!(refused.err.contains("invalid peer certificate"), "{}", refused.err);
    // What is seen first of the other side's refusal is chance.
    let plain = url.replace("https", "http");
    assert!(ask(&world, &plain, None, &run).expect(2).err.contains(&format!("at `{plain}`")));
    // And shown to nobody on the way.
    let clear = ask(&world, "http://etl.example:50051", Some(TOKEN), &run).expect(2);
    assert!(clear.err.contains("for everyone between to read"), "{}", clear.err);
    serving.signal("TERM");
    tells_nothing(&world, &serving.wait().expect(0));
}

#[test]
fn what_other_machines_reach_is_guarded_or_said_to_be_not() {
    let world = World::new();
    let role = |role: &'static str, settings: &[&'static str]| {
        [&[role, "--etcd", "http://127.0.0.1:1", "--listen", "0.0.0.0:0"], settings].concat()
    };
    let all = "set `--tls-ca`, `--tls-cert` and `--tls-key`, and `--cluster-key-file` or `FLOWETL_CLUSTER_KEY`";
    let cases = [
        (vec!["up", "--listen", "0.0.0.0:0"], "set `--tls-cert` and `--tls-key`, and `--tokens`; or say `--insecure`"),
        (
            vec!["up", "--listen", "127.0.0.1:0", "--http", "0.0.0.0:0"],
            "other machines reach `--http 0.0.0.0:0`: set `--tls-cert` and `--tls-key`; or say `--insecure`",
        ),
        (
            vec!["up", "--listen", "127.0.0.1:0", "--http", "0.0.0.0:0", "--insecure", "--auth", "off"],
            "with `--auth off` it must be an address of this machine alone",
        ),
        (vec!["up", "--cors-origins", "example.com"], "`example.com` is no origin"),
        (role("executor", &[]), all),
        (role("coordinator", &[]), all),
        (role("coordinator", &["--insecure"]), "cannot find executors: etcd"),
    ];
    for (arguments, words) in cases {
        let mut command = world.command(&arguments);
        command.env("FLOWETL_STORAGE_URL", "file:///nowhere");
        let said = Running::start(command).wait().expect(2).err;
        assert!(said.contains(words), "`{words}` is not in: {said}");
    }
    let mut serving = world.start(&["up", "--listen", "0.0.0.0:0", "--insecure"]);
    let url = serving.says("flowetl serves at ").rsplit(' ').next().unwrap().to_owned();
    make(&world, &["process"]);
    let encrypted = url.replace("http://0.0.0.0", "https://127.0.0.1");
    let refused = ask(&world, &encrypted, None, &["runs"]).expect(2).err;
    assert!(refused.contains(&format!("no coordinator answers at `{encrypted}`")), "{refused}");
}

#[test]
fn what_is_wrong_with_certificates_keys_and_tokens_is_named() {
    let world = World::new();
    make(&world, &["process", "other"]);
    world.write("empty", "");
    world.write("short", "too short");
    let etcd = ["--etcd", "http://127.0.0.1:1"];
    let coordinator = |settings: &[&'static str]| [&["coordinator"], &etcd[..], settings].concat();
    let own = ["--tls-cert", "tls/process.crt", "--tls-key", "tls/process.key"];
    let cases = [
        (vec!["up", "--tls-cert", "tls/process.crt"], "`--tls-cert` and `--tls-key` go together"),
        (vec!["up", "--tls-cert", "nowhere", "--tls-key", "empty"], "cannot read `--tls-cert nowhere`"),
        (vec!["up", "--tls-cert", "empty", "--tls-key", "tls/process.key"], "no certificate in PEM is there"),
        (vec!["up", "--tls-cert", "tls/process.crt", "--tls-key", "tls/other.key"], "does not belong"),
        (vec!["up", "--tokens", "nowhere"], "`--tokens`: cannot read `nowhere`"),
        (vec!["up", "--tokens", "empty"], "line 1 of `empty` is not a name and the SHA-256 of its token"),
        (coordinator(&["--tls-ca", "tls/ca.crt"]), "set `--tls-cert` and `--tls-key` too"),
        (coordinator(&own), "set `--tls-ca` too"),
        (coordinator(&[&own[..], &["--tls-ca", "empty"]].concat()), "`--tls-ca empty`: no certificate in PEM is there"),
        (coordinator(&["--cluster-key-file", "short"]), "it has 9 characters, and a key has 32 to 1024"),
        (coordinator(&["--advertise", "https://a:1"]), "`--advertise` takes `http://host:port`"),
        (vec!["runs", "--server", "https://127.0.0.1:1", "--tls-ca", "empty"], "`--tls-ca empty`"),
    ];
    for (arguments, words) in cases {
        let said = world.run(&arguments).expect(2).err;
        assert!(said.contains(words), "`{words}` is not in: {said}");
    }
    for (name, text) in [("FLOWETL_CLUSTER_KEY", "a-short-secret"), ("FLOWETL_TOKEN", "a secret token")] {
        let mut command = match name {
            "FLOWETL_TOKEN" => world.command(&["runs", "--server", "http://127.0.0.1:1"]),
            _ => world.command(&coordinator(&[])),
        };
        command.env(name, text);
        let said = Running::start(command).wait().expect(2).err;
        assert!(said.contains(name) && !said.contains(text), "{said}");
    }
}
