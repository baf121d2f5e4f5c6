//! What a cluster rests on goes away and comes back: nothing is decided meanwhile, and nothing is lost.

use std::thread;
use std::time::Duration;

use super::road::Road;
use super::{Cluster, copied_once, readers, server};
use crate::failure::{held_copy, let_go, nothing_left, wait_until};

#[test]
fn without_etcd_nothing_is_decided_and_nothing_is_lost() {
    let (world, database) = held_copy(0);
    let cluster = Cluster::new(&world);
    let etcd = server("FLOWETL_TEST_ETCD");
    let road = Road::new(&cluster.runtime, etcd.strip_prefix("http://").unwrap());
    let (mut leader, url) = cluster.coordinator_with("one", &["--etcd", &format!("http://{}", road.address)]);
    let _executor = cluster.executor("first", &url, 1);
    let running = cluster.start_held(&url, &database);
    road.close();
    leader.warns("it decides nothing until etcd answers");
    let_go(&database);
    wait_until("the end of what runs", || readers(&database).is_empty());
    // The next run of another pipeline is refused by name rather than begun.
    world.write("q.yml", &std::fs::read_to_string(world.path("p.yml")).unwrap());
    let refused = cluster.ask(&url, &["run", "q.yml"]).expect(2).err;
    assert!(refused.contains("cannot know whether it still leads"), "{refused}");
    assert!(!database.has("out"), "nothing is published meanwhile");
    road.open();
    copied_once(running, &database, 1);
}

#[test]
fn without_the_metadata_database_nothing_is_decided_and_nothing_is_lost() {
    let (world, database) = held_copy(0);
    let mut cluster = Cluster::new(&world);
    let url = cluster.metadata.url.clone();
    let server = url.split(['@', '/']).find(|part| part.contains(':') && !part.ends_with(':')).unwrap();
    let road = Road::new(&cluster.runtime, server);
    cluster.set("FLOWETL_DATABASE_URL", url.replace(server, &road.address));
    let (mut leader, url) = cluster.coordinator("one");
    let _executor = cluster.executor("first", &url, 1);
    let running = cluster.start_held(&url, &database);
    road.close();
    let_go(&database);
    leader.warns("nothing is decided until the metadata database answers");
    // Longer than a decision is tried to be written otherwise.
    thread::sleep(Duration::from_secs(35));
    assert!(!database.has("out"), "nothing is published meanwhile");
    road.open();
    copied_once(running, &database, 1);
}

#[test]
fn without_object_storage_attempts_fail_until_it_is_back() {
    let (world, database) = held_copy(50);
    let pipeline = std::fs::read_to_string(world.path("p.yml")).unwrap();
    let kept = "  kept: {sql: \"select * from wide where id > 0\", boundary: checkpoint}\n";
    world.write("p.yml", &(pipeline.replace("{load: wide,", "{load: kept,") + kept));
    let mut cluster = Cluster::new(&world);
    let storage = cluster.setting("FLOWETL_STORAGE_URL").to_owned();
    let server = storage.split("endpoint=http://").nth(1).and_then(|rest| rest.split('&').next()).unwrap();
    let road = Road::new(&cluster.runtime, server);
    cluster.set("FLOWETL_STORAGE_URL", storage.replace(server, &road.address));
    let (_coordinator, url) = cluster.coordinator("one");
    let _executor = cluster.executor("first", &url, 1);
    let running = cluster.start_held(&url, &database);
    road.close();
    let_go(&database);
    wait_until("a second attempt", || cluster.metadata.number("select count(*) from attempt") > 1);
    assert!(!database.has("out"), "nothing is published meanwhile");
    let told = cluster.metadata.text("select failure from attempt where number = 1");
    // A stream that was given few of the rows writes its file at once, and uploads no pieces.
    let is_said = ["cannot upload", "cannot write"].iter().any(|words| told.contains(words));
    assert!(told.contains("kept") && is_said, "{told}");
    road.open();
    let json = running.wait().expect(0).json();
    assert_eq!(json["state"], "success", "{json:#}");
    assert_eq!(database.number("select count(distinct id) from out"), 20_000);
    assert_eq!(database.number("select count(*) from out"), 20_000);
    nothing_left(&database);
}
