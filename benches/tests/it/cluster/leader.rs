//! Coordinators that lead and stand by: whoever of them ends, is killed or wakes up late, runs go on as they are.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{Cluster, attempts, copied_once, readers};
use crate::failure::{held_copy, let_go, nothing_left, wait_until};
use crate::world::Running;

/// How long after the end of the one that led, or its silence, another leads and has gone on with its runs.
const FAILOVER_LIMIT: Duration = Duration::from_secs(15);

/// Waits until a coordinator that stood by leads.
fn leads(coordinator: &mut Running) {
    coordinator.says("leads in term ");
}

#[test]
fn a_killed_leaders_runs_go_on_as_they_are_with_the_next() {
    let (world, database) = held_copy(0);
    let cluster = Cluster::new(&world);
    let (leader, first) = cluster.coordinator("one");
    let (mut next, second) = cluster.coordinator("two");
    let both = format!("{first},{second}");
    // Whoever is asked, the one that leads answers.
    let _executor = cluster.executor("first", &second, 1);
    let running = cluster.start_held(&both, &database);
    let before = readers(&database);
    leader.kill();
    let killed = Instant::now();
    leads(&mut next);
    assert!(killed.elapsed() < FAILOVER_LIMIT, "the next one led only after {:?}", killed.elapsed());
    assert_eq!(readers(&database), before, "what runs goes on");
    let_go(&database);
    copied_once(running, &database, 1);
    assert_eq!(cluster.metadata.number("select count(*) from run"), 1);
    assert_eq!(cluster.metadata.number("select count(*) from attempt"), 1);
}

#[test]
fn what_dies_with_the_leader_is_done_again_and_counts_as_no_failure() {
    let (world, database) = held_copy(0);
    let cluster = Cluster::new(&world);
    let (leader, first) = cluster.coordinator("one");
    let (mut next, second) = cluster.coordinator("two");
    let executor = cluster.executor("first", &first, 1);
    let running = cluster.start_held(&format!("{first},{second}"), &database);
    let _other = cluster.executor("second", &first, 2);
    let before = readers(&database);
    leader.kill();
    executor.kill();
    leads(&mut next);
    wait_until("another's attempt", || readers(&database).iter().any(|reader| !before.contains(reader)));
    let_go(&database);
    copied_once(running, &database, 2);
}

#[test]
fn a_leader_that_wakes_up_late_writes_nothing_and_ends() {
    let (world, database) = held_copy(0);
    let cluster = Cluster::new(&world);
    let (leader, first) = cluster.coordinator("one");
    let (mut next, second) = cluster.coordinator("two");
    let _executor = cluster.executor("first", &first, 1);
    let running = cluster.start_held(&format!("{first},{second}"), &database);
    leader.signal("STOP");
    leads(&mut next);
    leader.signal("CONT");
    let said = leader.wait().expect(1).err;
    assert!(said.contains("this coordinator does not lead any more"), "{said}");
    let_go(&database);
    copied_once(running, &database, 1);
    assert_eq!(cluster.metadata.number("select count(*) from attempt"), 1);
}

#[test]
fn what_is_prepared_while_nobody_leads_is_published_once_by_the_next() {
    let (world, database) = held_copy(0);
    let cluster = Cluster::new(&world);
    let (leader, first) = cluster.coordinator("one");
    let (mut next, second) = cluster.coordinator("two");
    let _executor = cluster.executor("first", &first, 1);
    let running = cluster.start_held(&format!("{first},{second}"), &database);
    leader.signal("STOP");
    let_go(&database);
    wait_until("the end of what runs", || readers(&database).is_empty());
    leads(&mut next);
    let json = running.wait().expect(0).json();
    assert_eq!((&json["state"], attempts(&json)), (&json!("success"), &json!(1)), "{json:#}");
    let made = || database.texts("select out::text from out order by 1");
    let published = made();
    assert_eq!(published.len(), 20_000);
    // It finds the end of the attempt among what came while it stood still.
    leader.signal("CONT");
    leader.wait().expect(1);
    assert_eq!(made(), published);
    nothing_left(&database);
    assert_eq!(cluster.metadata.number("select count(*) from attempt"), 1);
}

#[test]
fn a_coordinator_that_is_asked_to_end_hands_over_at_once() {
    let (world, database) = held_copy(0);
    let cluster = Cluster::new(&world);
    let (leader, first) = cluster.coordinator("one");
    let (mut next, second) = cluster.coordinator("two");
    let _executor = cluster.executor("first", &first, 1);
    let running = cluster.start_held(&format!("{first},{second}"), &database);
    leader.signal("TERM");
    leader.wait().expect(0);
    // Its lease is given back, so that nobody waits for its end.
    leads(&mut next);
    let_go(&database);
    let json = running.wait().expect(0).json();
    assert_eq!((&json["state"], attempts(&json)), (&json!("success"), &json!(1)), "{json:#}");
    nothing_left(&database);
}
