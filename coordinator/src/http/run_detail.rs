//! One run with everything that is known of it: what happened when, who tried what, and what came of each block.

use std::collections::BTreeMap;

use flowetl_proto::code::Failure;
use flowetl_proto::control::Manifest;
use flowetl_proto::id::{BlockId, RunId, Token};
use flowetl_proto::log::Level;
use flowetl_proto::run::{BlockPhase, RunView, Timestamp};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::problem::Problem;
use super::runs::RunItem;
use crate::logs::tries;
use crate::run::{Tries, told};
use crate::store::AttemptRow;
use crate::trigger::Arrived;
use crate::{Handle, clock};

/// A run with everything that is known of it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RunDetail {
    #[serde(flatten)]
    run: RunItem,
    /// What it was told, by the names of its pipeline's parameters.
    #[schema(value_type = Object)]
    params: BTreeMap<String, Value>,
    /// The files that it was begun for, where a trigger has waited for them.
    arrived: Option<Arrived>,
    /// Why it did not succeed.
    error: Option<RunError>,
    /// Every attempt at one of its segments, in the order they were started.
    attempts: Vec<AttemptItem>,
    /// What happened to it, in order.
    timeline: Vec<Moment>,
    /// Its blocks, each with what came of it.
    tasks: Vec<TaskItem>,
    /// Blocks, segments, tests and edges with their figures, as `flowetl runs RUN --json` shows them.
    view: RunView,
}

/// Why something failed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RunError {
    /// Of what sort it is: `user`, `source_transient`, `data_test` ...
    class: &'static str,
    /// The block it is about, if it is about one.
    block: Option<String>,
    /// What lies at the bottom of it.
    cause: String,
    /// What that led to, step by step.
    led_to: Vec<String>,
    /// All of it in one sentence.
    message: String,
}

/// One try of a segment.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AttemptItem {
    segment: String,
    /// 1 for the segment's first.
    number: i64,
    /// `running`, `committing`, `won`, `failed`, `cancelled` or `lost`.
    status: String,
    /// The id of the executor that works on it; null where that is the coordinator's own process, or none has it yet.
    executor: Option<String>,
    started_at: Timestamp,
    finished_at: Option<Timestamp>,
    duration_seconds: f64,
    cpu_seconds: f64,
    peak_memory_bytes: u64,
    /// Why it did not win.
    error: Option<RunError>,
}

/// Something that happened to a run.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Moment {
    at: Timestamp,
    /// `begun`, `prepared`, `committed`, `failed` ...
    event: String,
    /// `debug`, `info`, `warn` or `error`.
    level: Level,
    segment: Option<String>,
    /// The number of the attempt.
    attempt: Option<i64>,
    message: String,
}

/// A block of a run.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TaskItem {
    id: String,
    execution_id: String,
    block_id: String,
    status: BlockPhase,
    /// Where its part of the log is.
    logs: String,
    /// What it made: null until its segment is committed, and for what makes nothing durable.
    output_metadata: Option<OutputItem>,
}

/// What a block has made.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OutputItem {
    rows: u64,
    bytes: u64,
    /// Files, or pieces of a table.
    parts: usize,
    /// Whether it is visible in a target; else it lies in object storage, for the blocks behind it.
    is_published: bool,
}

impl RunDetail {
    pub(super) async fn new(run: RunItem, handle: &Handle, id: &RunId) -> Result<Self, Problem> {
        let view = handle.run(id).await?;
        let rows = handle.attempts(id).await?;
        let tries = tries(&rows);
        let events = handle.events(id).await?;
        let timeline = events.into_iter().map(|event| {
            let line = told(&event, &tries);
            Moment {
                at: Timestamp(event.at),
                event: event.kind,
                level: line.level,
                segment: line.segment.map(|segment| segment.to_string()),
                attempt: number(&tries, line.token),
                message: line.message,
            }
        });
        Ok(Self {
            run,
            params: handle.params(id).await?,
            arrived: handle.store().arrived(id).await?,
            error: view.error.as_ref().map(RunError::from),
            timeline: timeline.collect(),
            tasks: view.blocks.iter().map(|(block, of)| task(id, block, of.state, &view, &rows)).collect(),
            attempts: rows.iter().map(AttemptItem::from).collect(),
            view,
        })
    }
}

/// The number of an attempt in its segment.
pub(super) fn number(tries: &Tries, token: Option<Token>) -> Option<i64> {
    tries.get(&token?).map(|(_, number)| *number)
}

fn task(run: &RunId, block: &BlockId, status: BlockPhase, view: &RunView, rows: &[AttemptRow]) -> TaskItem {
    let won = rows.iter().filter(|row| row.state == "won" && row.segment.as_str() == block.as_str());
    let manifests: BTreeMap<_, &Manifest> =
        won.filter_map(|row| Some((row.number, row.prepared.as_ref()?.manifest.as_ref()?))).collect();
    let output = manifests.into_values().next_back().map(|manifest| OutputItem {
        rows: manifest.rows(),
        bytes: manifest.bytes(),
        parts: manifest.parts.len(),
        is_published: view.published.contains(block),
    });
    TaskItem {
        id: format!("{run}/{block}"),
        execution_id: run.to_string(),
        block_id: block.to_string(),
        status,
        logs: format!("/api/v1/runs/{run}/logs?block={block}"),
        output_metadata: output,
    }
}

impl From<&AttemptRow> for AttemptItem {
    fn from(row: &AttemptRow) -> Self {
        let until = row.ended_at.unwrap_or_else(clock::now);
        Self {
            segment: row.segment.to_string(),
            number: row.number,
            status: row.state.clone(),
            executor: row.executor.clone(),
            started_at: Timestamp(row.started_at),
            finished_at: row.ended_at.map(Timestamp),
            duration_seconds: (until - row.started_at).max(0) as f64 / 1000.0,
            cpu_seconds: row.cost.cpu_ms as f64 / 1000.0,
            peak_memory_bytes: row.cost.peak_bytes,
            error: row.failure.as_ref().map(RunError::from),
        }
    }
}

impl From<&Failure> for RunError {
    fn from(failure: &Failure) -> Self {
        let mut steps = steps(&failure.message);
        let cause = steps.pop().unwrap_or_default();
        Self {
            class: failure.class.as_str(),
            block: failure.block.as_ref().map(ToString::to_string),
            cause,
            led_to: steps.into_iter().rev().collect(),
            message: failure.message.clone(),
        }
    }
}

/// The steps of a message, outermost first: they stand one behind the other with a colon between, names in backticks. What
/// stands in parentheses belongs to its step.
fn steps(message: &str) -> Vec<String> {
    let mut steps = vec![String::new()];
    let (mut is_name, mut depth) = (false, 0_usize);
    let mut chars = message.chars().peekable();
    while let Some(c) = chars.next() {
        is_name ^= c == '`';
        match c {
            '(' if !is_name => depth += 1,
            ')' if !is_name => depth = depth.saturating_sub(1),
            _ => {}
        }
        match (c, is_name || depth > 0, chars.peek()) {
            (':', false, Some(' ')) => {
                chars.next();
                steps.push(String::new());
            }
            _ => steps.iter_mut().next_back().into_iter().for_each(|step| step.push(c)),
        }
    }
    steps.retain(|step| !step.is_empty());
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_of_an_error_comes_first() {
        let error = |message: &str| {
            let error = RunError::from(&Failure::new(flowetl_proto::code::Class::User, message));
            (error.cause, error.led_to)
        };
        let led_to = vec!["cannot connect".to_owned(), "cannot read `a: b`".to_owned()];
        assert_eq!(error("cannot read `a: b`: cannot connect: refused"), ("refused".to_owned(), led_to));
        assert_eq!(error("it took 12:30"), ("it took 12:30".to_owned(), Vec::new()));
        let limit = "3 of 9 rows are too many (line 2: column `a(`: `x` is no number)";
        assert_eq!(error(&format!("cannot read: {limit}")), (limit.to_owned(), vec!["cannot read".to_owned()]));
    }
}
