//! The store's promises, on both databases.

use std::time::Instant;

use flowetl_proto::control::{Cost, Meter};
use flowetl_proto::id::{RunId, SegmentId, Token};
use flowetl_proto::run::{Phase, RunEvent, RunOptions, Timestamp};
use serde_json::json;
use sqlx::{Connection, Executor};

use super::{AttemptRow, Origin, Record, RunRow, SinkCommit, Store, Totals, Version};
use crate::schedule::{Missed, Target};
use crate::store::CommitState;
use crate::tests::{Database, extract, load, on_both, pipeline};
use crate::{Error, cut};

on_both!(
    dm_15_migrations_are_applied_once,
    dm_15_schedules_and_the_times_that_wait_outlive_a_migration,
    dm_15_the_newest_run_is_noted_where_it_was_not,
    writes_and_reads_a_run,
    fences_former_owners,
    allows_one_active_run,
    tokens_only_grow
);

/// Makes a database as it was at the migration `until`, with the rows of a run that went well, `r1`, and of one that failed, `r2`,
/// of an incremental pipeline `p`.
pub(crate) async fn write_as_of(database: &Database, until: i64) {
    sqlx::any::install_default_drivers();
    let mut connection = sqlx::AnyConnection::connect(&database.url).await.unwrap();
    super::MIGRATIONS.run_to(until, &mut connection).await.unwrap();
    let (version, hash) = (version().definition, version().hash);
    let segments = cut::cut(&pipeline("p", vec![extract("a"), load("b", "a", "append")]));
    let segment = serde_json::to_string(&segments[0]).unwrap();
    let failure = r#"{"class":"user","block":null,"message":"no such table"}"#;
    let run = |id: &str, state: &str, failure: &str, at: i64| {
        format!(
            "insert into run (id, pipeline, hash, options, state, failure, term, seq, created_at, started_at, finished_at, kept)
             values ('{id}', 'p', '{hash}', '{{\"full_refresh\":false}}', '{state}', {failure}, 1, 1, {at}, {at}, {at} + 5, 0)"
        )
    };
    let position = r#"{"column":"id","data_type":"Int64","value":"7"}"#;
    for insert in [
        "insert into pipeline (name, created_at) values ('p', 1)".to_owned(),
        format!(
            "insert into pipeline_version (pipeline, hash, definition, created_at) values ('p', '{hash}', '{version}', 1)"
        ),
        run("r1", "success", "null", 10),
        run("r2", "failed", &format!("'{failure}'"), 20),
        format!(
            "insert into segment (run, id, place, spec, state, failures, next_try_at, winner)
             values ('r1', '{}', 0, '{segment}', 'committed', 0, null, null)",
            segments[0].id
        ),
        "insert into event (run, seq, at, kind, detail) values ('r1', 1, 10, 'begun', '{}')".to_owned(),
        format!(
            "insert into source_position (pipeline, block, position, run, moved_at) values ('p', 'a', '{position}', 'r1', 15)"
        ),
    ] {
        connection.execute(sqlx::AssertSqlSafe(insert)).await.unwrap();
    }
    connection.close().await.unwrap();
}

async fn dm_15_migrations_are_applied_once(database: &Database) {
    let (one, two) = tokio::join!(Store::open(&database.url), Store::open(&database.url));
    assert!(one.unwrap().runs().await.unwrap().is_empty());
    assert!(two.unwrap().runs().await.unwrap().is_empty());
}

async fn dm_15_schedules_and_the_times_that_wait_outlive_a_migration(database: &Database) {
    // Before schedules could run transformations.
    sqlx::any::install_default_drivers();
    let mut connection = sqlx::AnyConnection::connect(&database.url).await.unwrap();
    super::MIGRATIONS.run_to(202_611_231_020, &mut connection).await.unwrap();
    for insert in [
        "insert into organization (id, name, slug, created_at) values ('o', 'o', 'o', 0)",
        "insert into stored_pipeline (id, organization, name, key, status, revision, layout, created_at, updated_at) \
         values ('p', 'o', 'shop', 'shop', 'active', 1, '{}', 0, 0)",
        "insert into schedule (id, organization, pipeline, cron, timezone, missed, until, is_active, of_file, next_at, \
         created_at, updated_at, params) values ('s', 'o', 'p', '0 3 * * *', 'Europe/Warsaw', 'queue', 'orders', 1, 1, 50, \
         7, 8, '{\"day\":3}')",
        "insert into tick (schedule, at, try_at) values ('s', 40, 41)",
    ] {
        connection.execute(insert).await.unwrap();
    }
    connection.close().await.unwrap();

    let store = Store::open(&database.url).await.unwrap();
    let mut directory = store.change_directory().await.unwrap();
    let kept = directory.schedule("o", "s").await.unwrap().unwrap();
    let schedule = &kept.schedule;
    assert_eq!((kept.target.as_str(), kept.waiting, &schedule.target), ("shop", 1, &Target::Pipeline("p".into())));
    let said = (&*schedule.cron, &*schedule.timezone, schedule.missed, schedule.until.as_deref(), schedule.of_file);
    assert_eq!(said, ("0 3 * * *", "Europe/Warsaw", Missed::Queue, Some("orders"), true));
    let times = (schedule.next_at, schedule.created_at, schedule.updated_at);
    assert_eq!(times, (Some(Timestamp(50)), Timestamp(7), Timestamp(8)));
    assert_eq!((schedule.params["day"].clone(), schedule.is_active), (json!(3), true));
    directory.remove_schedule("s").await.unwrap();
    directory.commit().await.unwrap();
    // A time still belongs to a schedule that is there.
    let mut tx = store.begin().await.unwrap();
    let orphan = sqlx::query("insert into tick (schedule, at, try_at) values ('s', 1, 1)").execute(&mut *tx).await;
    assert!(orphan.unwrap_err().to_string().to_lowercase().contains("foreign key"));
}

async fn dm_15_the_newest_run_is_noted_where_it_was_not(database: &Database) {
    write_as_of(database, 202_611_210_900).await;
    let store = Store::open(&database.url).await.unwrap();
    let noted = async || {
        let row =
            sqlx::query("select newest_run, newest_state from pipeline where name = 'p'").fetch_one(&store.pool).await;
        let row = row.unwrap();
        (super::get::<String>(&row, "newest_run").unwrap(), super::get::<String>(&row, "newest_state").unwrap())
    };
    assert_eq!(noted().await, ("r2".to_owned(), "failed".to_owned()));

    // And from then on with each state of the newest, whatever is said of an older one.
    let first = create(&store, "r3").await.unwrap();
    assert_eq!(noted().await, ("r3".to_owned(), "running".to_owned()));
    let mut end = next(&first);
    end.run.state = Phase::Cancelled;
    store.save(&end).await.unwrap();
    assert_eq!(noted().await, ("r3".to_owned(), "cancelled".to_owned()));
    create(&store, "r4").await.unwrap();
    store.save(&next(&end)).await.unwrap();
    assert_eq!(noted().await, ("r4".to_owned(), "running".to_owned()));
}

fn version() -> Version {
    Version::of(&pipeline("p", vec![extract("a"), load("b", "a", "append")])).unwrap()
}

fn record(id: &str, term: i64) -> Record {
    let run = RunRow {
        id: RunId::new(id),
        pipeline: "p".into(),
        hash: version().hash,
        options: RunOptions { full_refresh: true, is_part: false },
        state: Phase::Running,
        failure: None,
        term,
        seq: 1,
        created_at: 10,
        started_at: 10,
        finished_at: None,
        kept: true,
        queued: false,
        totals: Totals::default(),
    };
    let event = RunEvent { seq: 1, at: 10, kind: "begun".into(), detail: json!({ "quote": "'" }) };
    Record {
        run,
        segments: vec![],
        attempts: vec![],
        sink_commits: vec![],
        loaded: vec![],
        written: vec![],
        positions: vec![],
        schemas: vec![],
        event,
        news: None,
    }
}

async fn create(store: &Store, id: &str) -> crate::Result<Record> {
    let first = |term, _| {
        let record = record(id, term);
        (record.clone(), record)
    };
    store.create(&version(), &Origin::default(), 1, 10, first).await
}

/// The record of the next decision.
fn next(before: &Record) -> Record {
    let mut record = before.clone();
    record.run.seq += 1;
    record.event.seq += 1;
    record
}

async fn writes_and_reads_a_run(database: &Database) {
    let store = Store::open(&database.url).await.unwrap();
    let mut record = next(&create(&store, "r").await.unwrap());
    let segment = cut::cut(&pipeline("p", vec![extract("a"), load("b", "a", "append")])).remove(0);
    record.segments = vec![super::SegmentRow {
        place: 0,
        spec: segment,
        state: "running".into(),
        failures: 2,
        next_try_at: Some(99),
        winner: None,
    }];
    record.attempts = vec![AttemptRow {
        token: Token(1),
        segment: SegmentId::new("b"),
        number: 1,
        state: "committing".into(),
        executor: Some("e".into()),
        failure: None,
        prepared: None,
        started_at: 11,
        ended_at: None,
        cost: Cost { cpu_ms: 5, peak_bytes: 6 },
        counted: [("b".into(), Meter { rows_in: 7, ..Meter::default() })].into(),
        discarded: false,
    }];
    let intent = SinkCommit { block: "b".into(), token: Token(1), state: CommitState::Intent };
    record.sink_commits = vec![intent.clone()];
    store.save(&record).await.unwrap();
    let stored = store.load(&RunId::new("r")).await.unwrap();
    assert_eq!((&stored.run, &stored.segments, &stored.attempts), (&record.run, &record.segments, &record.attempts));
    assert_eq!(stored.pipeline.blocks.len(), 2);
    assert_eq!(store.events(&RunId::new("r")).await.unwrap().len(), 2);

    let mut last = next(&record);
    (last.run.state, last.run.finished_at) = (Phase::Failed, Some(20));
    last.attempts[0].discarded = true;
    last.attempts[0].cost = Cost { cpu_ms: 7, peak_bytes: 8 };
    store.save(&last).await.unwrap();
    assert_eq!(store.load(&RunId::new("r")).await.unwrap().attempts, last.attempts);
    assert_eq!(store.unsettled_runs("p").await.unwrap(), [RunId::new("r")], "an intent is open");
    let mut settled = next(&last);
    settled.sink_commits = vec![SinkCommit { state: CommitState::Withdrawn, ..intent }];
    store.save(&settled).await.unwrap();
    assert!(store.unsettled_runs("p").await.unwrap().is_empty());
    assert!(matches!(store.run(&RunId::new("x")).await, Err(Error::NoRun(_))));
}

async fn fences_former_owners(database: &Database) {
    let store = Store::open(&database.url).await.unwrap();
    let first = create(&store, "r").await.unwrap();
    let second = next(&first);
    store.save(&second).await.unwrap();
    store.save(&second).await.expect("what was written may be written again");
    assert_eq!(store.events(&first.run.id).await.unwrap().len(), 2);
    assert!(matches!(store.save(&first).await, Err(Error::Fenced(_))), "an old decision");
    store.claim(&first.run.id, 1).await.unwrap();
    assert!(matches!(store.save(&next(&second)).await, Err(Error::Fenced(_))), "a former owner");
    assert_eq!(store.events(&first.run.id).await.unwrap().len(), 2);
}

async fn allows_one_active_run(database: &Database) {
    let store = Store::open(&database.url).await.unwrap();
    let first = create(&store, "r1").await.unwrap();
    assert!(create(&store, "r2").await.is_err());
    let mut end = next(&first);
    end.run.state = Phase::Success;
    store.save(&end).await.unwrap();
    create(&store, "r2").await.unwrap();
    assert_eq!(store.newest_run("p").await.unwrap().unwrap().id.as_str(), "r2");
}

async fn tokens_only_grow(database: &Database) {
    let (one, two) = (Store::open(&database.url).await.unwrap(), Store::open(&database.url).await.unwrap());
    let (a, b) = tokio::join!(one.take_tokens(10), two.take_tokens(10));
    let (a, b) = (a.unwrap(), b.unwrap());
    assert!(a.end <= b.start || b.end <= a.start, "{a:?} {b:?}");
    assert!(one.take_tokens(1).await.unwrap().start >= a.end.max(b.end));
}

/// A start has 100 ms for everything. An existing home is read, not written; a new one is bound by the disk, so the best
/// of several counts.
#[tokio::test]
async fn opens_quickly() {
    let mut new = Vec::new();
    let mut existing = Vec::new();
    for _ in 0..10 {
        let database = Database::sqlite();
        for times in [&mut new, &mut existing] {
            let started = Instant::now();
            let store = Store::open(&database.url).await.unwrap();
            times.push(started.elapsed().as_millis());
            store.close().await;
        }
    }
    println!("new homes {new:?} ms, existing ones {existing:?} ms");
    assert!(new.iter().min().is_some_and(|ms| *ms < 100), "{new:?}");
    assert!(existing.iter().min().is_some_and(|ms| *ms < 20), "{existing:?}");
}

#[test]
fn versions_are_named_by_their_content() {
    assert_eq!(version(), version());
    assert_eq!(version().hash.len(), 64);
    let other = Version::of(&pipeline("p", vec![extract("a"), load("b", "a", "merge")])).unwrap();
    assert_ne!(other.hash, version().hash);
}
