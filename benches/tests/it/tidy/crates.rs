//! Which crate may reach which, read from cargo's own tree.

use std::collections::BTreeSet;
use std::process::Command;

use super::{report, root};

/// The engine and the systems' own libraries: a new block or connector must not touch who links none of these.
const ENGINE: &[&str] = &[
    "arrow",
    "arrow-flight",
    "datafusion",
    "datafusion-distributed",
    "flowetl-executor",
    "object_store",
    "parquet",
    "postgres-protocol",
    "rusqlite",
];

#[test]
fn the_coordinator_links_neither_engine_nor_connector() {
    // Files that people upload go to object storage by way of it.
    let engine: Vec<_> = ENGINE.iter().filter(|name| **name != "object_store").copied().collect();
    forbid("flowetl-coordinator", &engine);
}

#[test]
fn the_executor_does_not_know_the_coordinator() {
    forbid("flowetl-executor", &["flowetl-coordinator", "sqlx"]);
}

#[test]
fn who_asks_a_coordinator_needs_neither_it_nor_the_engine() {
    // Rows are looked at as Arrow's.
    let engine: Vec<_> = ENGINE.iter().filter(|name| **name != "arrow").copied().collect();
    forbid("flowetl", &[&engine[..], &["flowetl-coordinator", "sqlx", "actix"]].concat());
}

#[test]
fn the_contracts_stand_alone() {
    forbid("flowetl-proto", &[ENGINE, &["flowetl-coordinator", "sqlx", "actix"]].concat());
}

/// Checks that none of `names` is among the crates that `package` links, however far away.
fn forbid(package: &str, names: &[&str]) {
    let reached = reached_from(package);
    assert!(reached.len() > 10, "`{package}` reaches only {} crates: the test looks at the wrong place", reached.len());
    let breaches = names
        .iter()
        .filter(|name| reached.contains(**name))
        .map(|name| format!("`{package}` reaches `{name}` (`cargo tree -p {package} -i {name}` shows the way)"));
    report("crates look one way", breaches.collect());
}

/// The names of all crates that `package` links, without what only its tests or build scripts use.
fn reached_from(package: &str) -> BTreeSet<String> {
    let cargo = std::env::var("CARGO").expect("`CARGO`, which cargo sets for its tests");
    let output = Command::new(cargo)
        .args(["tree", "--package", package, "--edges", "normal", "--prefix", "none", "--format", "{p}"])
        .args(["--locked", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo starts");
    assert!(output.status.success(), "cargo tree failed: {}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).expect("names of crates are UTF-8");
    tree.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}
