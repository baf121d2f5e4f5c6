//! The brain of a node: which attempts it may start.

use std::collections::HashMap;

use flowetl_proto::control::AttemptId;
use flowetl_proto::id::{RunId, SegmentId, Token};

/// The greatest token seen per segment. An older attempt has been given up by the coordinator and must not start.
#[derive(Debug, Default)]
pub(super) struct Registry {
    newest: HashMap<(RunId, SegmentId), Token>,
}

/// What to do with a request to start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    Start,
    /// The same request came before: done already.
    Repeated,
    Fenced {
        by: Token,
    },
}

impl Registry {
    pub(super) fn admit(&mut self, id: &AttemptId) -> Admission {
        let newest = self.newest.entry((id.run.clone(), id.segment.clone())).or_insert(Token(i64::MIN));
        match id.token.cmp(newest) {
            std::cmp::Ordering::Less => Admission::Fenced { by: *newest },
            std::cmp::Ordering::Equal => Admission::Repeated,
            std::cmp::Ordering::Greater => {
                *newest = id.token;
                Admission::Start
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(segment: &str, token: i64) -> AttemptId {
        AttemptId { pipeline: "p".into(), run: "r".into(), segment: segment.into(), token: Token(token) }
    }

    #[test]
    fn an_older_attempt_never_starts_after_a_newer_one() {
        let mut registry = Registry::default();
        assert_eq!(registry.admit(&id("a", 5)), Admission::Start);
        assert_eq!(registry.admit(&id("a", 5)), Admission::Repeated);
        assert_eq!(registry.admit(&id("a", 4)), Admission::Fenced { by: Token(5) });
        assert_eq!(registry.admit(&id("b", 4)), Admission::Start);
        assert_eq!(registry.admit(&id("a", 6)), Admission::Start);
    }
}
