//! The decisions of a run as lines of its log, for people.

use std::collections::BTreeMap;

use flowetl_proto::code::Failure;
use flowetl_proto::control::TestResult;
use flowetl_proto::drift::SchemaChange;
use flowetl_proto::id::{BlockId, SegmentId, Token};
use flowetl_proto::log::{Level, Line};
use flowetl_proto::run::RunEvent;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Which segment each attempt of a run is of, and its number there.
pub(crate) type Tries = BTreeMap<Token, (SegmentId, i64)>;

/// What a decision of a run says, in words.
pub(crate) fn told(event: &RunEvent, tries: &Tries) -> Line {
    let token = read::<Token>(event, "token");
    let segment = token.and_then(|token| tries.get(&token)).map(|(segment, _)| segment.clone());
    // What a segment does as a whole is about its root.
    let mut block = segment.as_ref().map(|segment| BlockId::new(segment.as_str()));
    let number = token.and_then(|token| tries.get(&token)).map_or(0, |(_, number)| *number);
    let failure = read::<Failure>(event, "failure");
    if let Some(at) = failure.as_ref().and_then(|failure| failure.block.clone()) {
        block = Some(at);
    }
    let why = failure.map(|failure| failure.message).unwrap_or_default();
    let (level, message) = match event.kind.as_str() {
        "begun" => (Level::Info, "the run has begun".to_owned()),
        "resumed" => (Level::Info, "the run goes on where it had stopped".to_owned()),
        "reattached" => (Level::Info, "another coordinator goes on with the run".to_owned()),
        "settled" => {
            (Level::Warn, read(event, "message").unwrap_or_else(|| "the run is brought to its end".to_owned()))
        }
        "cancel_asked" => (Level::Warn, "the run is asked to end".to_owned()),
        "time_passed" => (Level::Debug, "what waited for its time goes on".to_owned()),
        "locked" => (Level::Warn, format!("attempt {number} waits: a vault that it needs is locked")),
        "unlocked" => (Level::Info, "the vault is open: the run goes on".to_owned()),
        "admitted" => (Level::Info, "its turn has come: the run goes on".to_owned()),
        "refused" => (Level::Warn, format!("an executor did not take attempt {number}: {why}")),
        "progress" => (Level::Info, format!("attempt {number} is under way")),
        "stalled" => (Level::Warn, standing(event, number)),
        "prepared" => prepared(event, number),
        "committed" => (Level::Info, format!("what attempt {number} made is visible in its target")),
        "lost" => (Level::Warn, format!("attempt {number} was lost, with what it had made")),
        "discarded" => (Level::Debug, format!("what attempt {number} had staged is removed")),
        "failed" => (Level::Error, format!("attempt {number} failed: {why}")),
        other => (Level::Info, format!("{other} {}", event.detail)),
    };
    let executor = read(event, "executor");
    Line { at: event.at, level, segment, block, token, executor, message, fields: BTreeMap::new() }
}

fn standing(event: &RunEvent, number: i64) -> String {
    let stalled = read(event, "stalled").unwrap_or_else(|| format!("attempt {number} stands still"));
    let standing = read::<Vec<String>>(event, "standing").unwrap_or_default();
    if standing.is_empty() { stalled } else { format!("{stalled}; {}", standing.join("; ")) }
}

/// Everything is made; what tests and sources had to say is part of it.
fn prepared(event: &RunEvent, number: i64) -> (Level, String) {
    let tests = read::<Vec<TestResult>>(event, "tests").unwrap_or_default();
    let changes = read::<Vec<SchemaChange>>(event, "schema_changes").unwrap_or_default();
    let failed = tests.iter().filter(|test| !test.passed);
    let failed: Vec<_> = failed.map(|test| format!("test `{}` fails for {} rows", test.test, test.failures)).collect();
    let mut text = match read::<u64>(event, "rows") {
        Some(rows) => format!("attempt {number} has made all of its {rows} rows"),
        None if tests.is_empty() => format!("attempt {number} has made all of it"),
        None => format!("attempt {number}: {} of {} tests pass", tests.len() - failed.len(), tests.len()),
    };
    for part in failed.iter().cloned().chain(changes.iter().map(ToString::to_string)) {
        text = format!("{text}; {part}");
    }
    (if failed.is_empty() { Level::Info } else { Level::Warn }, text)
}

fn read<T: DeserializeOwned>(event: &RunEvent, name: &str) -> Option<T> {
    let value = event.detail.get(name).filter(|value| **value != Value::Null)?;
    serde_json::from_value(value.clone()).ok()
}
