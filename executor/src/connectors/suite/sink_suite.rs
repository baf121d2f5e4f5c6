//! What every sink must do: private until one commit, published once, nothing left behind.

use std::slice::from_ref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use flowetl_proto::code::Class;
use flowetl_proto::control::AttemptId;
use flowetl_proto::id::{BlockId, RunId, SegmentId, Token};
use flowetl_proto::pipeline::WriteMode;
use serde_json::Value;

use super::{Fixture, batch, integers, lines, open, reals, texts};
use crate::connectors::{Committed, Sink, SinkRequest, System};
use crate::{Error, Result};

/// Times that a table is replaced while a reader polls it.
const REPLACEMENTS: i64 = 5;

/// A load under test.
#[derive(Clone)]
struct Load<'a> {
    fixture: &'a dyn Fixture,
    name: &'a str,
    write: WriteMode,
    key: Vec<&'a str>,
    run: i64,
    token: i64,
}

impl<'a> Load<'a> {
    fn new(fixture: &'a dyn Fixture, name: &'a str, write: WriteMode) -> Self {
        Self { fixture, name, write, key: Vec::new(), run: 1, token: 1 }
    }

    fn by(mut self, key: &[&'a str]) -> Self {
        self.key = key.to_vec();
        self
    }

    /// A later run has a later attempt.
    fn run(mut self, run: i64) -> Self {
        (self.run, self.token) = (run, run);
        self
    }

    fn token(mut self, token: i64) -> Self {
        self.token = token;
        self
    }

    fn request(&self, schema: SchemaRef) -> SinkRequest {
        SinkRequest {
            attempt: AttemptId {
                pipeline: "suite".into(),
                run: RunId::new(format!("0199-run-{}", self.run)),
                segment: SegmentId::new("publish"),
                token: Token(self.token),
            },
            block: BlockId::new("publish"),
            to: self.fixture.place(self.name),
            write: self.write,
            key: self.key.iter().map(|part| part.to_string()).collect(),
            schema,
            options: Value::Object(serde_json::Map::new()),
        }
    }

    async fn open(&self, schema: SchemaRef) -> (Arc<dyn System>, Arc<dyn Sink>) {
        let system = open(self.fixture).await;
        let sink = system.sink(self.request(schema)).await.expect("a sink");
        (system, sink)
    }

    /// Everything up to `prepare`, each batch by the next writer.
    async fn try_stage(&self, batches: &[RecordBatch]) -> Result<Staged> {
        let system = open(self.fixture).await;
        let sink = system.sink(self.request(batches[0].schema())).await?;
        assert_eq!(sink.exists().await?, self.fixture.rows(self.name).await.is_some());
        sink.begin().await?;
        let count = sink.writers_max().clamp(1, 4);
        let mut writers = Vec::new();
        for partition in 0..count {
            writers.push(sink.writer(partition).await?);
        }
        for (index, batch) in batches.iter().enumerate() {
            writers[index % count].write(batch.clone()).await?;
        }
        let mut parts = Vec::new();
        for writer in writers {
            parts.extend(writer.finish().await?);
        }
        let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
        assert_eq!(parts.iter().map(|part| part.rows).sum::<u64>(), rows as u64, "parts add up to the rows written");
        let notes = sink.prepare(&parts).await?;
        Ok(Staged { _system: system, sink, notes })
    }

    async fn stage(&self, batches: &[RecordBatch]) -> Staged {
        self.try_stage(batches).await.expect("rows are staged")
    }

    async fn publish(&self, batches: &[RecordBatch]) {
        let staged = self.stage(batches).await;
        assert_eq!(staged.commit().await, Committed::Done);
        staged.sink.discard().await.expect("nothing is left to discard");
        self.no_leftovers().await;
    }

    async fn no_leftovers(&self) {
        assert_eq!(self.fixture.leftovers().await, Vec::<String>::new());
    }

    #[track_caller]
    fn check(&self, found: Option<Vec<String>>, expected: Option<&[RecordBatch]>) {
        let sorted = found.map(|mut rows| {
            rows.sort();
            rows
        });
        assert_eq!(sorted, expected.map(lines));
    }

    async fn expect(&self, expected: Option<&[RecordBatch]>) {
        self.check(self.fixture.rows(self.name).await, expected);
    }
}

struct Staged {
    _system: Arc<dyn System>,
    sink: Arc<dyn Sink>,
    notes: Value,
}

impl Staged {
    async fn commit(&self) -> Committed {
        self.sink.commit(&self.notes, &[]).await.expect("the commit is answered")
    }
}

fn modes(fixture: &dyn Fixture) -> Vec<WriteMode> {
    let lacks = fixture.lacks();
    let has = |mode: &WriteMode| match mode {
        WriteMode::Append => !lacks.append,
        WriteMode::Merge => !lacks.merge,
        WriteMode::Replace => true,
    };
    [WriteMode::Replace, WriteMode::Append, WriteMode::Merge].into_iter().filter(has).collect()
}

/// Rows with ids from `first`.
fn people(first: i64, count: i64) -> RecordBatch {
    let ids = first..first + count;
    let names: Vec<String> = ids.clone().map(|id| format!("name {id}")).collect();
    let scores = ids.clone().map(|id| (id % 3 != 0).then_some(id as f64 + 0.5));
    batch([("id", integers(ids)), ("name", texts(names.iter().map(String::as_str))), ("score", reals(scores))])
}

pub async fn creates_appends_and_replaces(fixture: &dyn Fixture) {
    let (old, new) = (people(1, 3), people(10, 2));
    let first = Load::new(fixture, "people", WriteMode::Replace);
    assert!(!first.open(old.schema()).await.1.describe().is_empty());
    first.publish(from_ref(&old)).await;
    first.expect(Some(from_ref(&old))).await;
    if !fixture.lacks().append {
        let second = Load::new(fixture, "people", WriteMode::Append).run(2);
        second.publish(from_ref(&new)).await;
        second.expect(Some(&[old.clone(), new.clone()])).await;
        let third = Load::new(fixture, "fresh", WriteMode::Append).run(3);
        third.publish(from_ref(&new)).await;
        third.expect(Some(from_ref(&new))).await;
    }
    let fourth = Load::new(fixture, "people", WriteMode::Replace).run(4);
    fourth.publish(from_ref(&new)).await;
    fourth.expect(Some(from_ref(&new))).await;
    // Other columns and types: the table is what the rows are.
    let other = batch([("id", texts(["x"])), ("total", reals([1.5]))]);
    let fifth = Load::new(fixture, "people", WriteMode::Replace).run(5);
    fifth.publish(from_ref(&other)).await;
    fifth.expect(Some(&[other])).await;
}

fn pairs(rows: &[(i64, &str)]) -> RecordBatch {
    batch([("id", integers(rows.iter().map(|row| row.0))), ("name", texts(rows.iter().map(|row| row.1)))])
}

pub async fn merges_by_key(fixture: &dyn Fixture) {
    if fixture.lacks().merge {
        return;
    }
    let load = |name, run| Load::new(fixture, name, WriteMode::Merge).by(&["id"]).run(run);
    // Into a table that the merge makes: the last row of a key wins.
    load("made", 1).publish(&[pairs(&[(1, "a"), (2, "b"), (1, "c")])]).await;
    load("made", 1).expect(Some(&[pairs(&[(1, "c"), (2, "b")])])).await;
    load("made", 2).publish(&[pairs(&[(2, "B"), (3, "d"), (3, "e")])]).await;
    load("made", 2).expect(Some(&[pairs(&[(1, "c"), (2, "B"), (3, "e")])])).await;
    // Into a table without any rule on its key, and with a column that the rows do not bring.
    let with_note = |rows: &[(i64, &str, Option<&str>)]| {
        batch([
            ("id", integers(rows.iter().map(|row| row.0))),
            ("name", texts(rows.iter().map(|row| row.1))),
            ("note", texts(rows.iter().map(|row| row.2))),
        ])
    };
    fixture.make("found", &with_note(&[(1, "a", Some("kept")), (2, "b", None)])).await;
    load("found", 3).publish(&[pairs(&[(1, "A"), (3, "c")])]).await;
    load("found", 3).expect(Some(&[with_note(&[(1, "A", Some("kept")), (2, "b", None), (3, "c", None)])])).await;
}

pub async fn merges_by_several_columns(fixture: &dyn Fixture) {
    if fixture.lacks().merge {
        return;
    }
    let load = |run| Load::new(fixture, "pairs", WriteMode::Merge).by(&["name", "id"]).run(run);
    load(1).publish(&[pairs(&[(1, "a"), (1, "b"), (1, "a")])]).await;
    load(2).publish(&[pairs(&[(1, "a"), (2, "a")])]).await;
    load(2).expect(Some(&[pairs(&[(1, "a"), (1, "b"), (2, "a")])])).await;
}

pub async fn refuses_a_null_in_the_key(fixture: &dyn Fixture) {
    if fixture.lacks().merge {
        return;
    }
    let load = Load::new(fixture, "people", WriteMode::Merge).by(&["id"]);
    let rows = batch([("id", integers([Some(1), None])), ("name", texts(["a", "b"]))]);
    let error = load.try_stage(from_ref(&rows)).await.err().expect("a null in the key is refused");
    assert_eq!(error.class, Class::User);
    assert!(error.to_failure().message.contains("`id`"), "{error}");
    load.expect(None).await;
    load.open(rows.schema()).await.1.discard().await.expect("discarded");
    load.no_leftovers().await;
}

pub async fn adds_columns(fixture: &dyn Fixture) {
    if fixture.lacks().new_columns || fixture.lacks().append {
        return;
    }
    Load::new(fixture, "people", WriteMode::Replace).publish(&[pairs(&[(1, "a")])]).await;
    let wider = batch([("id", integers([2])), ("name", texts(["b"])), ("score", reals([2.5]))]);
    let load = Load::new(fixture, "people", WriteMode::Append).run(2);
    load.publish(&[wider]).await;
    let all = batch([("id", integers([1, 2])), ("name", texts(["a", "b"])), ("score", reals([None, Some(2.5)]))]);
    load.expect(Some(from_ref(&all))).await;
    // A column less is null.
    let load = Load::new(fixture, "people", WriteMode::Append).run(3);
    load.publish(&[pairs(&[(3, "c")])]).await;
    let narrow = batch([("id", integers([3])), ("name", texts(["c"])), ("score", reals([None]))]);
    load.expect(Some(&[all, narrow])).await;
}

pub async fn loads_nothing(fixture: &dyn Fixture) {
    let none = people(1, 0);
    if !fixture.lacks().empty {
        Load::new(fixture, "new", WriteMode::Replace).publish(from_ref(&none)).await;
        Load::new(fixture, "new", WriteMode::Replace).expect(Some(&[])).await;
    }
    if !fixture.lacks().append {
        Load::new(fixture, "people", WriteMode::Replace).run(2).publish(&[people(1, 2)]).await;
        let load = Load::new(fixture, "people", WriteMode::Append).run(3);
        load.publish(from_ref(&none)).await;
        load.expect(Some(&[people(1, 2)])).await;
    }
    if !fixture.lacks().empty {
        let load = Load::new(fixture, "people", WriteMode::Replace).run(4);
        load.publish(&[none]).await;
        load.expect(Some(&[])).await;
    }
}

pub async fn loads_odd_names(fixture: &dyn Fixture) {
    let rows = batch([("Order", integers([1])), ("a \"b\"", texts(["it's"])), ("zażółć", reals([0.5]))]);
    let load = Load::new(fixture, "odd \"näme\" it's; --", WriteMode::Replace);
    load.publish(from_ref(&rows)).await;
    load.expect(Some(from_ref(&rows))).await;
    for (run, mode) in modes(fixture).into_iter().enumerate() {
        let load = Load { write: mode, ..load.clone() }.by(&["a \"b\""]).run(run as i64 + 2);
        load.publish(from_ref(&rows)).await;
    }
}

pub async fn loads_with_many_writers(fixture: &dyn Fixture) {
    let batches: Vec<_> = (0..20).map(|number| people(number * 100, 100)).collect();
    let load = Load::new(fixture, "people", WriteMode::Replace);
    load.publish(&batches).await;
    load.expect(Some(&batches)).await;
}

pub async fn shows_nothing_before_the_commit(fixture: &dyn Fixture) {
    let (old, new) = (people(1, 3), people(3, 2));
    let mut run = 0;
    for mode in modes(fixture) {
        for name in ["missing", "there"] {
            run += 1;
            let name = format!("{name}_{run}");
            let before = name.starts_with("there").then(|| vec![old.clone()]);
            let before = before.as_deref();
            let load = Load::new(fixture, &name, mode).by(&["id"]).run(run);
            if before.is_some() {
                fixture.make(&name, &old).await;
            }
            let (_system, sink) = load.open(new.schema()).await;
            load.expect(before).await;
            sink.begin().await.expect("begun");
            load.expect(before).await;
            let mut writer = sink.writer(0).await.expect("a writer");
            writer.write(new.clone()).await.expect("written");
            load.expect(before).await;
            let parts = writer.finish().await.expect("finished");
            load.expect(before).await;
            let notes = sink.prepare(&parts).await.expect("prepared");
            load.expect(before).await;
            assert_eq!(sink.commit(&notes, &[]).await.expect("committed"), Committed::Done);
            let after = match (mode, before) {
                (WriteMode::Append, Some(_)) => vec![old.clone(), new.clone()],
                (WriteMode::Merge, Some(_)) => vec![old.slice(0, 2), new.clone()],
                _ => vec![new.clone()],
            };
            load.expect(Some(&after)).await;
            load.no_leftovers().await;
        }
    }
}

pub async fn leaves_the_target_alone_without_a_commit(fixture: &dyn Fixture) {
    for (run, mode) in (1..).zip(modes(fixture)) {
        let name = format!("people_{run}");
        fixture.make(&name, &people(1, 3)).await;
        let load = Load::new(fixture, &name, mode).by(&["id"]).run(run);
        // A writer that is dropped in the middle, then a whole attempt that is never published.
        let (system, sink) = load.open(people(1, 1).schema()).await;
        sink.begin().await.expect("begun");
        let mut writer = sink.writer(0).await.expect("a writer");
        writer.write(people(50, 10)).await.expect("written");
        drop((writer, sink, system));
        drop(load.clone().token(run + 100).stage(&[people(60, 10)]).await);
        load.expect(Some(&[people(1, 3)])).await;
        for token in [run, run + 100] {
            load.clone().token(token).open(people(1, 1).schema()).await.1.discard().await.expect("discarded");
        }
        load.expect(Some(&[people(1, 3)])).await;
        load.no_leftovers().await;
    }
}

pub async fn commits_once(fixture: &dyn Fixture) {
    for (run, mode) in (1..).zip(modes(fixture)) {
        let name = format!("people_{run}");
        let load = Load::new(fixture, &name, mode).by(&["id"]).run(run);
        let staged = load.stage(&[people(1, 3)]).await;
        assert_eq!(staged.commit().await, Committed::Done);
        assert_eq!(staged.commit().await, Committed::Done);
        load.expect(Some(&[people(1, 3)])).await;
        staged.sink.discard().await.expect("discarded");
        assert_eq!(staged.commit().await, Committed::Done, "published rows cannot be discarded");
        load.expect(Some(&[people(1, 3)])).await;
        load.no_leftovers().await;
    }
}

pub async fn commits_from_another_process(fixture: &dyn Fixture) {
    for (run, mode) in (1..).zip(modes(fixture)) {
        let name = format!("people_{run}");
        fixture.make(&name, &people(1, 3)).await;
        let load = Load::new(fixture, &name, mode).by(&["id"]).run(run);
        let Staged { _system: system, sink, notes } = load.stage(&[people(3, 2)]).await;
        drop((sink, system));
        let notes: Value = serde_json::from_str(&notes.to_string()).expect("notes survive being kept as text");
        let expected = match mode {
            WriteMode::Append => vec![people(1, 3), people(3, 2)],
            WriteMode::Merge => vec![people(1, 2), people(3, 2)],
            WriteMode::Replace => vec![people(3, 2)],
        };
        for _ in 0..2 {
            let (_system, sink) = load.open(people(1, 1).schema()).await;
            assert_eq!(sink.commit(&notes, &[]).await.expect("committed"), Committed::Done);
            load.expect(Some(&expected)).await;
        }
        load.no_leftovers().await;
    }
}

pub async fn an_older_attempt_changes_nothing(fixture: &dyn Fixture) {
    for (run, mode) in (1..).zip(modes(fixture)) {
        let name = format!("people_{run}");
        let newer_token = run + 100;
        let load = Load::new(fixture, &name, mode).by(&["id"]).run(run);
        let older = load.stage(&[people(1, 3)]).await;
        let newer = load.clone().token(newer_token).stage(&[people(10, 3)]).await;
        assert_eq!(newer.commit().await, Committed::Done);
        // Whatever it is told, it must not publish.
        let _ = older.sink.commit(&older.notes, &[]).await;
        load.expect(Some(&[people(10, 3)])).await;
        older.sink.discard().await.expect("discarded");
        newer.sink.discard().await.expect("discarded");
        load.expect(Some(&[people(10, 3)])).await;
        load.no_leftovers().await;
    }
}

pub async fn says_what_is_lost(fixture: &dyn Fixture) {
    for (run, mode) in (1..).zip(modes(fixture)) {
        let name = format!("people_{run}");
        fixture.make(&name, &people(1, 3)).await;
        let load = Load::new(fixture, &name, mode).by(&["id"]).run(run);
        let staged = load.stage(&[people(5, 3)]).await;
        staged.sink.discard().await.expect("discarded");
        assert_eq!(staged.commit().await, Committed::Lost);
        load.expect(Some(&[people(1, 3)])).await;
        load.no_leftovers().await;
    }
}

pub async fn discards_at_any_time(fixture: &dyn Fixture) {
    for (run, mode) in (1..).zip(modes(fixture)) {
        let name = format!("people_{run}");
        let load = Load::new(fixture, &name, mode).by(&["id"]).run(run);
        let (_system, sink) = load.open(people(1, 1).schema()).await;
        sink.discard().await.expect("before it began");
        sink.begin().await.expect("begun");
        sink.discard().await.expect("after it began");
        sink.discard().await.expect("twice");
        load.no_leftovers().await;
        // The same attempt may begin anew, and a second `begin` forgets the first.
        sink.begin().await.expect("begun again");
        sink.begin().await.expect("and again");
        let mut writer = sink.writer(0).await.expect("a writer");
        writer.write(people(1, 3)).await.expect("written");
        writer.finish().await.expect("finished");
        load.open(people(1, 1).schema()).await.1.discard().await.expect("from another process");
        load.no_leftovers().await;
        load.expect(None).await;
    }
}

pub async fn replaces_without_a_gap(fixture: &dyn Fixture) {
    let versions: Vec<RecordBatch> = (0..=REPLACEMENTS).map(|version| people(version * 1000, 500)).collect();
    fixture.make("people", &versions[0]).await;
    let whole: Vec<Vec<String>> = versions.iter().map(|version| lines(from_ref(version))).collect();
    let is_done = AtomicBool::new(false);
    let replace = async {
        for run in 1..=REPLACEMENTS {
            let load = Load::new(fixture, "people", WriteMode::Replace).run(run);
            load.publish(&[versions[run as usize].clone()]).await;
        }
        is_done.store(true, Ordering::Relaxed);
        Ok::<_, Error>(())
    };
    let poll = async {
        let mut polls = 0;
        while !is_done.load(Ordering::Relaxed) {
            let mut rows = fixture.rows("people").await.expect("the table is never missing");
            rows.sort();
            assert!(whole.contains(&rows), "a reader saw {} rows that are no whole version", rows.len());
            polls += 1;
            tokio::task::yield_now().await;
        }
        Ok(polls)
    };
    let ((), polls) = tokio::try_join!(replace, poll).expect("both end");
    assert!(polls > 0);
    Load::new(fixture, "people", WriteMode::Replace).expect(Some(&versions[REPLACEMENTS as usize..])).await;
}
