//! A run's state as rows, and rows as state.

use std::collections::BTreeMap;
use std::ops::Range;

use flowetl_proto::control::{Cost, Output, Position, Segment};
use flowetl_proto::id::{BlockId, RunId, SegmentId, Token};
use flowetl_proto::pipeline::{Pipeline, Reference};
use flowetl_proto::run::{Phase, RunEvent, RunOptions};
use indexmap::IndexMap;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::machine::{Changes, Event};
use super::state::{AttemptPhase, AttemptState, Discard, RunState, SegmentPhase, SegmentState, fed_by};
use super::view::{meter, newest, view};
use crate::files::among_files;
use crate::store::{
    AttemptRow, CommitState, Loaded, News, Record, RunRow, SegmentRow, SinkCommit, Stored, Totals, Written,
};
use crate::{Error, Result, cut};

/// What a new run is made of.
pub(crate) struct NewRun {
    pub id: RunId,
    pub pipeline: Pipeline,
    pub hash: String,
    pub options: RunOptions,
    pub starts: BTreeMap<BlockId, Position>,
    pub schemas: BTreeMap<BlockId, Value>,
    pub parallel_segments: usize,
    /// Whether a vault that its connections need is locked.
    pub locked: bool,
    /// Whether it waits for its turn.
    pub queued: bool,
    pub now: i64,
}

impl RunState {
    /// A run that has not begun.
    pub(crate) fn new(new: NewRun, term: i64, tokens: Range<i64>) -> Self {
        let segments = cut::cut(&new.pipeline);
        Self {
            fed_by: fed_by(&new.pipeline, &segments),
            segments: segments.into_iter().map(|s| (s.id.clone(), SegmentState::new(s))).collect(),
            id: new.id,
            pipeline: new.pipeline,
            hash: new.hash,
            options: new.options,
            phase: Phase::Running,
            failure: None,
            term,
            seq: 0,
            created_at: new.now,
            started_at: new.now,
            finished_at: None,
            continued: false,
            parallel_segments: new.parallel_segments,
            starts: new.starts,
            schemas: new.schemas,
            attempts: BTreeMap::new(),
            tokens: tokens.map(Token).collect(),
            hard_stop_at: None,
            locked: new.locked,
            queued: new.queued,
        }
    }

    /// A run as it was stored last. It has no tokens: it can be looked at, and settled, but starts nothing.
    pub(crate) fn stored(stored: Stored) -> Result<Self> {
        let run = stored.run;
        let mut segments = IndexMap::new();
        for row in stored.segments {
            segments.insert(row.spec.id.clone(), SegmentState::stored(row)?);
        }
        let mut attempts = BTreeMap::new();
        for row in stored.attempts {
            attempts.insert(row.token, AttemptState::stored(row)?);
        }
        let specs = segments.values().map(|s| s.spec.clone()).collect::<Vec<Segment>>();
        Ok(Self {
            fed_by: fed_by(&stored.pipeline, &specs),
            pipeline: stored.pipeline,
            segments,
            attempts,
            id: run.id,
            hash: run.hash,
            options: run.options,
            phase: run.state,
            failure: run.failure,
            term: run.term,
            seq: run.seq,
            created_at: run.created_at,
            started_at: run.started_at,
            finished_at: run.finished_at,
            continued: run.started_at > run.created_at,
            parallel_segments: 1,
            starts: BTreeMap::new(),
            schemas: BTreeMap::new(),
            tokens: [].into(),
            hard_stop_at: None,
            locked: false,
            queued: run.queued,
        })
    }

    /// The rows that a decision changed, under the next event's number.
    pub(crate) fn record(&mut self, changes: Changes, (kind, detail): (&str, Value), now: i64) -> Record {
        self.seq += 1;
        let news = self.news(&changes, kind, now);
        let visible = self.visible(&changes);
        let loaded = visible.iter().filter_map(|(commit, to)| self.loaded(commit, to)).collect();
        let written = visible.iter().filter_map(|(_, to)| self.written(to)).collect();
        let place = |id: &SegmentId| self.segments.get_index_of(id).unwrap_or_default() as i64;
        let segments = changes.segments.iter().map(|id| self.segments[id].row(place(id)));
        let attempts = changes.attempts.iter().map(|token| self.attempts[token].row(*token));
        Record {
            segments: segments.collect(),
            attempts: attempts.collect(),
            sink_commits: changes.sink_commits,
            loaded,
            written,
            positions: changes.positions.into_iter().collect(),
            schemas: changes.schemas.into_iter().collect(),
            event: RunEvent { seq: self.seq, at: now, kind: kind.to_owned(), detail },
            run: self.row(),
            news,
        }
    }

    /// The targets that are visible by what a decision has heard.
    fn visible<'c>(&self, changes: &'c Changes) -> Vec<(&'c SinkCommit, Reference)> {
        let done = changes.sink_commits.iter().filter(|commit| commit.state == CommitState::Done);
        let target = |commit: &SinkCommit| {
            serde_json::from_value(self.pipeline.blocks.get(&commit.block)?.settings.get("to")?.clone()).ok()
        };
        done.filter_map(|commit| Some((commit, target(commit)?))).collect()
    }

    fn loaded(&self, commit: &SinkCommit, to: &Reference) -> Option<Loaded> {
        let Reference::Table { connection, schema, table } = to.clone() else { return None };
        let block = self.pipeline.blocks.get(&commit.block)?;
        let attempt = self.attempts.get(&commit.token).filter(|_| block.kind == "load");
        let rows = attempt.map(|attempt| meter(attempt, &block.id).rows_out);
        Some(Loaded { connection, schema, table, rows })
    }

    fn written(&self, to: &Reference) -> Option<Written> {
        let Reference::Path { connection, path, .. } = to else { return None };
        let (organization, spot) = among_files(&self.pipeline.connections.get(connection)?.path, path)?;
        Some(Written { organization, spot })
    }

    /// What whoever watches is told of a decision; nothing where neither the run nor a block is another than before, nor of a
    /// run that had ended before and is only tidied up.
    fn news(&self, changes: &Changes, cause: &str, now: i64) -> Option<News> {
        let is_changed = changes.run || changes.stalled || !changes.segments.is_empty();
        if !is_changed || self.finished_at.is_some_and(|at| at != now) {
            return None;
        }
        let kind = match cause {
            _ if self.phase.is_terminal() => "run.ended",
            "begun" => "run.started",
            _ if changes.stalled => "run.stalled",
            _ => "run.changed",
        };
        let mut blocks = view(self, now).blocks;
        blocks.retain(|_, block| changes.segments.contains(&block.segment));
        let blocks: IndexMap<_, _> = blocks.into_iter().map(|(id, block)| (id, block.state)).collect();
        let error = self.failure.as_ref().map(|failure| &failure.message);
        let mut detail =
            json!({ "pipeline": self.pipeline.name, "state": self.phase, "blocks": blocks, "error_message": error });
        if changes.stalled {
            detail["stalled"] = json!(self.attempts.values().rev().find_map(|attempt| attempt.stalled.as_ref()));
        }
        Some(News { kind: kind.to_owned(), subject: self.id.to_string(), detail, at: now })
    }

    fn row(&self) -> RunRow {
        RunRow {
            id: self.id.clone(),
            pipeline: self.pipeline.name.clone(),
            hash: self.hash.clone(),
            options: self.options,
            state: self.phase,
            failure: self.failure.clone(),
            term: self.term,
            seq: self.seq,
            created_at: self.created_at,
            started_at: self.started_at,
            finished_at: self.finished_at,
            queued: self.queued,
            kept: self.segments.values().any(|s| s.spec.output == Output::Boundary),
            totals: self.totals(),
        }
    }

    /// What it has moved and used, as far as it is known. Rows are loaded once they are visible.
    pub(super) fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for (id, segment) in &self.segments {
            let Some(attempt) = newest(self, id) else { continue };
            for block in &segment.spec.blocks {
                let meter = meter(attempt, &block.id);
                totals.rows_failed += meter.rows_quarantined + meter.rows_discarded;
                if block.kind == "extract" {
                    totals.rows_extracted += meter.rows_out;
                    totals.bytes += meter.bytes_out;
                }
                if segment.spec.output == Output::Sink && block.id.as_str() == id.as_str() && self.is_committed(id) {
                    totals.rows_loaded += meter.rows_out;
                }
            }
        }
        totals.cost = self.attempts.values().fold(Cost::default(), |all, attempt| all.and(attempt.cost));
        totals
    }
}

impl SegmentState {
    fn new(spec: Segment) -> Self {
        Self { spec, phase: SegmentPhase::Pending, failures: 0, next_try_at: None, winner: None }
    }

    fn stored(row: SegmentRow) -> Result<Self> {
        Ok(Self {
            spec: row.spec,
            phase: of_word("a segment's state", &row.state)?,
            failures: u32::try_from(row.failures).unwrap_or(u32::MAX),
            next_try_at: row.next_try_at,
            winner: row.winner,
        })
    }

    pub(super) fn row(&self, place: i64) -> SegmentRow {
        SegmentRow {
            place,
            spec: self.spec.clone(),
            state: word(&self.phase),
            failures: i64::from(self.failures),
            next_try_at: self.next_try_at,
            winner: self.winner,
        }
    }
}

impl AttemptState {
    fn stored(row: AttemptRow) -> Result<Self> {
        let phase = of_word("an attempt's state", &row.state)?;
        let discard = match phase {
            AttemptPhase::Running | AttemptPhase::Committing | AttemptPhase::Won => Discard::Not,
            _ if row.discarded => Discard::Done,
            _ => Discard::GivenUp,
        };
        let number = u32::try_from(row.number).unwrap_or(u32::MAX);
        let mut attempt = Self::new(row.segment, number, row.started_at);
        attempt.phase = phase;
        attempt.executor = row.executor;
        attempt.failure = row.failure;
        attempt.prepared = row.prepared;
        attempt.ended_at = row.ended_at;
        attempt.discard = discard;
        attempt.cost = row.cost;
        attempt.counted = row.counted;
        Ok(attempt)
    }

    pub(super) fn row(&self, token: Token) -> AttemptRow {
        AttemptRow {
            token,
            segment: self.segment.clone(),
            number: i64::from(self.number),
            state: word(&self.phase),
            executor: self.executor.clone(),
            failure: self.failure.clone(),
            prepared: self.prepared.clone(),
            started_at: self.started_at,
            ended_at: self.ended_at,
            cost: self.cost,
            // What was prepared says it, too.
            counted: if self.prepared.is_none() { self.counted.clone() } else { BTreeMap::new() },
            discarded: self.discard == Discard::Done,
        }
    }
}

impl Event {
    /// The event as it is logged: its kind, and what a reader of the log needs of it.
    pub(crate) fn describe(&self) -> (&'static str, Value) {
        use flowetl_proto::control::AttemptEventKind as Kind;
        match self {
            Self::Begin => ("begun", Value::Null),
            Self::Resume => ("resumed", Value::Null),
            Self::Reattach => ("reattached", Value::Null),
            Self::Settle(failure) => ("settled", json!({ "message": failure.message })),
            Self::Cancel => ("cancel_asked", Value::Null),
            Self::Tick => ("time_passed", Value::Null),
            Self::Locked(token) => ("locked", json!({ "token": token })),
            Self::Unlocked => ("unlocked", Value::Null),
            Self::Admitted => ("admitted", Value::Null),
            Self::Refused { command, failure } => {
                ("refused", json!({ "command": format!("{command:?}"), "failure": failure }))
            }
            Self::Report { token, executor, kind, .. } => match kind {
                Kind::Progress { standing, .. } if standing.is_empty() => {
                    ("progress", json!({ "token": token, "executor": executor }))
                }
                Kind::Progress { stalled, standing, .. } => {
                    let standing = standing.iter().map(ToString::to_string).collect::<Vec<_>>();
                    ("stalled", json!({ "token": token, "stalled": stalled, "standing": standing }))
                }
                Kind::NeedsHelp { most } => ("needs_help", json!({ "token": token, "most": most })),
                Kind::Prepared(prepared) => {
                    let rows = prepared.manifest.as_ref().map(|m| m.rows());
                    let (tests, changes) = (&prepared.tests, &prepared.schema_changes);
                    ("prepared", json!({ "token": token, "rows": rows, "tests": tests, "schema_changes": changes }))
                }
                Kind::Committed => ("committed", json!({ "token": token })),
                Kind::Lost => ("lost", json!({ "token": token })),
                Kind::Discarded => ("discarded", json!({ "token": token })),
                Kind::Failed(failure) => ("failed", json!({ "token": token, "failure": failure })),
            },
        }
    }
}

/// A state as it is stored: its serialised name.
fn word<T: Serialize>(state: &T) -> String {
    serde_json::to_value(state).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

fn of_word<T: DeserializeOwned>(what: &'static str, word: &str) -> Result<T> {
    serde_json::from_value(Value::String(word.to_owned())).map_err(|source| Error::Stored { what, source })
}
