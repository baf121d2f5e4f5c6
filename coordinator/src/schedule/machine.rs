//! What becomes of the times of a schedule: the brain. Pure: time comes in.
//!
//! A time is on time while it is not older than [`ON_TIME_MS`]; what is older has been missed: nobody was there to begin its
//! run. A run of the pipeline may also be under way when a time comes. Of both:
//!
//! | `missed` | times that were missed | a run is under way |
//! |---|---|---|
//! | `skip` | leave no trace | the time leaves no trace |
//! | `run_now` | one run for all of them, now | one run for all that come meanwhile, when it has ended |
//! | `queue` | a run for each, one after the other, oldest first | a run for each, when it has ended |

use flowetl_proto::cron::{Cron, Zone};

use super::Missed;

/// A minute is what cron counts in, and longer than another coordinator takes to lead.
pub(crate) const ON_TIME_MS: i64 = 60_000;
/// Times of one schedule that wait; those beyond leave no trace. A day of one each quarter of an hour.
pub(crate) const QUEUE_MAX: usize = 96;

/// What is known of a schedule whose time has come.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub cron: Cron,
    pub zone: Zone,
    pub missed: Missed,
    /// The first of its times that nothing was decided about; milliseconds since 1970, as all here.
    pub next_at: i64,
    /// Its times that wait for their runs.
    pub waiting: usize,
    /// Whether a run of its pipeline has not ended.
    pub is_busy: bool,
}

/// What is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decision {
    /// Times that get runs.
    pub ticks: Vec<i64>,
    /// The first that nothing is decided about; `None` where there is none for decades.
    pub next_at: Option<i64>,
}

/// Decides about all times of a schedule up to `now`.
pub(crate) fn step(state: &State, now: i64) -> Decision {
    let next = |after: i64| state.cron.next(after, state.zone);
    let window = (state.next_at - 1).max(now - ON_TIME_MS);
    let (mut newest, mut coming) = (None, next(window));
    while let Some(at) = coming.filter(|at| *at <= now) {
        (newest, coming) = (Some(at), next(at));
    }
    let ticks = match state.missed {
        _ if state.next_at > now => Vec::new(),
        Missed::Skip if state.is_busy || state.waiting > 0 => Vec::new(),
        Missed::Skip => newest.into_iter().collect(),
        Missed::RunNow if state.waiting > 0 => Vec::new(),
        Missed::RunNow => vec![newest.unwrap_or(state.next_at)],
        Missed::Queue => {
            let all = std::iter::successors(Some(state.next_at), |at| next(*at)).take_while(|at| *at <= now);
            all.take(QUEUE_MAX.saturating_sub(state.waiting)).collect()
        }
    };
    Decision { ticks, next_at: coming }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;
    const HOUR: i64 = 60 * MINUTE;

    fn hourly(missed: Missed) -> State {
        let cron = "0 * * * *".parse().unwrap();
        State { cron, zone: Zone::UTC, missed, next_at: 10 * HOUR, waiting: 0, is_busy: false }
    }

    #[track_caller]
    fn check(state: State, now: i64, ticks: &[i64]) {
        let decision = step(&state, now);
        assert_eq!(decision.ticks, ticks, "{state:?} at {now}");
        let next = state.cron.next(now.max(state.next_at - 1), state.zone);
        assert_eq!(decision.next_at, next, "{state:?} at {now}");
    }

    #[test]
    fn a_time_that_has_come_gets_a_run() {
        for missed in [Missed::Skip, Missed::RunNow, Missed::Queue] {
            check(hourly(missed), 10 * HOUR - 1, &[]);
            check(hourly(missed), 10 * HOUR, &[10 * HOUR]);
            check(hourly(missed), 10 * HOUR + MINUTE - 1, &[10 * HOUR]);
        }
    }

    #[test]
    fn sc_6_of_three_missed_times_each_policy_makes_what_it_says() {
        let awake = 12 * HOUR + 30 * MINUTE;
        check(hourly(Missed::Skip), awake, &[]);
        check(hourly(Missed::RunNow), awake, &[10 * HOUR]);
        check(hourly(Missed::Queue), awake, &[10 * HOUR, 11 * HOUR, 12 * HOUR]);
        // Awake when one comes just now: that one is not missed.
        let on_time = 12 * HOUR + 10_000;
        check(hourly(Missed::Skip), on_time, &[12 * HOUR]);
        check(hourly(Missed::RunNow), on_time, &[12 * HOUR]);
        check(hourly(Missed::Queue), on_time, &[10 * HOUR, 11 * HOUR, 12 * HOUR]);
    }

    #[test]
    fn sc_6_a_run_under_way_is_waited_for_or_not() {
        let busy = |missed| State { is_busy: true, ..hourly(missed) };
        check(busy(Missed::Skip), 10 * HOUR, &[]);
        check(busy(Missed::RunNow), 10 * HOUR, &[10 * HOUR]);
        check(busy(Missed::Queue), 10 * HOUR, &[10 * HOUR]);
        let waits = |missed| State { waiting: 1, ..busy(missed) };
        check(waits(Missed::Skip), 10 * HOUR, &[]);
        check(waits(Missed::RunNow), 10 * HOUR, &[]);
        check(waits(Missed::Queue), 10 * HOUR, &[10 * HOUR]);
    }

    #[test]
    fn a_queue_ends() {
        let month = 10 * HOUR + 30 * 24 * HOUR;
        let ticks = step(&hourly(Missed::Queue), month).ticks;
        assert_eq!((ticks.len(), ticks[0]), (QUEUE_MAX, 10 * HOUR));
        let full = State { waiting: QUEUE_MAX, ..hourly(Missed::Queue) };
        check(full, month, &[]);
    }

    #[test]
    fn a_long_sleep_of_a_fast_schedule_is_decided_at_once() {
        let state = State { cron: "* * * * * *".parse().unwrap(), ..hourly(Missed::Skip) };
        let year = 10 * HOUR + 365 * 24 * HOUR;
        assert_eq!(step(&state, year), Decision { ticks: vec![year], next_at: Some(year + 1000) });
    }
}
