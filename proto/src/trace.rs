//! Where a run's time went, as spans of one trace: who did what, from when to when, for whom.
//!
//! Nothing of it is sent around: a run's trace and the spans of its attempts are named after the run and the attempts, so
//! that every process that knows of an attempt knows whom its work is for, also after its coordinator was replaced. A span is
//! told when it is over, to whoever [`listen`]s in this process.
//!
//! ```text
//!  run ──► attempt (coordinator) ──► plan · write · prepare · publish · discard (its executor) · task (those that help)
//! ```

use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use uuid::Uuid;

use crate::code::Class;
use crate::control::AttemptId;
use crate::id::{RunId, Token};

/// A piece of work that is over. Its labels hold names and numbers: no text of an error, no address of a source or a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The run's id as a number.
    pub trace: u128,
    /// Within the trace, never 0.
    pub id: u64,
    pub parent: Option<u64>,
    pub name: &'static str,
    pub began: SystemTime,
    pub ended: SystemTime,
    pub labels: Vec<(&'static str, String)>,
    /// Why it failed, if it did.
    pub failed: Option<Class>,
}

/// What tells the spans of a trace apart: runs have the first bit, work for attempts the second and not the first, and
/// attempts, whose tokens count from 1, neither.
const RUN_BIT: u64 = 1 << 63;
const WORK_BIT: u64 = 1 << 62;

type Listener = Box<dyn Fn(Span) + Send + Sync>;

static LISTENER: OnceLock<Listener> = OnceLock::new();

/// Has every span of this process told to `listener`, which must not block. Says whether it is the first: only one can be.
pub fn listen(listener: impl Fn(Span) + Send + Sync + 'static) -> bool {
    LISTENER.set(Box::new(listener)).is_ok()
}

/// Tells of a span, where anybody listens.
pub fn tell(span: impl FnOnce() -> Option<Span>) {
    if let Some(listener) = LISTENER.get()
        && let Some(span) = span()
    {
        listener(span);
    }
}

/// The trace of a run; none for an id that is no UUID, which no run has.
pub fn trace_of(run: &RunId) -> Option<u128> {
    Uuid::parse_str(run.as_str()).ok().map(|id| id.as_u128()).filter(|id| *id != 0)
}

/// The span of a run that was started or resumed at this time, in milliseconds since 1970.
pub fn run_span(run: &RunId, started_at: i64) -> u64 {
    let low = trace_of(run).unwrap_or_default() as u64;
    (low ^ started_at.cast_unsigned()) | RUN_BIT
}

/// The span of an attempt.
pub fn attempt_span(token: Token) -> u64 {
    token.0.cast_unsigned()
}

/// A time in milliseconds since 1970.
pub fn time(millis: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(millis).unwrap_or_default())
}

/// A piece of work for an attempt, from now until it is told to have ended; dropped before, it was cut off.
#[derive(Debug)]
pub struct Work {
    span: Option<Span>,
}

impl Work {
    /// Begins now.
    pub fn begin(attempt: &AttemptId, name: &'static str) -> Self {
        let heard = LISTENER.get().is_some();
        let span = heard.then(|| trace_of(&attempt.run)).flatten().map(|trace| {
            let now = SystemTime::now();
            let labels = vec![("segment", attempt.segment.to_string()), ("token", attempt.token.to_string())];
            // The random half of a fresh id.
            let id = (Uuid::now_v7().as_u128() as u64) & !RUN_BIT | WORK_BIT;
            let parent = Some(attempt_span(attempt.token));
            Span { trace, id, parent, name, began: now, ended: now, labels, failed: Some(Class::Cancelled) }
        });
        Self { span }
    }

    pub fn label(&mut self, name: &'static str, value: impl ToString) {
        if let Some(span) = &mut self.span {
            span.labels.push((name, value.to_string()));
        }
    }

    /// It has ended now, and failed if there is a class.
    pub fn end(mut self, failed: Option<Class>) {
        if let Some(span) = &mut self.span {
            span.failed = failed;
        }
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        if let Some(mut span) = self.span.take() {
            span.ended = SystemTime::now();
            tell(|| Some(span));
        }
    }
}
