//! How often each may call: an allowance that fills up again while it is not used. Pure: time comes in.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;

/// What may come at once, in seconds' worth of calls: a console that opens, a script that begins.
const BURST_SECONDS: i64 = 10;
const SECOND_US: i64 = 1_000_000;
/// Callers that are remembered at once: a MiB or two. Those whose allowances are full need not be.
const CALLERS_MAX: usize = 10_000;

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Who {
    /// The id of a person who has signed in.
    Person(String),
    /// The id of an API key.
    Key(String),
    /// Nobody in particular, from here.
    Address(IpAddr),
}

/// The allowances of all who call.
pub(super) struct Rates {
    /// Microseconds that one call uses up.
    cost: i64,
    /// When the allowance of each is full again, in microseconds since 1970.
    full_at: HashMap<Who, i64>,
}

impl Rates {
    pub(super) fn new(per_second: NonZeroU32) -> Self {
        Self { cost: SECOND_US / i64::from(per_second.get()).min(SECOND_US), full_at: HashMap::new() }
    }

    /// Takes one call from an allowance at the time `now`, in milliseconds since 1970; else says for how many milliseconds none
    /// is taken.
    pub(super) fn take(&mut self, who: Who, now: i64) -> Result<(), i64> {
        let now = now * 1000;
        if self.full_at.len() >= CALLERS_MAX && !self.full_at.contains_key(&who) {
            self.forget(now);
        }
        let full_at = self.full_at.entry(who).or_insert(now);
        let next = (*full_at).max(now) + self.cost;
        let over = next - now - BURST_SECONDS * SECOND_US;
        if over > 0 {
            return Err((over + 999) / 1000);
        }
        *full_at = next;
        Ok(())
    }

    /// Forgets those who may call as often as if they never had; or else who has called least.
    fn forget(&mut self, now: i64) {
        self.full_at.retain(|_, full_at| *full_at > now);
        if self.full_at.len() >= CALLERS_MAX
            && let Some(least) = self.full_at.iter().min_by_key(|(_, full_at)| **full_at).map(|(who, _)| who.clone())
        {
            self.full_at.remove(&least);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str) -> Who {
        Who::Person(name.to_owned())
    }

    #[test]
    fn se_7_an_allowance_is_used_up_and_fills_again() {
        let mut rates = Rates::new(NonZeroU32::new(10).unwrap());
        for _ in 0..100 {
            assert_eq!(rates.take(of("ann"), 5_000), Ok(()));
        }
        assert_eq!(rates.take(of("ann"), 5_000), Err(100));
        assert_eq!(rates.take(of("ann"), 5_099), Err(1));
        assert_eq!(rates.take(of("bob"), 5_000), Ok(()), "another's");
        assert_eq!(rates.take(of("ann"), 5_100), Ok(()));
        assert_eq!(rates.take(of("ann"), 5_100), Err(100), "what is refused costs nothing");
        for _ in 0..100 {
            assert_eq!(rates.take(of("ann"), 60_000), Ok(()), "it is full again, and no more than that");
        }
        assert!(rates.take(of("ann"), 60_000).is_err());
    }

    #[test]
    fn few_are_remembered() {
        let mut rates = Rates::new(NonZeroU32::new(1).unwrap());
        for number in 0..CALLERS_MAX + 10 {
            assert_eq!(rates.take(of(&number.to_string()), 0), Ok(()));
        }
        assert_eq!(rates.full_at.len(), CALLERS_MAX);
        assert_eq!(rates.take(of("late"), 3_600_000), Ok(()));
        assert_eq!(rates.full_at.len(), 1);
    }
}
