//! A run and its attempts as spans, each to be told once it is over.

use flowetl_proto::id::Token;
use flowetl_proto::run::Phase;
use flowetl_proto::trace::{Span, attempt_span, run_span, time, trace_of};

use super::state::{AttemptPhase, RunState};

/// An attempt of the run; `None` while it is under way.
pub(super) fn attempt(state: &RunState, token: Token) -> Option<Span> {
    let attempt = state.attempts.get(&token)?;
    let failed = attempt.failure.as_ref().filter(|_| attempt.phase != AttemptPhase::Won);
    Some(Span {
        trace: trace_of(&state.id)?,
        id: attempt_span(token),
        parent: Some(run_span(&state.id, state.started_at)),
        name: "attempt",
        began: time(attempt.started_at),
        ended: time(attempt.ended_at?),
        labels: vec![
            ("segment", attempt.segment.to_string()),
            ("token", token.to_string()),
            ("attempt", attempt.number.to_string()),
            ("cpu_ms", attempt.cost.cpu_ms.to_string()),
            ("peak_bytes", attempt.cost.peak_bytes.to_string()),
        ],
        failed: failed.map(|failure| failure.class),
    })
}

/// The run, since it was started or resumed last; `None` while it goes on.
pub(super) fn run(state: &RunState) -> Option<Span> {
    let failed = state.failure.as_ref().filter(|_| state.phase != Phase::Success);
    Some(Span {
        trace: trace_of(&state.id)?,
        id: run_span(&state.id, state.started_at),
        parent: None,
        name: "run",
        began: time(state.started_at),
        ended: time(state.finished_at?),
        labels: vec![
            ("pipeline", state.pipeline.name.clone()),
            ("run", state.id.to_string()),
            ("state", state.phase.as_str().to_owned()),
        ],
        failed: failed.map(|failure| failure.class),
    })
}
