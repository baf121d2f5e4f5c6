//! A run as a table, and numbers as people read them.

use flowetl_proto::run::{BlockPhase, BlockView, Phase, RunView};
use serde::Serialize;

const HEADINGS: [&str; 8] = ["block", "state", "rows in", "rows out", "rows/s", "quarantined", "bytes", "seconds"];

/// The blocks of a run, a line each, under their headings.
pub fn table(view: &RunView) -> String {
    let mut rows = vec![HEADINGS.map(str::to_owned)];
    rows.extend(view.blocks.iter().map(|(id, block)| cells(id.as_str(), block)));
    let widths: Vec<usize> =
        (0..HEADINGS.len()).map(|c| rows.iter().map(|row| row[c].chars().count()).max().unwrap_or(0)).collect();
    let lines: Vec<String> = rows.iter().map(|row| aligned(row, &widths)).collect();
    lines.join("\n")
}

/// Names to the left, numbers to the right.
fn aligned(row: &[String; 8], widths: &[usize]) -> String {
    let cell = |(c, text): (usize, &String)| match c {
        0 | 1 => format!("{text:<width$}", width = widths[c]),
        _ => format!("{text:>width$}", width = widths[c]),
    };
    row.iter().enumerate().map(cell).collect::<Vec<_>>().join("  ").trim_end().to_owned()
}

fn cells(id: &str, block: &BlockView) -> [String; 8] {
    let per_second = if block.seconds > 0.0 { block.rows_out as f64 / block.seconds } else { 0.0 };
    let attempts = if block.attempts > 1 { format!(" (attempt {})", block.attempts) } else { String::new() };
    [
        id.to_owned(),
        format!("{}{attempts}", word(&block.state)),
        count(block.rows_in),
        count(block.rows_out),
        count(per_second as u64),
        count(block.rows_quarantined),
        bytes(block.bytes_out),
        format!("{:.1}", block.seconds),
    ]
}

/// A state as JSON spells it.
pub fn phase(phase: Phase) -> String {
    word(&phase)
}

pub fn block_phase(phase: BlockPhase) -> String {
    word(&phase)
}

fn word(value: &impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

/// `1,234,567`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `12.3 MB`, in powers of 1,000.
pub fn bytes(n: u64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB"];
    let mut value = n as f64;
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < units.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit == 0 { format!("{n} B") } else { format!("{value:.1} {}", units[unit]) }
}
