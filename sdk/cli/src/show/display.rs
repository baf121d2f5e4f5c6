//! A run while it goes: a live table on a terminal, a line per change elsewhere.

use std::collections::HashMap;
use std::io::{self, IsTerminal};
use std::time::Duration;

use flowetl_proto::control::{Severity, TestResult};
use flowetl_proto::id::{BlockId, SegmentId};
use flowetl_proto::run::{BlockPhase, BlockView, Phase, RunView};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::table::{block_phase, bytes, count, phase, table};
use super::{line, note};

/// How often a spinner turns.
const TICK: Duration = Duration::from_millis(120);

/// Shows snapshots of one run.
pub struct Display {
    /// Standard output belongs to the JSON document.
    json: bool,
    live: Option<MultiProgress>,
    bars: HashMap<BlockId, ProgressBar>,
    /// What the run waits for, below the table.
    bottleneck: Option<ProgressBar>,
    shown: HashMap<BlockId, BlockPhase>,
    stalls: HashMap<SegmentId, String>,
    waiting: Option<String>,
}

impl Display {
    pub fn new(json: bool) -> Self {
        let live = (!json && io::stderr().is_terminal()).then(MultiProgress::new);
        Self {
            json,
            live,
            bars: HashMap::new(),
            bottleneck: None,
            shown: HashMap::new(),
            stalls: HashMap::new(),
            waiting: None,
        }
    }

    pub fn show(&mut self, view: &RunView) {
        let width = view.blocks.keys().map(|id| id.as_str().len()).max().unwrap_or(0);
        for (id, block) in &view.blocks {
            match &self.live {
                Some(live) => {
                    let bar = self.bars.entry(id.clone()).or_insert_with(|| live.add(new_bar(id, width)));
                    draw(bar, block);
                }
                None => {
                    if self.shown.insert(id.clone(), block.state) != Some(block.state)
                        && block.state != BlockPhase::Pending
                    {
                        note(&change(id, block));
                    }
                }
            }
        }
        if let (Some(live), Some(bottleneck)) = (&self.live, &view.bottleneck) {
            let bar = self.bottleneck.get_or_insert_with(|| live.add(new_line()));
            bar.set_message(bottleneck.text.clone());
        }
        if view.waiting != self.waiting {
            view.waiting.iter().for_each(|waiting| self.note(&format!("the run is {waiting}")));
            self.waiting.clone_from(&view.waiting);
        }
        for (id, segment) in &view.segments {
            let Some(stalled) = &segment.stalled else {
                self.stalls.remove(id);
                continue;
            };
            // One line a minute is enough: the sentence counts the seconds.
            if !self.stalls.contains_key(id) {
                self.note(&format!("segment `{id}` is stalled: {stalled}"));
                segment.standing.iter().for_each(|standing| self.note(&format!("  {standing}")));
                self.stalls.insert(id.clone(), stalled.clone());
            }
        }
    }

    /// A line beside the table.
    pub fn note(&self, text: &str) {
        match &self.live {
            // A table that cannot be drawn any more is no reason to end the run.
            Some(live) => drop(live.println(text)),
            None => note(text),
        }
    }

    /// The last word: the table, the tests, what sources have become, the error, the cost. `server` is the coordinator
    /// that ran it, where it was not this process.
    pub fn finish(&mut self, view: &RunView, server: Option<&str>) {
        self.bars.values().chain(&self.bottleneck).for_each(ProgressBar::finish_and_clear);
        let say: &dyn Fn(&str) = if self.json { &note } else { &|text| drop(line(text)) };
        if !self.json {
            say(&table(view));
        }
        for test in &view.tests {
            say(&verdict(test));
        }
        for change in &view.schema_changes {
            say(&format!("schema  {}: {change}", change.block));
        }
        for (id, block) in view.blocks.iter().filter(|(_, block)| block.rows_discarded > 0) {
            say(&format!("schema  {id}: {} rows left out", count(block.rows_discarded)));
        }
        if let Some(bottleneck) = &view.bottleneck {
            say(&bottleneck.text);
        }
        if let Some(error) = &view.error {
            let block = error.block.as_ref().map(|b| format!(" in block `{b}`")).unwrap_or_default();
            note(&format!("error{block}: {} ({})", error.message, error.class));
            if !view.published.is_empty() {
                let published: Vec<String> = view.published.iter().map(|b| format!("`{b}`")).collect();
                note(&format!("already published and kept: {}", published.join(", ")));
            }
            if view.state != Phase::Success {
                let there = server.map(|url| format!(" --server {url}")).unwrap_or_default();
                note(&format!("go on from the last boundary with: flowetl run --resume {}{there}", view.run_id));
            }
        }
        let seconds = view.finished_at.map_or(0.0, |end| (end.0 - view.started_at.0) as f64 / 1000.0);
        let cost = format!("{:.1} CPU s, peak {}", view.cpu_seconds, bytes(view.peak_memory_bytes));
        let (run, pipeline, state) = (&view.run_id, &view.pipeline, phase(view.state));
        say(&format!("run {run} of {pipeline}: {state} in {seconds:.1} s, {cost}"));
    }
}

fn new_bar(id: &BlockId, width: usize) -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    let style = ProgressStyle::with_template(&format!("{{spinner}} {{prefix:{width}}}  {{msg}}"));
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.set_prefix(id.to_string());
    bar
}

fn new_line() -> ProgressBar {
    let style = ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
    ProgressBar::new_spinner().with_style(style)
}

fn draw(bar: &ProgressBar, block: &BlockView) {
    let per_second = if block.seconds > 0.0 { (block.rows_out as f64 / block.seconds) as u64 } else { 0 };
    bar.set_message(match block.state {
        BlockPhase::Pending => "pending".to_owned(),
        state => format!(
            "{:<10} {:>15} rows  {:>12} rows/s  {:>10}  busy {:>3} %",
            block_phase(state),
            count(block.rows_out),
            count(per_second),
            bytes(block.bytes_out),
            100 * block.busy_ms / (block.busy_ms + block.waiting_ms + block.blocked_ms).max(1)
        ),
    });
    match block.state {
        BlockPhase::Running | BlockPhase::Committing | BlockPhase::Retrying => bar.enable_steady_tick(TICK),
        BlockPhase::Pending => {}
        _ => bar.abandon(),
    }
}

fn change(id: &BlockId, block: &BlockView) -> String {
    match block.state {
        BlockPhase::Success => format!("{id}: success, {} rows, {:.1} s", count(block.rows_out), block.seconds),
        state => format!("{id}: {}", block_phase(state)),
    }
}

fn verdict(test: &TestResult) -> String {
    let result = match (test.passed, test.severity) {
        (true, _) => "pass",
        (false, Severity::Error) => "FAIL",
        (false, Severity::Warn) => "warn",
    };
    let mut text = format!("{result}  {}: {}", test.block, test.test);
    if !test.passed {
        text.push_str(&format!(", {} failures", count(test.failures)));
        if !test.samples.is_empty() {
            text.push_str(&format!(", such as {}", test.samples.join(" | ")));
        }
    }
    text
}
