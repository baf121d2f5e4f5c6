//! What a coordinator counts for whoever watches over it, by name; nothing is counted where nobody asked for it.

use std::collections::BTreeMap;
use std::time::Duration;

use flowetl_proto::control::AttemptEventKind;
use flowetl_proto::id::ExecutorId;
use flowetl_proto::run::Phase;
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

use crate::place::Load;

/// The histogram of [`decided`], in seconds.
pub const DECISION_SECONDS: &str = "flowetl_decision_seconds";

const LEADS: &str = "flowetl_leads";
const RUNS_ACTIVE: &str = "flowetl_runs_active";
const RUNS_ENDED: &str = "flowetl_runs_ended_total";
const ATTEMPTS: &str = "flowetl_attempts_total";
const EXECUTORS: &str = "flowetl_executors";
const SLOTS: &str = "flowetl_slots";
const SLOTS_BUSY: &str = "flowetl_slots_busy";

/// Says what each figure is.
pub fn describe() {
    describe_gauge!(LEADS, "Whether this coordinator leads: 1 or 0.");
    describe_gauge!(RUNS_ACTIVE, "Runs under way here.");
    describe_counter!(RUNS_ENDED, "Runs that have ended, by state.");
    describe_counter!(ATTEMPTS, "What attempts came to: prepared, committed, lost, discarded, or failed, by class.");
    describe_gauge!(EXECUTORS, "Executors that can be reached.");
    describe_gauge!(SLOTS, "Attempts that all executors take at once.");
    describe_gauge!(SLOTS_BUSY, "Slots that are taken.");
    describe_histogram!(DECISION_SECONDS, Unit::Seconds, "Writing one decision of a run to the metadata database.");
}

pub(crate) fn leads(leads: bool) {
    gauge!(LEADS).set(if leads { 1.0 } else { 0.0 });
}

pub(crate) fn runs_active(count: usize) {
    gauge!(RUNS_ACTIVE).set(count as f64);
}

pub(crate) fn run_ended(state: Phase) {
    counter!(RUNS_ENDED, "state" => state.as_str()).increment(1);
}

/// Something came of an attempt; its progress and what it asks for count for nothing.
pub(crate) fn attempt(kind: &AttemptEventKind) {
    let outcome = match kind {
        AttemptEventKind::Progress { .. } | AttemptEventKind::NeedsHelp { .. } => return,
        AttemptEventKind::Prepared(_) => "prepared",
        AttemptEventKind::Committed => "committed",
        AttemptEventKind::Lost => "lost",
        AttemptEventKind::Discarded => "discarded",
        AttemptEventKind::Failed(failure) => {
            counter!(ATTEMPTS, "outcome" => "failed", "class" => failure.class.to_string()).increment(1);
            return;
        }
    };
    counter!(ATTEMPTS, "outcome" => outcome, "class" => "").increment(1);
}

pub(crate) fn fleet(loads: &BTreeMap<ExecutorId, Load>) {
    gauge!(EXECUTORS).set(loads.len() as f64);
    gauge!(SLOTS).set(loads.values().map(|load| f64::from(load.slots)).sum::<f64>());
    gauge!(SLOTS_BUSY).set(loads.values().map(|load| f64::from(load.busy)).sum::<f64>());
}

pub(crate) fn decided(took: Duration) {
    histogram!(DECISION_SECONDS).record(took);
}
