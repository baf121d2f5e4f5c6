//! Which attempts may begin: of each segment the newest, and none of a run that is over.

use std::collections::{BTreeSet, HashMap};

use flowetl_proto::code::{Class, Failure};
use flowetl_proto::control::AttemptId;
use flowetl_proto::id::{RunId, SegmentId, Token};

/// The greatest token seen per segment: an older attempt has been given up by the coordinator and must not begin. What runs
/// that are over had is forgotten as soon as the coordinator says which go on, so that what is remembered is what goes on
/// and what has begun since.
#[derive(Debug, Default)]
pub(crate) struct Fence {
    newest: HashMap<(RunId, SegmentId), Token>,
    /// Attempts up to this token are over unless their run is one of `runs`; `None` before the coordinator has said so.
    until: Option<Token>,
    runs: BTreeSet<RunId>,
}

/// What to do with a request to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    Begin,
    /// The same request came before.
    Repeated,
    Refused(Failure),
}

impl Fence {
    pub(crate) fn admit(&mut self, id: &AttemptId) -> Admission {
        let refused = |text| Admission::Refused(Failure::new(Class::Fenced, text));
        if self.until.is_some_and(|until| is_over(&id.run, id.token, &self.runs, until)) {
            return refused(format!("attempt {} of `{}` is of a run that is over", id.token, id.segment));
        }
        let newest = self.newest.entry((id.run.clone(), id.segment.clone())).or_insert(Token(i64::MIN));
        match id.token.cmp(newest) {
            std::cmp::Ordering::Less => {
                refused(format!("attempt {} of `{}` was overtaken by attempt {newest}", id.token, id.segment))
            }
            std::cmp::Ordering::Equal => Admission::Repeated,
            std::cmp::Ordering::Greater => {
                *newest = id.token;
                Admission::Begin
            }
        }
    }

    /// Of all attempts up to `until` only those of `runs` go on.
    pub(crate) fn retain(&mut self, runs: &BTreeSet<RunId>, until: Token) {
        self.newest.retain(|(run, _), token| !is_over(run, *token, runs, until));
        (self.until, self.runs) = (Some(until), runs.clone());
    }
}

fn is_over(run: &RunId, token: Token, runs: &BTreeSet<RunId>, until: Token) -> bool {
    token <= until && !runs.contains(run)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(run: &str, segment: &str, token: i64) -> AttemptId {
        AttemptId { pipeline: "p".into(), run: run.into(), segment: segment.into(), token: Token(token) }
    }

    fn refused(admission: Admission) -> String {
        let Admission::Refused(failure) = admission else { panic!("{admission:?}") };
        assert_eq!(failure.class, Class::Fenced);
        failure.message
    }

    #[test]
    fn an_older_attempt_never_begins_after_a_newer_one() {
        let mut fence = Fence::default();
        assert_eq!(fence.admit(&id("r", "a", 5)), Admission::Begin);
        assert_eq!(fence.admit(&id("r", "a", 5)), Admission::Repeated);
        assert_eq!(refused(fence.admit(&id("r", "a", 4))), "attempt 4 of `a` was overtaken by attempt 5");
        assert_eq!(fence.admit(&id("r", "b", 4)), Admission::Begin);
        assert_eq!(fence.admit(&id("r", "a", 6)), Admission::Begin);
    }

    #[test]
    fn what_is_over_is_forgotten_and_still_refused() {
        let mut fence = Fence::default();
        for run in 0..1000 {
            assert_eq!(fence.admit(&id(&format!("r{run}"), "a", 10 * run + 1)), Admission::Begin);
            fence.retain(&["r0".into(), RunId::new(format!("r{run}"))].into(), Token(10 * run + 9));
            assert!(fence.newest.len() <= 2, "{fence:?}");
        }
        assert_eq!(refused(fence.admit(&id("r5", "a", 51))), "attempt 51 of `a` is of a run that is over");
        assert_eq!(refused(fence.admit(&id("r5", "b", 53))), "attempt 53 of `b` is of a run that is over");
        // A run that goes on has taken tokens long ago.
        assert_eq!(fence.admit(&id("r0", "a", 1)), Admission::Repeated);
        assert_eq!(fence.admit(&id("r0", "b", 2)), Admission::Begin);
        assert_eq!(refused(fence.admit(&id("r0", "a", 0))), "attempt 0 of `a` was overtaken by attempt 1");
        // A run that is gone on with takes new ones.
        assert_eq!(fence.admit(&id("r5", "a", 10_001)), Admission::Begin);
    }
}
