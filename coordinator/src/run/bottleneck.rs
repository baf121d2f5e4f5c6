//! What a run waits for: the one block of a segment that keeps the others waiting, in one sentence.

use std::cmp::Ordering;

use flowetl_proto::control::{Meter, Output};
use flowetl_proto::id::BlockId;
use flowetl_proto::pipeline::Block;
use flowetl_proto::run::Bottleneck;

use super::state::{AttemptState, RunState, SegmentPhase, SegmentState};
use super::view::{meter, newest};

/// Of an attempt that is over sooner nothing is said: whatever it did first looks slow.
const SHORTEST_MS: i64 = 500;
/// Of its time, how much a block must wait for another to be named as one that does.
const WAITS: f64 = 0.5;

/// The slowest block of the segment that runs for longest; once none runs, of the one that took longest.
pub(super) fn bottleneck(state: &RunState, now: i64) -> Option<Bottleneck> {
    let took = |attempt: &AttemptState| attempt.ended_at.unwrap_or(now) - attempt.started_at;
    let begun = state.segments.values().filter_map(|s| Some((s, newest(state, &s.spec.id)?)));
    let begun: Vec<_> = begun.filter(|(_, attempt)| took(attempt) >= SHORTEST_MS).collect();
    let running = begun.iter().filter(|(s, _)| s.phase == SegmentPhase::Running);
    let longest = running.max_by_key(|(_, attempt)| took(attempt));
    let (segment, attempt) = longest.or_else(|| begun.iter().max_by_key(|(_, attempt)| took(attempt)))?;
    slowest(segment, attempt)
}

fn slowest(segment: &SegmentState, attempt: &AttemptState) -> Option<Bottleneck> {
    let times: Vec<_> =
        segment.spec.blocks.iter().map(|block| Times::new(block, segment, meter(attempt, &block.id))).collect();
    // How long the segment's rows have flowed, by the block that has seen most of it.
    let span = times.iter().map(|times| times.span()).fold(0.0, f64::max);
    if span <= 0.0 {
        return None;
    }
    let slowest = times.iter().max_by(|a, b| a.own().1.partial_cmp(&b.own().1).unwrap_or(Ordering::Equal))?;
    let (why, time) = slowest.own();
    let share = time / span;
    let is_over = attempt.ended_at.is_some();
    let (is, does) = if is_over { ("was", why.did()) } else { ("is", why.does()) };
    let mut text = format!("`{}` {is} the bottleneck: {does} {:.0} % of the time", slowest.block.id, share * 100.0);
    let waiting: Vec<_> = times.iter().filter(|other| other.waits_for(slowest)).map(|other| &other.block.id).collect();
    text.push_str(&who_waits(&waiting, is_over));
    Some(Bottleneck { block: slowest.block.id.clone(), share, text })
}

/// `; `a` and `b` wait for it`.
fn who_waits(waiting: &[&BlockId], is_over: bool) -> String {
    let names: Vec<_> = waiting.iter().map(|id| format!("`{id}`")).collect();
    let (one, more) = if is_over { ("waited", "waited") } else { ("waits", "wait") };
    match names.split_last() {
        None => String::new(),
        Some((only, [])) => format!("; {only} {one} for it"),
        Some((last, others)) => format!("; {} and {last} {more} for it", others.join(", ")),
    }
}

/// What a block spends its time on.
#[derive(Clone, Copy)]
enum Why {
    Busy,
    Target,
    Source,
    Boundary,
}

impl Why {
    fn does(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::Target => "its target takes rows",
            Self::Source => "it waits for its source",
            Self::Boundary => "its boundary is written",
        }
    }

    fn did(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::Target => "its target took rows",
            Self::Source => "it waited for its source",
            Self::Boundary => "its boundary was written",
        }
    }
}

/// A block's time, in milliseconds of each of its streams.
struct Times<'a> {
    block: &'a Block,
    busy: f64,
    waiting: f64,
    blocked: f64,
    /// Its waiting is for its source or a boundary, not for another block of the segment.
    reads: bool,
    /// Its rows are kept: whoever does not take them is the storage of its own boundary.
    keeps: bool,
}

impl<'a> Times<'a> {
    fn new(block: &'a Block, segment: &SegmentState, meter: Meter) -> Self {
        let of_each = |ms: u64| ms as f64 / meter.streams.max(1) as f64;
        Self {
            block,
            busy: of_each(meter.busy_ms),
            waiting: of_each(meter.waiting_ms),
            blocked: of_each(meter.blocked_ms),
            reads: !block.inputs.iter().any(|input| segment.spec.blocks.iter().any(|b| b.id == input.block)),
            keeps: segment.spec.output == Output::Boundary && block.id.as_str() == segment.spec.id.as_str(),
        }
    }

    fn span(&self) -> f64 {
        self.busy + self.waiting + self.blocked
    }

    /// What it spends most time on that nobody else is to blame for, and how much.
    fn own(&self) -> (Why, f64) {
        let busy = if self.block.kind == "load" { Why::Target } else { Why::Busy };
        let mut own = (busy, self.busy);
        if self.reads && self.waiting > own.1 {
            own = (Why::Source, self.waiting);
        }
        if self.keeps && self.blocked > own.1 {
            own = (Why::Boundary, self.blocked);
        }
        own
    }

    /// Whether it stands still for most of its time beside `other`, which is the reason.
    fn waits_for(&self, other: &Self) -> bool {
        let comes_from = |a: &Self, b: &Self| a.block.inputs.iter().any(|input| input.block == b.block.id);
        let mostly = |time: f64| time > WAITS * self.span();
        (comes_from(other, self) && mostly(self.blocked)) || (comes_from(self, other) && mostly(self.waiting))
    }
}

#[cfg(test)]
mod tests;
