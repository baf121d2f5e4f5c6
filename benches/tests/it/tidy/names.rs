//! Who may name what: each library and each module with the only rooms that may know it.

use super::{SourceFile, report, rust_files};

/// A path's beginning and the only places whose production code may hold it.
struct Rule {
    /// A crate or a path, as code writes it: `sqlx`, `std::env`.
    name: &'static str,
    rooms: &'static [&'static str],
    why: &'static str,
}

const RULES: &[Rule] = &[
    Rule { name: "flowetl_coordinator", rooms: &["sdk/cli/"], why: "coordinator and executor meet in proto" },
    Rule { name: "flowetl_executor", rooms: &["sdk/cli/"], why: "coordinator and executor meet in proto" },
    Rule {
        name: "sqlx",
        rooms: &["coordinator/src/store", "coordinator/src/error.rs", "coordinator/src/warehouse/server.rs"],
        why: "only the store holds SQL of the metadata database, and one room makes schemas in the warehouse",
    },
    Rule {
        name: "postgres_protocol",
        rooms: &["executor/src/connectors/postgres"],
        why: "only a connector knows its system",
    },
    Rule {
        name: "rusqlite",
        rooms: &["executor/src/connectors/sqlite", "sdk/cli/src/sample.rs"],
        why: "only a connector knows its system",
    },
    Rule {
        name: "object_store",
        rooms: &["executor/src/", "coordinator/src/files/space.rs"],
        why: "only the executor and the service's one room of files speak to object storage",
    },
    Rule { name: "arrow_flight", rooms: &["executor/src/remote", "executor/src/server"], why: "only they move rows" },
    Rule { name: "datafusion_distributed", rooms: SPREADERS, why: "only the planner cuts plans into tasks" },
    Rule { name: "datafusion_proto", rooms: PLANNERS, why: "only the planner writes and reads plans" },
    Rule { name: "datafusion", rooms: &["executor/src/"], why: "only the executor links the query engine" },
    Rule { name: "datafusion::optimizer", rooms: PLANNERS, why: "only the planner rewrites plans" },
    Rule { name: "datafusion::physical_optimizer", rooms: PLANNERS, why: "only the planner rewrites plans" },
    Rule { name: "datafusion::physical_planner", rooms: PLANNERS, why: "only the planner plans" },
    Rule {
        name: "etcd_client",
        rooms: &[
            "executor/src/server/announce.rs",
            "coordinator/src/etcd.rs",
            "coordinator/src/fleet/membership.rs",
            "coordinator/src/lead/election.rs",
        ],
        why: "one room announces, one watches and one elects",
    },
    Rule {
        name: "std::env",
        rooms: &["sdk/cli/", "sdk/rust/examples/"],
        why: "settings are read once, in the binary, and passed down",
    },
    Rule { name: "opentelemetry", rooms: &["sdk/cli/src/traces.rs"], why: "spans are facts; one room sends them" },
    Rule { name: "clap", rooms: &["sdk/cli/"], why: "settings are read once, in the binary, and passed down" },
    Rule { name: "indicatif", rooms: &["sdk/cli/"], why: "only the command line draws on a terminal" },
];

const PLANNERS: &[&str] = &["executor/src/plan"];
const SPREADERS: &[&str] = &["executor/src/plan", "executor/src/remote"];

/// Rooms of pure decisions, and what they must not name: no clock, no task, no file, no chance.
const BRAINS: &[&str] =
    &["coordinator/src/cut", "coordinator/src/place", "coordinator/src/run/machine", "/machine.rs", "/outbox.rs"];
const IMPURE: &[&str] = &["actix", "tokio", "std::fs", "std::net", "std::thread", "SystemTime::now", "Instant::now"];

#[test]
fn only_the_right_rooms_know_a_library() {
    let mut breaches = Vec::new();
    for file in rust_files().iter().filter(|file| !file.is_test()) {
        for rule in RULES {
            let may = rule.rooms.iter().any(|room| file.path.starts_with(room));
            if !may {
                breaches.extend(naming(file, rule.name).map(|line| {
                    format!("{line} names `{}`, which belongs to {}: {}", rule.name, rule.rooms.join(", "), rule.why)
                }));
            }
        }
    }
    report("a library is known only where it belongs", breaches);
}

#[test]
fn brains_are_pure() {
    let mut breaches = Vec::new();
    for file in rust_files().iter().filter(|file| !file.is_test()) {
        if BRAINS.iter().any(|room| file.path.starts_with(room) || file.path.ends_with(room)) {
            for name in IMPURE {
                breaches.extend(naming(file, name).map(|line| format!("{line} names `{name}`")));
            }
        }
    }
    report("brains decide and do not act: time and chance come in as arguments", breaches);
}

#[test]
fn a_rule_sees_what_it_forbids() {
    let text =
        "//! x\nuse sqlx::Row;\nlet a = my_sqlx::b; // sqlx::c\nfn f(p: &sqlx::Pool) {}\nmod tests {\nuse sqlx;\n}";
    let file = SourceFile { path: "a.rs".into(), text: text.into() };
    assert_eq!(naming(&file, "sqlx").collect::<Vec<_>>(), ["a.rs:2", "a.rs:4"]);
}

/// The lines of production code that hold `name` as a path or the beginning of one.
fn naming<'a>(file: &'a SourceFile, name: &'a str) -> impl Iterator<Item = String> + 'a {
    file.code().filter(move |(_, line)| holds(line, name)).map(|(at, _)| format!("{}:{at}", file.path))
}

fn holds(line: &str, name: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(name).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let rest = &line[at + name.len()..];
        let starts = before.is_none_or(|c| !is_word(c) && c != ':' && c != '"' && c != '`');
        // A path goes on with `::`, an import may end here, a call has its brackets.
        let goes_on =
            rest.starts_with("::") || rest.starts_with('(') || (rest.starts_with(';') && line.contains("use "));
        starts && goes_on
    })
}
