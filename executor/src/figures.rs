//! What an executor counts for whoever watches over it, by name; nothing is counted where nobody asked for it.

use std::collections::BTreeMap;

use flowetl_proto::control::{AttemptEventKind, Meter};
use flowetl_proto::id::BlockId;
use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};

const RUNNING: &str = "flowetl_attempts_running";
const ENDED: &str = "flowetl_attempts_ended_total";
const ROWS_IN: &str = "flowetl_rows_in_total";
const ROWS_OUT: &str = "flowetl_rows_out_total";
const BYTES_OUT: &str = "flowetl_bytes_out_total";

/// Says what each figure is.
pub fn describe() {
    describe_gauge!(RUNNING, "Attempts under way here.");
    describe_counter!(ENDED, "Attempts that have ended here: prepared, or failed, by class.");
    describe_counter!(ROWS_IN, "Rows that came into the blocks of prepared attempts.");
    describe_counter!(ROWS_OUT, "Rows that left the blocks of prepared attempts.");
    describe_counter!(BYTES_OUT, Unit::Bytes, "Bytes that left the blocks of prepared attempts.");
}

pub(crate) fn running(count: usize) {
    gauge!(RUNNING).set(count as f64);
}

/// An attempt has ended.
pub(crate) fn ended(outcome: &AttemptEventKind) {
    match outcome {
        AttemptEventKind::Prepared(prepared) => {
            counter!(ENDED, "outcome" => "prepared", "class" => "").increment(1);
            moved(&prepared.blocks);
        }
        AttemptEventKind::Failed(failure) => {
            counter!(ENDED, "outcome" => "failed", "class" => failure.class.to_string()).increment(1);
        }
        _ => {}
    }
}

fn moved(blocks: &BTreeMap<BlockId, Meter>) {
    for meter in blocks.values() {
        counter!(ROWS_IN).increment(meter.rows_in);
        counter!(ROWS_OUT).increment(meter.rows_out);
        counter!(BYTES_OUT).increment(meter.bytes_out);
    }
}
