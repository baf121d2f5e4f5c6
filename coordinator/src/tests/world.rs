//! A world that outlives processes (targets, staging, boundaries), and an executor that works in it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use flowetl_proto::code::{Class, Failure};
use flowetl_proto::control::{
    AttemptEvent, AttemptEventKind, AttemptSpec, BoundaryFolder, Cost, Executor, Manifest, Meter, Output, Part,
    Position, Prepared, Segment, Severity, TestResult,
};
use flowetl_proto::id::{BlockId, RunId, Token};
use flowetl_proto::log::{Line, Page, Query};
use flowetl_proto::look::{FileState, Found, Inspector, NotFound, RowsForm, SegmentPlan};
use flowetl_proto::pipeline::{Block, ConnectionSpec, Pipeline, Reference, Unsealed};
use flowetl_proto::quarantine;
use flowetl_proto::tables::{Sample, Table};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::vault::Vault;

/// What every attempt uses.
pub(crate) const COST: Cost = Cost { cpu_ms: 1_500, peak_bytes: 7 << 20 };

/// How an attempt at a segment goes; asked by segment, used up first to last, then `Well`.
#[derive(Clone, Debug)]
pub(crate) enum Turn {
    Well,
    Fail(Class),
    /// Fails because it lost the executor at this address on the way.
    Lose(&'static str),
    FailTest,
    /// Ends only when cancelled.
    Hang,
    /// What was staged is gone when it is to be committed.
    LoseStaged,
    /// The commit fails before (false) or after (true) it was published.
    CommitFails {
        class: Class,
        published: bool,
    },
}

#[derive(Debug, Default)]
pub(crate) struct World {
    pub turns: BTreeMap<String, Vec<Turn>>,
    /// What the source holds up to; every read finds one more.
    pub source: i64,
    pub staged: BTreeSet<Token>,
    pub boundaries: BTreeSet<(RunId, Token)>,
    /// What was said of runs.
    pub lines: Vec<(RunId, Line)>,
    /// Rows that attempts have put aside.
    pub aside: Vec<(Token, quarantine::Row)>,
    /// What lies in object storage.
    pub folders: Vec<BoundaryFolder>,
    /// What it was told of runs that go on.
    pub retained: Vec<(BTreeSet<RunId>, Token)>,
    /// In the order it became visible.
    pub published: Vec<Published>,
    /// Segments started, in order.
    pub started: Vec<String>,
    /// Whom each of them was to leave out.
    pub avoided: Vec<Vec<String>>,
    pub cancelled: BTreeSet<Token>,
    /// The secrets that came with each start and commit.
    pub secrets: Vec<String>,
    /// A vault that is locked as soon as something was started.
    pub locks: Option<(Vault, String)>,
}

/// What one commit made visible.
#[derive(Clone, Debug)]
pub(crate) struct Published {
    pub block: BlockId,
    pub run: RunId,
    /// The rows, as the part `from..to` of the source that they came from.
    pub rows: Vec<String>,
    /// The positions stored beside them.
    pub carried: BTreeMap<BlockId, Position>,
}

#[derive(Clone)]
pub(crate) struct FakeExecutor {
    pub world: Arc<Mutex<World>>,
    events: mpsc::Sender<AttemptEvent>,
    /// Set when its process is to be taken for dead: it does nothing more.
    pub dead: Arc<AtomicBool>,
}

impl FakeExecutor {
    pub(crate) fn new(world: &Arc<Mutex<World>>) -> (Arc<Self>, mpsc::Receiver<AttemptEvent>) {
        let (events, receiver) = mpsc::channel(64);
        (Arc::new(Self { world: Arc::clone(world), events, dead: Arc::default() }), receiver)
    }

    fn act<T>(&self, act: impl FnOnce(&mut World) -> T) -> Option<T> {
        let mut world = self.world.lock().unwrap();
        (!self.dead.load(Ordering::SeqCst)).then(|| act(&mut world))
    }

    fn tell(&self, spec: &AttemptSpec, kind: AttemptEventKind) {
        self.tell_counts(spec, BTreeMap::new(), kind);
    }

    fn tell_counts(&self, spec: &AttemptSpec, blocks: BTreeMap<BlockId, Meter>, kind: AttemptEventKind) {
        let (run, segment, token) = (spec.id.run.clone(), spec.id.segment.clone(), spec.id.token);
        let event = AttemptEvent { cost: COST, blocks, ..AttemptEvent::new(run, segment, token, kind) };
        let events = self.events.clone();
        tokio::spawn(async move { events.send(event).await });
    }
}

fn failure(class: Class) -> Failure {
    Failure::new(class, format!("made to fail: {class}"))
}

#[async_trait]
impl Executor for FakeExecutor {
    async fn start(&self, spec: AttemptSpec) -> Result<(), Failure> {
        let token = spec.id.token;
        let id = spec.id.segment.as_str().to_owned();
        for input in &spec.segment.inputs {
            assert!(spec.inputs.contains_key(input), "`{id}` was started without the boundary of `{input}`");
        }
        let Some(turn) = self.act(|world| {
            world.started.push(id.clone());
            world.secrets.push(serde_json::to_string(&spec.secrets).unwrap());
            if let Some((vault, organization)) = world.locks.take() {
                vault.forget(&organization);
            }
            world.avoided.push(spec.avoided.iter().cloned().collect());
            assert!(world.staged.insert(token), "token {token} was used twice");
            let turns = world.turns.entry(id.clone()).or_default();
            if turns.is_empty() { Turn::Well } else { turns.remove(0) }
        }) else {
            return Ok(());
        };
        let meters = spec.segment.blocks.iter().map(|b| (b.id.clone(), Meter { rows_out: 3, ..Default::default() }));
        let meters = meters.collect::<BTreeMap<_, _>>();
        let progress = AttemptEventKind::Progress { stalled: None, standing: Vec::new() };
        self.tell_counts(&spec, meters.clone(), progress);
        let source = self.act(|world| {
            world.source += 1;
            world.source
        });
        let mut prepared = prepared(&spec, source.unwrap_or_default(), meters);
        match turn {
            Turn::Fail(class) => {
                self.tell(&spec, AttemptEventKind::Failed(failure(class)));
                return Ok(());
            }
            Turn::Lose(url) => {
                let lost = Failure { lost: Some(url.into()), ..failure(Class::LostExecutor) };
                self.tell(&spec, AttemptEventKind::Failed(lost));
                return Ok(());
            }
            Turn::Hang => return Ok(()),
            Turn::FailTest => prepared.tests = vec![failing_test(&spec)],
            Turn::LoseStaged => prepared.staged = Some(json!("lose")),
            Turn::CommitFails { class, published } => {
                prepared.staged = Some(json!({ "class": class, "published": published }));
            }
            Turn::Well => {}
        }
        self.tell(&spec, AttemptEventKind::Prepared(Box::new(prepared)));
        Ok(())
    }

    async fn commit(&self, spec: AttemptSpec, prepared: Prepared) -> Result<(), Failure> {
        let answer = self.act(|world| {
            world.secrets.push(serde_json::to_string(&spec.secrets).unwrap());
            let block = BlockId::new(spec.id.segment.as_str());
            if world.published.iter().any(|p| p.block == block && p.run == spec.id.run) {
                return AttemptEventKind::Committed;
            }
            let staged = prepared.staged.unwrap_or_default();
            if staged == "lose" || !world.staged.contains(&spec.id.token) {
                return AttemptEventKind::Lost;
            }
            let fails = staged.get("class").map(|c| serde_json::from_value::<Class>(c.clone()).unwrap());
            if let Some(class) = fails
                && !staged["published"].as_bool().unwrap()
                && world.cancelled.insert(spec.id.token)
            {
                return AttemptEventKind::Failed(failure(class));
            }
            world.staged.remove(&spec.id.token);
            let rows = prepared.manifest.iter().flat_map(|m| &m.parts).map(|p| p.uri.clone()).collect();
            let (run, carried) = (spec.id.run.clone(), spec.carried.clone());
            world.published.push(Published { block, run, rows, carried });
            match fails {
                Some(class) if staged["published"] == true => AttemptEventKind::Failed(failure(class)),
                _ => AttemptEventKind::Committed,
            }
        });
        if let Some(answer) = answer {
            self.tell(&spec, answer);
        }
        Ok(())
    }

    async fn discard(&self, spec: AttemptSpec) -> Result<(), Failure> {
        if self.act(|world| world.staged.remove(&spec.id.token)).is_some() {
            self.tell(&spec, AttemptEventKind::Discarded);
        }
        Ok(())
    }

    async fn forget(&self, run: RunId) -> Result<(), Failure> {
        self.act(|world| world.boundaries.retain(|(of, _)| *of != run));
        Ok(())
    }

    async fn boundaries(&self) -> Result<Vec<BoundaryFolder>, Failure> {
        Ok(self.act(|world| world.folders.clone()).unwrap_or_default())
    }

    async fn sweep(&self, folders: Vec<BoundaryFolder>) -> Result<(), Failure> {
        self.act(|world| world.folders.retain(|folder| !folders.contains(folder)));
        Ok(())
    }

    async fn log(&self, query: Query) -> Result<Page, Failure> {
        let lines = self.act(|world| world.lines.clone()).unwrap_or_default();
        let mut read = query.after.get("fake").copied().unwrap_or(0);
        let mut page = Page::default();
        for (run, line) in lines.into_iter().skip(read as usize) {
            if page.lines.len() == query.limit {
                page.has_more = true;
                break;
            }
            read += 1;
            page.lines.extend(Some(line).filter(|line| run == query.run && query.filter.takes(line)));
        }
        page.next = [("fake".to_owned(), read)].into();
        Ok(page)
    }

    async fn quarantined(&self, query: quarantine::Query) -> Result<quarantine::Page, Failure> {
        let aside = self.act(|world| world.aside.clone()).unwrap_or_default();
        let takes = |(token, row): &(Token, quarantine::Row)| {
            query.attempts.contains(token) && query.block.as_ref().is_none_or(|block| row.block == *block)
        };
        let mut rows: Vec<_> = aside.into_iter().filter(takes).map(|(_, row)| row).collect();
        let read = query.after.get("fake").copied().unwrap_or(0) as usize;
        rows.drain(..read.min(rows.len()));
        let has_more = rows.len() > query.limit;
        rows.truncate(query.limit);
        let next = [("fake".to_owned(), (read + rows.len()) as u64)].into();
        Ok(quarantine::Page { rows, next, has_more })
    }

    async fn sweep_logs(&self, before: RunId) -> Result<usize, Failure> {
        let sweep = |world: &mut World| {
            let count = world.lines.len();
            world.lines.retain(|(run, _)| *run >= before);
            count - world.lines.len()
        };
        Ok(self.act(sweep).unwrap_or_default())
    }

    async fn retain(&self, runs: BTreeSet<RunId>, until: Token) -> Result<(), Failure> {
        self.act(|world| world.retained.push((runs, until)));
        Ok(())
    }

    async fn cancel(&self, run: RunId, token: Token, _limit: Duration) -> Result<(), Failure> {
        let cancelled = AttemptEventKind::Failed(failure(Class::Cancelled));
        let event = AttemptEvent::new(run, "any".into(), token, cancelled);
        let events = self.events.clone();
        tokio::spawn(async move { events.send(event).await });
        Ok(())
    }
}

fn prepared(spec: &AttemptSpec, source: i64, blocks: BTreeMap<BlockId, Meter>) -> Prepared {
    let part = |uri| Part { uri, rows: 3, bytes: 30, crc: 7, note: Value::Null };
    let mut parts = spec.inputs.values().flat_map(|m| m.parts.clone()).collect::<Vec<_>>();
    let extracts = spec.segment.blocks.iter().filter(|b| b.settings.get("sync").is_some_and(|s| !s.is_null()));
    let extracts = extracts.collect::<Vec<_>>();
    for extract in &extracts {
        let from = spec.positions.get(&extract.id).map_or("0", |p| p.value.as_str());
        parts.push(part(format!("{from}..{source}")));
    }
    let all = spec.segment.blocks.iter().filter(|b| b.kind == "extract");
    let reads = |b: &Block| spec.schemas.get(&b.id).and_then(Value::as_i64).unwrap_or(0);
    let manifest = Manifest { schema: json!({}), parts };
    let position = Position { column: "n".into(), data_type: "Int64".into(), value: source.to_string() };
    Prepared {
        manifest: (spec.segment.output != Output::Verdict).then_some(manifest),
        staged: (spec.segment.output == Output::Sink).then(|| json!("staged")),
        tests: vec![],
        positions: extracts.iter().map(|b| (b.id.clone(), position.clone())).collect(),
        schemas: all.map(|b| (b.id.clone(), json!(reads(b) + 1))).collect(),
        schema_changes: vec![],
        blocks,
    }
}

fn failing_test(spec: &AttemptSpec) -> TestResult {
    TestResult {
        block: BlockId::new(spec.id.segment.as_str()),
        test: "unique(id)".into(),
        passed: false,
        failures: 2,
        severity: Severity::Error,
        samples: vec!["7".into(), "8".into()],
    }
}

/// Sees a failure wherever it looks.
pub(crate) struct Blind;

#[async_trait]
impl Inspector for Blind {
    async fn plan(
        &self,
        _: &Pipeline,
        _: &[Segment],
        _: &BTreeMap<BlockId, Value>,
        _: &Unsealed,
    ) -> Result<Vec<SegmentPlan>, Failure> {
        Err(failure(Class::User).in_block(&"orders".into()))
    }

    async fn preview(
        &self,
        _: &Pipeline,
        block: &BlockId,
        _: (usize, RowsForm),
        _: &Unsealed,
    ) -> Result<Vec<u8>, Failure> {
        Err(failure(Class::SourceTransient).in_block(block))
    }

    async fn test(&self, _: &str, _: &ConnectionSpec, _: &Unsealed) -> Result<Result<Found, NotFound>, Failure> {
        Err(failure(Class::LostExecutor))
    }

    async fn discover(
        &self,
        _: &str,
        _: &ConnectionSpec,
        _: &Unsealed,
        _: mpsc::Sender<Vec<Table>>,
    ) -> Result<(), Failure> {
        Err(failure(Class::LostExecutor))
    }

    async fn sample(&self, _: &ConnectionSpec, _: &Reference, _: usize, _: &Unsealed) -> Result<Sample, Failure> {
        Err(failure(Class::LostExecutor))
    }

    async fn files(&self, _: &ConnectionSpec, _: &Reference, _: &Unsealed) -> Result<Vec<FileState>, Failure> {
        Err(failure(Class::LostExecutor))
    }
}
