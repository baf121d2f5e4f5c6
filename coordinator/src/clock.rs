//! The only place that reads the clock, draws random numbers and makes ids.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use flowetl_proto::id::RunId;
use ring::rand::{SecureRandom, SystemRandom};
use uuid::Uuid;

use crate::run::Moment;
use crate::{Error, Result};

/// Milliseconds since 1970.
pub(crate) fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

/// Now, with a number to spread retries with.
pub(crate) fn moment() -> Moment {
    // Every `RandomState` has keys of its own; 53 bits of its hash are a fraction.
    let random = (RandomState::new().hash_one(0) >> 11) as f64 / (1_u64 << 53) as f64;
    Moment { now: now(), random }
}

pub(crate) fn new_run_id() -> RunId {
    RunId::new(Uuid::now_v7().to_string())
}

/// Names this start of this process.
pub(crate) fn new_process_id() -> String {
    new_id()
}

/// A UUID, greater than those before it.
pub(crate) fn new_id() -> String {
    Uuid::now_v7().to_string()
}

/// Bytes that nobody can guess.
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Error::Random)?;
    Ok(bytes)
}

/// How long it is until `at`; nothing if that is past.
pub(crate) fn until(at: i64) -> Duration {
    Duration::from_millis(u64::try_from(at - now()).unwrap_or(0))
}
