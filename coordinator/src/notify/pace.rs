//! When what was not taken is tried again: the brain.

use std::time::Duration;

/// How patiently is delivered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// How often it is looked for something new.
    pub look_every: Duration,
    /// How long one try may take.
    pub try_limit: Duration,
    /// The wait after the first try; each is four times the one before.
    pub first_wait: Duration,
    /// The longest.
    pub longest_wait: Duration,
}

/// Tries of one delivery. With the waits between them, of at most 1.2 times 5 s, 20 s, 80 s, 5 min, 21 min, 85 min, 5.7 h, 6 h
/// and 6 h, the last one is made within a day.
pub(crate) const TRIES_MAX: i64 = 10;

impl Default for Pace {
    fn default() -> Self {
        Self {
            look_every: Duration::from_secs(1),
            try_limit: Duration::from_secs(10),
            first_wait: Duration::from_secs(5),
            longest_wait: Duration::from_secs(6 * 3600),
        }
    }
}

impl Pace {
    /// How long to wait after so many tries; `None` where there is to be no other. `random`, from 0 to 1, spreads those of
    /// many by a fifth to both sides.
    pub(super) fn wait(&self, tries: i64, random: f64) -> Option<Duration> {
        let before = u32::try_from(tries - 1).ok().filter(|_| tries < TRIES_MAX)?;
        let wait = self.first_wait.saturating_mul(4_u32.saturating_pow(before)).min(self.longest_wait);
        Some(wait.mul_f64(0.8 + 0.4 * random))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end_within_a_day() {
        let pace = Pace::default();
        let seconds = |tries, random| pace.wait(tries, random).map(|wait| wait.as_secs_f64().round());
        assert_eq!([seconds(1, 0.5), seconds(2, 0.5), seconds(3, 0.5)], [Some(5.0), Some(20.0), Some(80.0)]);
        assert_eq!((seconds(1, 0.0), seconds(1, 1.0)), (Some(4.0), Some(6.0)));
        assert_eq!(seconds(8, 0.5), Some(6.0 * 3600.0));
        assert_eq!(pace.wait(TRIES_MAX, 0.5), None);
        let longest: f64 =
            (1..TRIES_MAX).filter_map(|tries| pace.wait(tries, 1.0)).map(|wait| wait.as_secs_f64()).sum();
        assert!(longest + 10.0 * TRIES_MAX as f64 <= 24.0 * 3600.0, "{longest}");
    }
}
