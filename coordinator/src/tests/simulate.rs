//! Runs from submission to the end, with everything that can go wrong on the way.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flowetl_proto::code::Class;
use flowetl_proto::control::{BoundaryFolder, Position};
use flowetl_proto::id::{BlockId, RunId, Token};
use flowetl_proto::pipeline::Pipeline;
use flowetl_proto::run::{BlockPhase, Options, Phase, RunView};
use futures::{StreamExt, TryStreamExt};
use tokio::time::{Instant, timeout};

use super::world::{COST, FakeExecutor, Turn, World};
use super::*;
use crate::lead::Tenure;
use crate::run::Surroundings;
use crate::run::tests::Crash;
use crate::vault::Keyring;
use crate::{Config, Coordinator, Error, Handle, Mail, remembered, sweep};

/// Far beyond what any run here takes, also on a busy machine.
pub(crate) const TEST_LIMIT: Duration = Duration::from_secs(60);

on_both!(
    succeeds,
    follows_to_the_end,
    nr_1_retries,
    stops_at_a_failed_test,
    cancels,
    survives_a_crash_anywhere,
    replays_an_unknown_commit,
    redoes_a_lost_commit,
    refuses_a_second_run,
    supersedes_a_changed_pipeline,
    continues_what_was_partly_appended,
    resumes_on_request,
    keeps_positions,
    keeps_schemas,
    forgets_old_boundaries,
    sweeps_what_nobody_refers_to,
    tells_which_runs_are_over,
    leaves_out_who_was_lost,
);

/// A process: a coordinator and its executor over a database and a world.
pub(crate) struct Process {
    pub handle: Handle,
    executor: Arc<FakeExecutor>,
}

impl Process {
    pub async fn start(database: &Database, world: &Arc<Mutex<World>>) -> Self {
        Self::start_with(database, world, None).await
    }

    /// One that sends mail.
    pub async fn start_with(database: &Database, world: &Arc<Mutex<World>>, mail: Option<Mail>) -> Self {
        Self::start_as(Config { mail, ..config(database) }, world).await
    }

    pub async fn start_as(config: Config, world: &Arc<Mutex<World>>) -> Self {
        let (executor, events) = FakeExecutor::new(world);
        let handle = Coordinator::open(config, executor.clone(), events).await.unwrap();
        Self { handle, executor }
    }

    async fn run(&self, pipeline: &Pipeline) -> (RunId, Arc<RunView>) {
        let run = self.handle.submit(pipeline.clone(), Options::default()).await.unwrap();
        (run.clone(), self.wait(&run).await.unwrap())
    }

    pub async fn wait(&self, run: &RunId) -> crate::Result<Arc<RunView>> {
        timeout(TEST_LIMIT, self.handle.wait(run)).await.expect("the run ends")
    }

    pub async fn die(self) {
        self.executor.dead.store(true, Ordering::SeqCst);
        self.handle.close().await;
    }
}

pub(crate) fn config(database: &Database) -> Config {
    let keyring = Keyring::in_file(database.home.path().join("vault.key"));
    let space = Some(storage(&database.home.path().join("storage")));
    Config { database_url: Some(database.url.clone()), keyring, space, ..Config::new(database.home.path()) }
}

pub(crate) fn world(turns: &[(&str, &[Turn])]) -> Arc<Mutex<World>> {
    let turns = turns.iter().map(|(id, turns)| (id.to_string(), turns.to_vec())).collect();
    Arc::new(Mutex::new(World { turns, ..Default::default() }))
}

/// An incremental extract, checked, into a load that appends and one that merges.
fn shop() -> Pipeline {
    let blocks = vec![
        incremental("orders"),
        sql("features", &["orders"]),
        test("checks", "features"),
        load("log", "features", "append"),
        load("table", "features", "merge"),
    ];
    pipeline("shop", blocks)
}

fn published(world: &Mutex<World>) -> Vec<String> {
    let mut blocks = world.lock().unwrap().published.iter().map(|p| p.block.to_string()).collect::<Vec<_>>();
    blocks.sort();
    blocks
}

async fn position(process: &Process) -> Option<String> {
    process.handle.positions(Some("shop")).await.unwrap().first().map(|row| row.position.value.clone())
}

/// Each target of a pipeline got every row of the source once, as far as the stored position says.
async fn check_rows(process: &Process, world: &Mutex<World>, pipeline: &str) {
    let position = process.handle.positions(Some(pipeline)).await.unwrap().remove(0).position;
    for target in ["log", "table"] {
        let mut reached = "0".to_owned();
        for published in world.lock().unwrap().published.iter().filter(|p| p.block.as_str() == target) {
            let (from, to) = published.rows[0].split_once("..").unwrap();
            assert_eq!(
                (from, published.rows.len()),
                (reached.as_str(), 1),
                "rows missing from or doubled in `{target}`"
            );
            assert_eq!(published.carried["orders"].value, to);
            reached = to.to_owned();
        }
        assert_eq!(reached, position.value, "`{target}`");
    }
}

async fn succeeds(database: &Database) {
    let world = world(&[]);
    let process = Process::start(database, &world).await;
    let (run, view) = process.run(&shop()).await;
    assert_eq!((view.state, &view.error), (Phase::Success, &None));
    assert_eq!(published(&world), ["log", "table"]);
    assert_eq!(world.lock().unwrap().started[..2], ["features", "checks"]);
    check_rows(&process, &world, "shop").await;
    assert_eq!(view.blocks["orders"].rows_out, 3);
    assert!(view.blocks.values().all(|b| b.state == BlockPhase::Success && b.attempts == 1));
    assert_eq!(process.handle.run(&run).await.unwrap().blocks["table"].state, BlockPhase::Success);
    let kinds = process.handle.events(&run).await.unwrap().into_iter().map(|e| e.kind).collect::<Vec<_>>();
    assert_eq!((kinds[0].as_str(), kinds.last().unwrap().as_str()), ("begun", "committed"));
    let json = serde_json::to_value(&*view).unwrap();
    assert_eq!(json["state"], "success");
    assert!(json["started_at"].as_str().unwrap().ends_with('Z'));
}

async fn follows_to_the_end(database: &Database) {
    let process = Process::start(database, &world(&[])).await;
    let run = process.handle.submit(shop(), Options::default()).await.unwrap();
    let views = process.handle.follow(&run).await.unwrap().try_collect::<Vec<_>>();
    let views = timeout(TEST_LIMIT, views).await.unwrap().unwrap();
    assert_eq!(views.last().unwrap().state, Phase::Success);
    let again = process.handle.follow(&run).await.unwrap().collect::<Vec<_>>().await;
    assert_eq!(again.len(), 1);
}

async fn nr_1_retries(database: &Database) {
    let transient = Turn::Fail(Class::SourceTransient);
    let world = world(&[("features", &[transient.clone(), transient.clone()]), ("log", &[Turn::Fail(Class::Stalled)])]);
    let process = Process::start(database, &world).await;
    let (run, view) = process.run(&shop()).await;
    assert_eq!(view.state, Phase::Success);
    assert_eq!((view.blocks["orders"].attempts, view.blocks["log"].attempts), (3, 2));
    let attempts: u32 = view.segments.values().map(|segment| segment.attempts).sum();
    let stored = process.handle.run(&run).await.unwrap();
    for view in [&*view, &stored] {
        // What failed was used all the same.
        assert_eq!(view.cpu_seconds, f64::from(attempts) * 1.5);
        assert_eq!(view.peak_memory_bytes, COST.peak_bytes);
    }
    assert_eq!(world.lock().unwrap().staged.len(), 2, "only the winners of boundary and test are left");

    world.lock().unwrap().turns.insert("features".into(), vec![transient; 3]);
    let (_, view) = process.run(&shop()).await;
    assert_eq!(view.state, Phase::Failed);
    assert_eq!(view.error.as_ref().unwrap().class, Class::SourceTransient);
    assert_eq!(view.blocks["log"].state, BlockPhase::Skipped);
}

async fn stops_at_a_failed_test(database: &Database) {
    let world = world(&[("checks", &[Turn::FailTest])]);
    let process = Process::start(database, &world).await;
    let (run, view) = process.run(&shop()).await;
    let error = view.error.clone().unwrap();
    assert_eq!((view.state, error.class, error.block), (Phase::Failed, Class::DataTest, Some("checks".into())));
    assert_eq!(error.message, "test `unique(id)` of `checks` failed for 2 rows, such as `7`, `8`");
    assert_eq!(published(&world), [""; 0]);
    assert_eq!(view.tests.len(), 1);
    assert_eq!(process.handle.run(&run).await.unwrap().tests, view.tests);
    assert_eq!(position(&process).await, None);
}

async fn cancels(database: &Database) {
    let world = world(&[("features", &[Turn::Hang])]);
    let process = Process::start(database, &world).await;
    let run = process.handle.submit(shop(), Options::default()).await.unwrap();
    process.handle.cancel(&run).await.unwrap();
    let view = process.wait(&run).await.unwrap();
    assert_eq!(view.state, Phase::Cancelled);
    assert_eq!(view.error.as_ref().unwrap().class, Class::Cancelled);
    assert!(world.lock().unwrap().staged.is_empty());
    process.handle.cancel(&run).await.expect("what has ended needs no cancelling");
    assert!(matches!(process.handle.cancel(&RunId::new("none")).await, Err(Error::NoRun(_))));
}

/// Dies after every written decision in turn, before and after its commands are performed, and goes on.
async fn survives_a_crash_anywhere(database: &Database) {
    for perform in [false, true] {
        for saves in 0.. {
            let world = world(&[("features", &[Turn::Fail(Class::SourceTransient)])]);
            let mut pipeline = shop();
            pipeline.name = format!("shop-{perform}-{saves}");
            let process = Process::start(database, &world).await;
            *process.handle.inner.around.crash.lock().unwrap() = Some(Crash { saves, perform });
            let run = process.handle.submit(pipeline.clone(), Options::default()).await.unwrap();
            let crashed = process.wait(&run).await.is_err();
            process.die().await;

            // The next process may die as well, a few writes later.
            let process = Process::start(database, &world).await;
            *process.handle.inner.around.crash.lock().unwrap() = Some(Crash { saves: saves % 4, perform: !perform });
            if crashed && let Ok(run) = process.handle.submit(pipeline.clone(), Options::default()).await {
                let _ = process.wait(&run).await;
            }
            process.die().await;

            let process = Process::start(database, &world).await;
            let (again, view) = process.run(&pipeline).await;
            assert_eq!(view.state, Phase::Success, "after {saves} writes: {:?}", view.error);
            if !crashed {
                assert_ne!(run, again);
                assert!(saves > 6, "a run of three segments writes more often than that");
                break;
            }
            // A run whose last decision was written had ended; every other is continued.
            let rows = process.handle.runs().await.unwrap();
            let of_this = rows.iter().filter(|r| r.pipeline == pipeline.name).count();
            assert_eq!(published(&world).len(), 2 * of_this, "after {saves} writes");
            assert!(of_this == 1 || process.handle.run(&run).await.unwrap().state == Phase::Success);
            process.run(&pipeline).await;
            check_rows(&process, &world, &pipeline.name).await;
            let winners = 2 * (of_this + 1);
            assert_eq!(world.lock().unwrap().staged.len(), winners, "after {saves} writes: staging was left");
            process.handle.clone().close().await;
        }
    }
}

async fn replays_an_unknown_commit(database: &Database) {
    for published_before in [false, true] {
        let turn = Turn::CommitFails { class: Class::SinkTransient, published: published_before };
        let world = world(&[("table", &[turn])]);
        let process = Process::start(database, &world).await;
        let (_, view) = process.run(&shop()).await;
        assert_eq!((view.state, view.blocks["table"].attempts), (Phase::Success, 1));
        assert_eq!(published(&world), ["log", "table"]);
    }
}

async fn redoes_a_lost_commit(database: &Database) {
    let world = world(&[("table", &[Turn::LoseStaged])]);
    let process = Process::start(database, &world).await;
    let (_, view) = process.run(&shop()).await;
    assert_eq!((view.state, view.blocks["table"].attempts), (Phase::Success, 2));
    assert_eq!(published(&world), ["log", "table"]);
}

async fn refuses_a_second_run(database: &Database) {
    let world = world(&[("features", &[Turn::Hang])]);
    let process = Process::start(database, &world).await;
    let run = process.handle.submit(shop(), Options::default()).await.unwrap();
    let second = process.handle.submit(shop(), Options::default()).await.unwrap_err();
    assert_eq!(second.to_string(), format!("pipeline `shop` is already running as run `{run}`"));
    process.handle.cancel(&run).await.unwrap();
    process.wait(&run).await.unwrap();
}

async fn supersedes_a_changed_pipeline(database: &Database) {
    let world = world(&[("table", &[Turn::Hang])]);
    let process = Process::start(database, &world).await;
    // Dies with `log` being committed or done and `table` hanging.
    *process.handle.inner.around.crash.lock().unwrap() = Some(Crash { saves: 3, perform: true });
    let run = process.handle.submit(shop(), Options::default()).await.unwrap();
    process.wait(&run).await.unwrap_err();
    process.die().await;

    let mut changed = shop();
    changed.memory = None;
    let process = Process::start(database, &world).await;
    let (second, view) = process.run(&changed).await;
    assert_ne!(run, second);
    assert_eq!(view.state, Phase::Success);
    let first = process.handle.run(&run).await.unwrap();
    assert_eq!(first.state, Phase::Failed);
    assert!(first.error.unwrap().message.starts_with("superseded"));
    assert!(matches!(process.handle.resume(&run).await, Err(Error::NotResumable { .. })));
}

async fn continues_what_was_partly_appended(database: &Database) {
    let world = world(&[("table", &[Turn::Fail(Class::User)])]);
    let mut pipeline = shop();
    // One at a time, so that the append is committed before the merge fails.
    pipeline.blocks["table"].after = vec!["log".into()];
    let process = Process::start(database, &world).await;
    let (run, view) = process.run(&pipeline).await;
    assert_eq!((view.state, view.published.as_slice()), (Phase::Failed, &["log".into()][..]));
    assert_eq!(position(&process).await, None);
    let (again, view) = process.run(&pipeline).await;
    assert_eq!((again, view.state, view.continued), (run, Phase::Success, true));
    assert_eq!(published(&world), ["log", "table"]);
    process.run(&pipeline).await;
    check_rows(&process, &world, "shop").await;
}

async fn resumes_on_request(database: &Database) {
    let world = world(&[("checks", &[Turn::Fail(Class::User)])]);
    let process = Process::start(database, &world).await;
    let (run, view) = process.run(&shop()).await;
    assert_eq!(view.state, Phase::Failed);
    process.handle.resume(&run).await.unwrap();
    assert_eq!(process.wait(&run).await.unwrap().state, Phase::Success);
    let started = world.lock().unwrap().started.iter().filter(|s| *s == "features").count();
    assert_eq!(started, 1, "the committed boundary is used again");
    assert!(matches!(process.handle.resume(&run).await, Err(Error::NotResumable { .. })));
    let options = Options { resume: Some(RunId::new("none")), ..Default::default() };
    assert!(matches!(process.handle.submit(shop(), options).await, Err(Error::NoRun(_))));
}

async fn keeps_positions(database: &Database) {
    let process = Process::start(database, &world(&[])).await;
    process.run(&shop()).await;
    let block = BlockId::new("orders");
    let to = Position { column: "n".into(), data_type: "Int64".into(), value: "17".into() };
    process.handle.set_position("shop", &block, Some(&to)).await.unwrap();
    assert_eq!(position(&process).await.as_deref(), Some("17"));
    process.handle.set_position("shop", &block, None).await.unwrap();
    assert_eq!(position(&process).await, None);
    let options = Options { until: Some("features".into()), ..Default::default() };
    let run = process.handle.submit(shop(), options).await.unwrap();
    let view = process.wait(&run).await.unwrap();
    assert_eq!(view.blocks.keys().map(|b| b.as_str()).collect::<Vec<_>>(), ["orders", "features", "checks"]);
    assert_eq!(position(&process).await, None, "nothing was loaded");
}

async fn keeps_schemas(database: &Database) {
    // Each read makes one more of the schema that it was given.
    let world = world(&[]);
    assert_eq!(remembered(&config(database), "shop").await.unwrap(), [].into(), "nothing is made by looking");
    let process = Process::start(database, &world).await;
    let known = async || process.handle.store().schemas("shop").await.unwrap().remove("orders");
    process.run(&shop()).await;
    assert_eq!(known().await, Some(json!(1)));
    process.run(&shop()).await;
    assert_eq!(known().await, Some(json!(2)));
    world.lock().unwrap().turns.insert("log".into(), vec![Turn::Fail(Class::User)]);
    let (run, view) = process.run(&shop()).await;
    assert_eq!((view.state, known().await), (Phase::Failed, Some(json!(2))));
    process.handle.resume(&run).await.unwrap();
    process.wait(&run).await.unwrap();
    assert_eq!(known().await, Some(json!(3)));
    let options = Options { full_refresh: true, ..Default::default() };
    let run = process.handle.submit(shop(), options).await.unwrap();
    process.wait(&run).await.unwrap();
    assert_eq!(known().await, Some(json!(1)), "a full refresh takes the source as it is");
    let expected = [("orders".into(), json!(1))].into();
    assert_eq!(remembered(&config(database), "shop").await.unwrap(), expected);
}

async fn forgets_old_boundaries(database: &Database) {
    let world = world(&[]);
    let process = Process::start(database, &world).await;
    let mut runs = Vec::new();
    for _ in 0..3 {
        let (run, _) = process.run(&shop()).await;
        world.lock().unwrap().boundaries.insert((run.clone(), flowetl_proto::id::Token(0)));
        runs.push(run);
    }
    let kept =
        process.handle.store().runs().await.unwrap().into_iter().filter(|r| r.kept).map(|r| r.id).collect::<Vec<_>>();
    assert_eq!(kept, [runs[2].clone()]);
    assert_eq!(world.lock().unwrap().boundaries.iter().map(|(run, _)| run).collect::<Vec<_>>(), [&runs[2]]);
}

async fn sweeps_what_nobody_refers_to(database: &Database) {
    const HOUR_MS: u64 = 3_600_000;
    let world = world(&[("log", &[Turn::Fail(Class::User)])]);
    let process = Process::start(database, &world).await;
    let around = &process.handle.inner.around;
    let (failed, view) = process.run(&shop()).await;
    assert_eq!(view.state, Phase::Failed);
    let token = |run: RunId| async move {
        let attempts = process_attempts(around, &run).await;
        attempts.into_iter().find(|(segment, _)| segment == "features").unwrap().1
    };
    let of_failed = token(failed.clone()).await;
    let folder = |run: &RunId, token: i64, age_ms| BoundaryFolder {
        run: run.clone(),
        segment: "features".into(),
        token: Token(token),
        age_ms,
    };
    let unknown = RunId::new("unknown");
    let planted = vec![
        folder(&failed, of_failed.0, 9 * HOUR_MS),
        // Of an attempt that was given up and wrote on.
        folder(&failed, 1_000_000, HOUR_MS),
        folder(&failed, 1_000_001, HOUR_MS - 1),
        folder(&unknown, 1, 9 * HOUR_MS),
    ];
    world.lock().unwrap().folders = planted.clone();
    assert_eq!(sweep::sweep_once(around).await, Ok(1));
    let left = || world.lock().unwrap().folders.clone();
    assert_eq!(
        left(),
        [planted[0].clone(), planted[2].clone(), planted[3].clone()],
        "another home may know the unknown"
    );

    // What may be resumed keeps its boundaries, whatever came of it; then the next run takes its place.
    process.handle.resume(&failed).await.unwrap();
    process.wait(&failed).await.unwrap();
    assert_eq!(sweep::sweep_once(around).await, Ok(0));
    let (next, _) = process.run(&shop()).await;
    let of_next = token(next.clone()).await;
    world.lock().unwrap().folders.push(folder(&next, of_next.0, 9 * HOUR_MS));
    assert_eq!(sweep::sweep_once(around).await, Ok(1));
    assert_eq!(left(), [planted[2].clone(), planted[3].clone(), folder(&next, of_next.0, 9 * HOUR_MS)]);

    // A cluster has object storage of its own.
    let (executor, events) = FakeExecutor::new(&world);
    let tenure = Some(Tenure::new(1, Instant::now() + TEST_LIMIT));
    let leader = Coordinator::open(Config { tenure, ..config(database) }, executor, events).await.unwrap();
    assert_eq!(sweep::sweep_once(&leader.inner.around).await, Ok(1));
    assert_eq!(left(), [planted[2].clone(), folder(&next, of_next.0, 9 * HOUR_MS)]);
    leader.close().await;
}

/// The attempts of a run with their segments.
async fn process_attempts(around: &Arc<Surroundings>, run: &RunId) -> Vec<(String, Token)> {
    let stored = around.store.load(run).await.unwrap();
    stored.attempts.into_iter().map(|attempt| (attempt.segment.to_string(), attempt.token)).collect()
}

async fn tells_which_runs_are_over(database: &Database) {
    let world = world(&[("features", &[Turn::Well, Turn::Hang])]);
    let process = Process::start(database, &world).await;
    let around = &process.handle.inner.around;
    process.run(&shop()).await;
    let going = process.handle.submit(shop(), Options::default()).await.unwrap();
    let until = sweep::retain_once(around, None).await.unwrap();
    assert!(world.lock().unwrap().retained.is_empty(), "nobody knows yet who has taken which token");
    let newest = process_attempts(around, &going).await.last().unwrap().1;
    assert!(newest <= until, "{newest} was taken before {until}");
    sweep::retain_once(around, Some(until)).await.unwrap();
    assert_eq!(world.lock().unwrap().retained, [([going.clone()].into(), until)]);
    process.handle.cancel(&going).await.unwrap();
    process.wait(&going).await.unwrap();
}

async fn leaves_out_who_was_lost(database: &Database) {
    let world = world(&[("features", &[Turn::Lose("http://a"), Turn::Lose("http://b")])]);
    let process = Process::start(database, &world).await;
    let (_, view) = process.run(&shop()).await;
    assert_eq!((view.state, view.blocks["orders"].attempts), (Phase::Success, 3));
    let avoided: Vec<_> = world.lock().unwrap().avoided.iter().map(|urls| urls.join(" ")).collect();
    assert_eq!(
        avoided,
        ["", "http://a", "http://a http://b", "", "", ""],
        "only attempts of that segment leave them out"
    );
}
