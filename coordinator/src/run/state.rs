//! What a run knows of itself: its segments, their attempts, and what it still waits for.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use flowetl_proto::code::Failure;
use flowetl_proto::control::{Cost, Meter, Output, Position, Prepared, Segment, Standing};
use flowetl_proto::id::{BlockId, RunId, SegmentId, Token};
use flowetl_proto::pipeline::{Block, Pipeline};
use flowetl_proto::run::{Phase, RunOptions};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cut;

/// Where a segment stands.
///
/// ```text
/// pending ─► running ─► committing ─► committed        committing is the point of no return: the target may have
///    │          │ ▲          │ lost or refused          published, so the commit is asked for again until it answers
///    │          ▼ │          ▼
///    │      retry_wait ◄─────┘
///    ▼          ▼
/// skipped   failed | cancelled
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SegmentPhase {
    Pending,
    Running,
    RetryWait,
    Committing,
    Committed,
    Failed,
    Cancelled,
    Skipped,
}

#[derive(Clone, Debug)]
pub struct SegmentState {
    pub spec: Segment,
    pub phase: SegmentPhase,
    /// Attempts that failed and were counted, since the run was started or resumed.
    pub failures: u32,
    pub next_try_at: Option<i64>,
    pub winner: Option<Token>,
}

/// Where an attempt stands: `running` until it is prepared, `committing` while its target is asked to publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptPhase {
    Running,
    Committing,
    Won,
    Failed,
    Cancelled,
    /// Its process went away, or what it had prepared did.
    Lost,
}

/// What is known of an attempt's staging.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discard {
    /// It is still wanted.
    Not,
    /// Asked for; waited for until this time.
    Until(i64),
    Done,
    /// Nobody answered in time: left to the next run of the pipeline.
    GivenUp,
}

/// What is known of an attempt's commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commit {
    Asked,
    /// The answer was no answer: asked again at this time.
    Again(i64),
    /// Left to the next run of the pipeline.
    GivenUp,
}

#[derive(Clone, Debug)]
pub struct AttemptState {
    pub segment: SegmentId,
    /// 1 for the segment's first.
    pub number: u32,
    pub phase: AttemptPhase,
    /// The id of the executor that works on it, once it has told something; `None` where that is this process.
    pub executor: Option<String>,
    pub failure: Option<Failure>,
    pub prepared: Option<Prepared>,
    pub started_at: i64,
    pub ended_at: Option<i64>,
    pub discard: Discard,
    pub commit: Commit,
    pub commit_failures: u32,
    /// What it has used, as far as it was told.
    pub cost: Cost,
    /// What its blocks have counted, as far as it was told; `prepared` has the last word.
    pub counted: BTreeMap<BlockId, Meter>,
    pub stalled: Option<String>,
    pub standing: Vec<Standing>,
}

impl AttemptState {
    pub fn new(segment: SegmentId, number: u32, now: i64) -> Self {
        Self {
            segment,
            number,
            phase: AttemptPhase::Running,
            executor: None,
            failure: None,
            prepared: None,
            started_at: now,
            ended_at: None,
            discard: Discard::Not,
            commit: Commit::Asked,
            commit_failures: 0,
            cost: Cost::default(),
            counted: BTreeMap::new(),
            stalled: None,
            standing: Vec::new(),
        }
    }

    /// It moves again, or has ended.
    pub fn moves(&mut self) {
        self.stalled = None;
        self.standing = Vec::new();
    }

    /// Whether something is still to be heard of it.
    pub fn is_awaited(&self) -> bool {
        let committing = self.phase == AttemptPhase::Committing && self.commit != Commit::GivenUp;
        self.phase == AttemptPhase::Running || committing || matches!(self.discard, Discard::Until(_))
    }
}

/// How a run is shown that needs a locked vault.
pub const WAITING_FOR_UNLOCK: &str = "waiting for unlock";

/// How a run is shown whose turn has not come.
pub const QUEUED: &str = "queued";

/// A run as its brain sees it.
#[derive(Clone, Debug)]
pub struct RunState {
    pub id: RunId,
    pub pipeline: Pipeline,
    pub hash: String,
    pub options: RunOptions,
    pub phase: Phase,
    pub failure: Option<Failure>,
    pub term: i64,
    pub seq: i64,
    pub created_at: i64,
    pub started_at: i64,
    pub finished_at: Option<i64>,
    /// Whether an earlier process had begun it.
    pub continued: bool,
    /// Segments that may be under way at once.
    pub parallel_segments: usize,
    /// Where incremental extracts start.
    pub starts: BTreeMap<BlockId, Position>,
    /// What extracts read last.
    pub schemas: BTreeMap<BlockId, Value>,
    /// In topological order.
    pub segments: IndexMap<SegmentId, SegmentState>,
    pub attempts: BTreeMap<Token, AttemptState>,
    /// Fresh tokens, smallest first.
    pub tokens: VecDeque<Token>,
    /// When an ending run stops waiting.
    pub hard_stop_at: Option<i64>,
    /// Whether a vault that its connections need is locked: nothing is started until it is open.
    pub locked: bool,
    /// Whether it waits for its turn among others: nothing is started until it comes.
    pub queued: bool,
    /// Which extracts feed each sink, over all segments.
    pub fed_by: BTreeMap<SegmentId, BTreeSet<BlockId>>,
}

impl RunState {
    /// The winner's output of a committed segment.
    pub fn won(&self, segment: &str) -> Option<&Prepared> {
        let winner = self.segments.get(segment)?.winner?;
        self.attempts.get(&winner)?.prepared.as_ref()
    }

    pub fn is_committed(&self, segment: &SegmentId) -> bool {
        self.segments.get(segment).is_some_and(|s| s.phase == SegmentPhase::Committed)
    }

    /// The sinks that an extract feeds.
    pub fn fed_sinks<'a>(&'a self, extract: &'a BlockId) -> impl Iterator<Item = &'a SegmentId> {
        self.fed_by.iter().filter(move |(_, extracts)| extracts.contains(extract)).map(|(sink, _)| sink)
    }

    /// What the run waits for as a whole, where it is that.
    pub fn waiting(&self) -> Option<&'static str> {
        let waits = match () {
            () if self.queued => QUEUED,
            () if self.locked => WAITING_FOR_UNLOCK,
            () => return None,
        };
        (self.phase == Phase::Running).then_some(waits)
    }

    /// Whether beginning anew would append rows a second time: an incremental extract has not moved, because some sink
    /// behind it is missing, while another has appended its rows already.
    pub fn is_partly_appended(&self) -> bool {
        let extracts = self.fed_by.values().flatten().collect::<BTreeSet<_>>();
        let mut incremental =
            extracts.into_iter().filter(|id| self.pipeline.blocks.get(*id).is_some_and(is_incremental));
        incremental.any(|extract| {
            let missing = self.fed_sinks(extract).any(|sink| !self.is_committed(sink));
            let appended = self.fed_sinks(extract).any(|sink| self.is_committed(sink) && self.appends(sink));
            missing && appended
        })
    }

    fn appends(&self, sink: &SegmentId) -> bool {
        let block = self.pipeline.blocks.get(sink.as_str());
        block.and_then(|b| b.settings.get("write")).is_some_and(|write| write == "append")
    }

    /// The next time at which something happens by itself.
    pub fn next_wake(&self) -> Option<i64> {
        if self.phase.is_terminal() {
            return None;
        }
        let discards = self.attempts.values().filter_map(|a| match a.discard {
            Discard::Until(at) => Some(at),
            _ => None,
        });
        let commits = self.attempts.values().filter_map(|a| match (a.phase, a.commit) {
            (AttemptPhase::Committing, Commit::Again(at)) => Some(at),
            _ => None,
        });
        let waiting = self.segments.values().filter(|s| s.phase == SegmentPhase::RetryWait);
        let may_start = self.phase == Phase::Running && !self.locked && !self.queued;
        let retries = waiting.filter_map(|s| s.next_try_at).filter(|_| may_start);
        discards.chain(commits).chain(retries).chain(self.hard_stop_at).min()
    }
}

/// Whether a block reads incrementally.
pub fn is_incremental(block: &Block) -> bool {
    block.settings.get("sync").is_some_and(|sync| !sync.is_null())
}

/// Which extracts feed each sink.
pub fn fed_by(pipeline: &Pipeline, segments: &[Segment]) -> BTreeMap<SegmentId, BTreeSet<BlockId>> {
    let mut fed = BTreeMap::new();
    for segment in segments.iter().filter(|s| s.output == Output::Sink) {
        let block = BlockId::new(segment.id.as_str());
        let behind = cut::closure(pipeline, &block);
        let extracts = behind.into_iter().filter(|id| pipeline.blocks.get(*id).is_some_and(|b| b.kind == "extract"));
        fed.insert(segment.id.clone(), extracts.cloned().collect());
    }
    fed
}
