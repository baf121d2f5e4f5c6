//! What an attempt says of itself to people, as it goes on: a few lines a block, and progress now and then.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use flowetl_proto::control::{AttemptEventKind, AttemptSpec, Meter, Prepared};
use flowetl_proto::id::BlockId;
use flowetl_proto::log::Level;
use flowetl_proto::pipeline::Block;

use super::work::Work;
use crate::journal::Scribe;
use crate::plan::{Thrift, Written};

/// How often counters are told: a run of an hour has some hundred lines a block.
const TELL_EVERY: Duration = Duration::from_secs(10);
/// What of a place or a statement is shown.
const SHOWN_CHARS: usize = 120;

/// Says things about one attempt.
pub(super) struct Says {
    scribe: Scribe,
    /// When counters were told last, and what they were.
    told: (Instant, BTreeMap<BlockId, u64>),
    is_stalled: bool,
}

impl Says {
    pub(super) fn new(scribe: Scribe) -> Self {
        Self { scribe, told: (Instant::now(), BTreeMap::new()), is_stalled: false }
    }

    /// A try begins: every block with what it is to do.
    pub(super) fn planning(&self, spec: &AttemptSpec, thrift: Thrift) {
        if thrift == Thrift::Frugal {
            self.scribe.say(Level::Warn, None, "done again, with fewer streams and less memory at once");
        }
        for block in &spec.segment.blocks {
            self.scribe.info(Some(&block.id), format!("started: {}", job(block)));
        }
        for (block, manifest) in &spec.inputs {
            let text = format!("reads {} rows of `{block}`, in {} parts", manifest.rows(), manifest.parts.len());
            self.scribe.info(None, text);
        }
    }

    /// Sources and targets are open.
    pub(super) fn planned(&self, spec: &AttemptSpec, work: &Work) {
        let (schemas, changes) = work.sources();
        for (block, schema) in schemas {
            let from = match spec.positions.get(block) {
                Some(position) => format!(", from `{}` {} on", position.column, position.value),
                None => String::new(),
            };
            self.scribe.info(Some(block), format!("source opened: {} columns{from}", schema.fields().len()));
        }
        for change in changes {
            self.scribe.say(Level::Warn, Some(&change.block), change.to_string());
        }
        let helped = if work.is_spread() { ", spread over several executors" } else { "" };
        self.scribe.info(None, format!("planned: rows flow in {} streams{helped}", work.partitions()));
    }

    /// Counters, now and then; and once that nothing moves, and that it does again.
    pub(super) fn progress(&mut self, blocks: &BTreeMap<BlockId, Meter>, stalled: Option<&str>) {
        match (stalled, self.is_stalled) {
            (Some(text), false) => self.scribe.say(Level::Warn, None, text),
            (None, true) => self.scribe.info(None, "rows move again"),
            _ => {}
        }
        self.is_stalled = stalled.is_some();
        let since = self.told.0.elapsed();
        if since < TELL_EVERY {
            return;
        }
        for (block, meter) in blocks {
            let before = self.told.1.insert(block.clone(), meter.rows_out).unwrap_or(0);
            let more = meter.rows_out.saturating_sub(before);
            if more > 0 {
                let rate = more as f64 / since.as_secs_f64();
                self.scribe.info(Some(block), format!("{} rows so far, {rate:.0} a second", meter.rows_out));
            }
        }
        self.told.0 = Instant::now();
    }

    /// Every row is with its writer.
    pub(super) fn written(&self, written: &[Written]) {
        let rows: u64 = written.iter().map(|written| written.rows).sum();
        self.scribe.info(None, format!("all {rows} rows are written, and are made durable"));
    }

    /// The last word.
    pub(super) fn ended(&self, outcome: &AttemptEventKind) {
        match outcome {
            AttemptEventKind::Prepared(prepared) => self.prepared(prepared),
            AttemptEventKind::Failed(failure) => {
                self.scribe.say(Level::Error, failure.block.as_ref(), format!("failed: {failure}"));
            }
            _ => {}
        }
    }

    fn prepared(&self, prepared: &Prepared) {
        for (block, meter) in &prepared.blocks {
            let fields = [("rows_in", meter.rows_in), ("rows_out", meter.rows_out), ("bytes_out", meter.bytes_out)];
            let fields = fields.map(|(name, count)| (name.to_owned(), count.to_string())).into();
            let text = format!("finished: {} rows", meter.rows_out);
            self.scribe.say_with(Level::Info, Some(block), text, fields);
            if meter.rows_quarantined > 0 {
                let text = format!("{} rows are in quarantine", meter.rows_quarantined);
                self.scribe.say(Level::Warn, Some(block), text);
            }
            if meter.rows_discarded > 0 {
                let text = format!("{} rows were left out, for a column has changed", meter.rows_discarded);
                self.scribe.say(Level::Warn, Some(block), text);
            }
        }
        for test in &prepared.tests {
            let (level, text) = match test.passed {
                true => (Level::Info, format!("test `{}` passes", test.test)),
                false => (Level::Warn, format!("test `{}` fails for {} rows", test.test, test.failures)),
            };
            self.scribe.say(level, Some(&test.block), text);
        }
    }
}

/// What a block does, in short: its kind, and the place or the statement that it is about.
fn job(block: &Block) -> String {
    let about = |name: &str| block.settings.get(name).and_then(|value| value.as_str());
    let shown = match block.kind.as_str() {
        "load" => about("to"),
        kind => about(kind),
    };
    // Whoever wrote an address there may have written how to sign in.
    match shown.filter(|text| !text.contains("://")) {
        None => block.kind.clone(),
        Some(text) => {
            let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
            let cut: String = line.chars().take(SHOWN_CHARS).collect();
            let dots = if cut.len() < line.len() { "..." } else { "" };
            format!("{} {cut}{dots}", block.kind)
        }
    }
}
