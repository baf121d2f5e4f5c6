//! Attempts through a node, as the coordinator has them: what goes wrong is named, nothing of it is seen, the node goes on.

use std::time::Instant;

use flowetl_proto::control::{AttemptEventKind as Kind, AttemptId, Output};
use flowetl_proto::id::BlockId;
use flowetl_proto::pipeline::Block;
use tokio::time::timeout;

use super::*;
use crate::tests::odd::{BATCH, BATCHES};
use crate::tests::world::{World, extract, load, sql};

/// How long a test waits for the next event, on however slow a machine.
const EVENT_LIMIT: Duration = Duration::from_secs(30);
/// Within so long a cancelled attempt is over.
const CANCEL_LIMIT: Duration = Duration::from_secs(5);
/// Rows of a source that behaves.
const ROWS: i64 = BATCH * BATCHES as i64;

/// A node, and the coordinator's end of its events.
struct Desk {
    world: World,
    node: Node,
    events: mpsc::Receiver<AttemptEvent>,
}

impl Desk {
    async fn new(stall_limit: Duration) -> Self {
        let mut world = World::new(2).await;
        world.config.stall_limit = stall_limit;
        let (node, events) = Self::node(&world).await;
        Self { world, node, events }
    }

    async fn node(world: &World) -> (Node, mpsc::Receiver<AttemptEvent>) {
        let (sender, events) = mpsc::channel(64);
        (Node::start(world.config.clone(), Handle::current(), sender).await.unwrap(), events)
    }

    /// Another process on the same places.
    async fn restart(&mut self) {
        (self.node, self.events) = Self::node(&self.world).await;
    }

    /// The next event of the attempt, whose other events must have been taken before.
    async fn event(&mut self, spec: &AttemptSpec) -> AttemptEvent {
        let event = timeout(EVENT_LIMIT, self.events.recv()).await.expect("an event").expect("a node");
        let id = &spec.id;
        assert_eq!((&event.run, &event.segment, event.token), (&id.run, &id.segment, id.token), "{event:?}");
        event
    }

    /// The next event that is no progress.
    async fn last(&mut self, spec: &AttemptSpec) -> AttemptEvent {
        loop {
            let event = self.event(spec).await;
            if !matches!(event.kind, Kind::Progress { .. }) {
                return event;
            }
        }
    }

    async fn end(&mut self, spec: &AttemptSpec) -> Kind {
        self.last(spec).await.kind
    }

    /// Waits for a report of progress that is `enough`: rows that the source has given, and where nothing moves.
    async fn progress(&mut self, spec: &AttemptSpec, enough: impl Fn(u64, Option<&str>) -> bool) {
        let started = Instant::now();
        loop {
            let AttemptEvent { blocks, kind, .. } = self.event(spec).await;
            match kind {
                Kind::Progress { stalled, standing } => {
                    assert_eq!(stalled.is_some(), !standing.is_empty(), "{stalled:?}, {standing:?}");
                    let rows = blocks.get("rows").map_or(0, |source| source.rows_out);
                    if enough(rows, stalled.as_deref()) {
                        return;
                    }
                    assert!(started.elapsed() < EVENT_LIMIT, "still {blocks:?}, {stalled:?}");
                }
                kind => panic!("{kind:?}"),
            }
        }
    }

    async fn prepare(&mut self, spec: &AttemptSpec) -> Prepared {
        self.node.start(spec.clone()).await.unwrap();
        match self.end(spec).await {
            Kind::Prepared(prepared) => *prepared,
            kind => panic!("{kind:?}"),
        }
    }

    async fn commit(&mut self, spec: &AttemptSpec, prepared: &Prepared) -> Kind {
        self.node.commit(spec.clone(), prepared.clone()).await.unwrap();
        self.end(spec).await
    }

    async fn discard(&mut self, spec: &AttemptSpec) {
        self.node.discard(spec.clone()).await.unwrap();
        assert_eq!(self.end(spec).await, Kind::Discarded);
    }

    async fn fail(&mut self, spec: &AttemptSpec) -> Failure {
        self.node.start(spec.clone()).await.unwrap();
        match self.end(spec).await {
            Kind::Failed(failure) => failure,
            kind => panic!("{kind:?}"),
        }
    }

    /// The attempt of this token to copy the odd source `from` to the odd target `to`.
    fn odd(&self, token: i64, from: &str, to: &str) -> AttemptSpec {
        let blocks = vec![extract("rows", "odd", from), load("out", "rows", "odd", to, "append")];
        self.world.attempt("r", token, blocks, Output::Sink)
    }

    /// The attempt of this token to append the odd source `from` to the table `t` in SQLite.
    fn append(&self, token: i64, from: &str) -> AttemptSpec {
        let blocks = vec![extract("rows", "odd", from), load("out", "rows", "out", "t", "append")];
        self.world.attempt("r", token, blocks, Output::Sink)
    }

    /// How many rows the table `t` in SQLite has; `None` where there is no such table.
    fn published(&self) -> Option<i64> {
        let path = self.world.folder.path().join("out.db");
        let database = path.exists().then(|| rusqlite::Connection::open(path).unwrap())?;
        database.query_row("select count(*) from t", [], |row| row.get(0)).ok()
    }

    /// Whatever lies beside the target in SQLite for the sake of an attempt.
    fn staged(&self) -> Vec<String> {
        self.world.files("").into_iter().filter(|file| file.contains("-flowetl-")).collect()
    }

    /// A good attempt after a bad one: the node is as it was.
    async fn goes_on(&mut self, token: i64) {
        let spec = self.append(token, "good");
        let prepared = self.prepare(&spec).await;
        assert_eq!(self.commit(&spec, &prepared).await, Kind::Committed);
        assert_eq!(self.published(), Some(ROWS));
        assert_eq!(self.staged(), Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_that_panics() {
    let mut desk = Desk::new(NodeConfig::STALL_LIMIT).await;
    let bad = desk.append(1, "panics");
    let failure = desk.fail(&bad).await;
    assert_eq!((failure.class, failure.block), (Class::Panic, Some(BlockId::new("rows"))));
    assert_eq!(failure.message, "panic in an operator: batch 1 is too much");
    assert_eq!(desk.published(), None);
    assert_ne!(desk.staged(), Vec::<String>::new(), "nothing was staged: the test misses its point");
    desk.discard(&bad).await;
    assert_eq!(desk.staged(), Vec::<String>::new());
    desk.goes_on(2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_that_panics() {
    let mut desk = Desk::new(NodeConfig::STALL_LIMIT).await;
    let cases = [(1, "panics", "these rows are too much"), (2, "prepare_panics", "these rows cannot be made durable")];
    for (token, to, words) in cases {
        let bad = desk.odd(token, "good", to);
        let failure = desk.fail(&bad).await;
        assert_eq!((failure.class, failure.block), (Class::Panic, Some(BlockId::new("out"))), "{to}");
        assert!(failure.message.contains(words), "{to}: {}", failure.message);
        assert_eq!(desk.world.files("odd"), [format!("{to}.staged.{token}")]);
        desk.discard(&bad).await;
        assert_eq!(desk.world.files("odd"), Vec::<String>::new());
    }
    desk.goes_on(3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_attempt_that_is_started_again_runs_once() {
    let mut desk = Desk::new(NodeConfig::STALL_LIMIT).await;
    let spec = desk.append(2, "good");
    desk.node.start(spec.clone()).await.unwrap();
    let prepared = desk.prepare(&spec).await;
    desk.node.start(spec.clone()).await.unwrap();
    // A second attempt would tell of its own end now.
    assert_eq!(desk.commit(&spec, &prepared).await, Kind::Committed);
    assert_eq!(desk.published(), Some(ROWS));
    let overtaken = desk.node.start(desk.append(1, "good")).await.unwrap_err();
    assert_eq!(overtaken.class, Class::Fenced);
    assert_eq!(overtaken.message, "attempt 1 of `out` was overtaken by attempt 2");
}

/// Sources that give nothing, keep their thread or do not even tell their columns; targets that take nothing or do not end.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_stalled_attempt_says_where_and_can_be_cancelled() {
    let mut desk = Desk::new(Duration::ZERO).await;
    let hold = desk.world.folder.path().join("odd/hold");
    std::fs::write(&hold, "").unwrap();
    let cases = [
        (1, "silent", "t", "`rows` waits for its source"),
        (2, "endless", "silent", "the target of `out` does not take its rows"),
        (3, "stuck", "t", "`rows` is computing"),
        (4, "mute", "t", "`out` is being planned"),
        (5, "good", "mute", "`out` is being finished"),
    ];
    for (token, from, to, words) in cases {
        let spec = desk.odd(token, from, to);
        desk.node.start(spec.clone()).await.unwrap();
        let says_where = |text: &str| text.starts_with("no row has moved for ") && text.ends_with(words);
        desk.progress(&spec, |_, stalled| stalled.is_some_and(says_where)).await;
        cancel(&mut desk, &spec).await;
    }
    // The thread that is kept would keep this test, should the folder not go away with it.
    std::fs::remove_file(hold).unwrap();
    desk.goes_on(6).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operators_that_wait_for_each_other_are_given_up() {
    let mut world = World::new(2).await;
    (world.config.stall_limit, world.config.deadlock_limit) = (Duration::ZERO, Duration::ZERO);
    let (node, events) = Desk::node(&world).await;
    let mut desk = Desk { world, node, events };
    let stuck = sql("stuck", &["rows"], "select never(n) as n from rows");
    let blocks = vec![extract("rows", "odd", "good"), stuck, load("out", "stuck", "out", "t", "append")];
    let spec = desk.world.attempt("r", 1, blocks, Output::Sink);
    let failure = desk.fail(&spec).await;
    assert_eq!((failure.class, failure.thriftily), (Class::Stalled, true), "{failure}");
    assert!(failure.message.starts_with("its operators wait for each other: no row has moved for "), "{failure}");
    assert!(failure.message.ends_with("`stuck` is not done with what it was given"), "{failure}");
    desk.discard(&spec).await;
    assert_eq!((desk.staged(), desk.published()), (Vec::new(), None));
    desk.goes_on(2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_join_that_never_waits_is_cancelled() {
    let mut desk = Desk::new(Duration::ZERO).await;
    let series = "generate_series(1, 10000000)";
    let joins = [format!("cross join {series} b"), format!("join {series} b on a.value + b.value > 0")];
    for (at, join) in joins.into_iter().enumerate() {
        let query = format!("select sum(a.value % 7 * b.value) as n from {series} a {join}");
        let blocks = vec![sql("busy", &[], &query), load("out", "busy", "out", "t", "append")];
        let spec = desk.world.attempt("r", at as i64 + 1, blocks, Output::Sink);
        desk.node.start(spec.clone()).await.unwrap();
        desk.progress(&spec, |_, stalled| stalled.is_some_and(|text| text.contains("`busy`"))).await;
        cancel(&mut desk, &spec).await;
    }
    desk.goes_on(3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endless_source_is_cancelled() {
    let mut desk = Desk::new(NodeConfig::STALL_LIMIT).await;
    for (token, spec) in [(1, desk.odd(1, "endless", "t")), (2, desk.append(2, "endless"))] {
        desk.node.start(spec.clone()).await.unwrap();
        desk.progress(&spec, |rows, stalled| {
            assert_eq!(stalled, None);
            rows > 0
        })
        .await;
        cancel(&mut desk, &spec).await;
        assert_eq!(desk.published(), None, "attempt {token}");
    }
    desk.goes_on(3).await;
}

/// Cancels an attempt that runs, and removes what it staged.
async fn cancel(desk: &mut Desk, spec: &AttemptSpec) {
    let asked = Instant::now();
    desk.node.cancel(spec.id.run.clone(), spec.id.token, CANCEL_LIMIT).await.unwrap();
    let Kind::Failed(failure) = desk.end(spec).await else { panic!("cancelled, but went on") };
    assert!(asked.elapsed() < CANCEL_LIMIT, "it took {:?}", asked.elapsed());
    assert_eq!(failure.class, Class::Cancelled, "{failure}");
    desk.discard(spec).await;
    assert_eq!(desk.staged(), Vec::<String>::new());
    assert_eq!(desk.world.files("odd").into_iter().find(|file| file != "hold"), None);
    // Whoever asks twice, or too late, hears nothing.
    desk.node.cancel(spec.id.run.clone(), spec.id.token, CANCEL_LIMIT).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_never_started_can_be_discarded() {
    let mut desk = Desk::new(NodeConfig::STALL_LIMIT).await;
    let before = desk.world.files("");
    let rows =
        || -> Vec<Block> { vec![extract("rows", "odd", "good"), sql("shaped", &["rows"], "select n from rows")] };
    let boundary = desk.world.attempt("r", 1, rows(), Output::Boundary);
    let sink = desk.append(2, "good");
    for spec in [&boundary, &sink] {
        desk.discard(spec).await;
        desk.discard(spec).await;
    }
    assert_eq!(desk.world.files(""), before);
    assert_eq!(desk.prepare(&boundary).await.manifest.unwrap().rows(), ROWS as u64);
    desk.goes_on(3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_is_done_once_whoever_repeats_it() {
    let mut desk = Desk::new(NodeConfig::STALL_LIMIT).await;
    let spec = desk.append(1, "good");
    let prepared = desk.prepare(&spec).await;
    assert_eq!(desk.published(), None);
    desk.restart().await;
    for _ in 0..2 {
        assert_eq!(desk.commit(&spec, &prepared).await, Kind::Committed);
        assert_eq!(desk.published(), Some(ROWS));
    }
    desk.restart().await;
    assert_eq!(desk.commit(&spec, &prepared).await, Kind::Committed);
    desk.discard(&spec).await;
    assert_eq!(desk.published(), Some(ROWS), "a discard touches nothing that was published");
    // Another run of the same pipeline appends, and what was discarded before its commit is lost, not half there.
    let next = AttemptSpec { id: AttemptId { run: "s".into(), ..spec.id.clone() }, ..spec.clone() };
    let prepared = desk.prepare(&next).await;
    desk.discard(&next).await;
    assert_eq!(desk.commit(&next, &prepared).await, Kind::Lost);
    assert_eq!(desk.published(), Some(ROWS));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_is_forgotten() {
    let mut desk = Desk::new(NodeConfig::STALL_LIMIT).await;
    let rows = || vec![extract("rows", "odd", "good")];
    for run in ["first", "second"] {
        let spec = desk.world.attempt(run, 1, rows(), Output::Boundary);
        assert_eq!(desk.prepare(&spec).await.manifest.unwrap().rows(), ROWS as u64);
    }
    let of = |run: &str| format!("runs/{run}/rows/t1/part-0-0.parquet");
    assert_eq!(desk.world.files("storage"), [of("first"), of("second")]);
    for _ in 0..2 {
        desk.node.forget("first".into()).await.unwrap();
        assert_eq!(desk.world.files("storage"), [of("second")]);
    }
    desk.node.forget("never".into()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mo_4_an_attempt_says_what_it_does() {
    let mut desk = Desk::new(NodeConfig::STALL_LIMIT).await;
    let spec = desk.world.attempt("run", 7, vec![extract("rows", "odd", "good")], Output::Boundary);
    desk.prepare(&spec).await;
    let filter = flowetl_proto::log::Filter::default();
    let query = flowetl_proto::log::Query { run: "run".into(), after: Default::default(), filter, limit: 100 };
    let page = desk.node.log(query.clone()).await.unwrap();
    let said = |begin: &str| {
        page.lines.iter().find(|line| line.message.starts_with(begin)).unwrap_or_else(|| panic!("{page:#?}"))
    };
    for begin in ["started: extract", "source opened: ", "planned: ", "all ", "finished: "] {
        assert_eq!(
            (said(begin).block.as_ref().unwrap().as_str(), said(begin).token),
            ("rows", Some(Token(7))),
            "{begin}"
        );
    }
    assert_eq!(said("finished").fields["rows_out"], ROWS.to_string());
    let again = flowetl_proto::log::Query { after: page.next.clone(), ..query };
    assert!(desk.node.log(again).await.unwrap().lines.is_empty());
}
