//! Slows the guessing of passwords: who failed often waits longer and longer. Pure: time comes in.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;

/// Failures that cost nothing: people mistype. An address may be a whole company's.
const FREE_FOR_PERSON: u32 = 5;
const FREE_FOR_ADDRESS: u32 = 20;
/// The first wait; each failure after it doubles it.
const FIRST_WAIT_MS: i64 = 1_000;
/// The longest: whoever wants to lock someone else out must go on for ever to do so.
const LONGEST_WAIT_MS: i64 = 60_000;
/// After so long without a failure all is forgotten.
const MEMORY_MS: i64 = 15 * 60_000;
/// Names and addresses that are remembered at once, of each: a few MiB. The oldest are forgotten first.
const ENTRIES_MAX: usize = 10_000;

/// What is remembered of failed sign-ins.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    people: HashMap<String, Failures>,
    addresses: HashMap<IpAddr, Failures>,
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    last_at: i64,
}

impl Throttle {
    /// Counts a try of `email`, in its one spelling, from `address` at the time `now` as failed until [`Self::succeeded`]; else
    /// says for how many milliseconds none is taken. Tries are counted before they are made, so that many at once are no way around.
    pub(crate) fn begin(&mut self, email: &str, address: IpAddr, now: i64) -> Result<(), i64> {
        let address = network(address);
        let waits = [
            wait(self.people.get(email), FREE_FOR_PERSON, now),
            wait(self.addresses.get(&address), FREE_FOR_ADDRESS, now),
        ];
        let wait = waits.into_iter().max().unwrap_or(0);
        if wait > 0 {
            return Err(wait);
        }
        count(&mut self.people, email.to_owned(), now);
        count(&mut self.addresses, address, now);
        Ok(())
    }

    /// The try that was begun last was right: the person's failures are forgotten. The address's are not but for this one:
    /// one's own password must not open the way to guess others'.
    pub(crate) fn succeeded(&mut self, email: &str, address: IpAddr) {
        self.people.remove(email);
        if let Some(failures) = self.addresses.get_mut(&network(address)) {
            failures.count = failures.count.saturating_sub(1);
        }
    }
}

/// What one customer of a network has: one address of IPv4, 2^64 of IPv6.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(six) => IpAddr::V6((six.to_bits() >> 64 << 64).into()),
        four => four,
    }
}

/// For how many milliseconds no try is taken.
fn wait(failures: Option<&Failures>, free: u32, now: i64) -> i64 {
    let Some(failures) = failures.filter(|f| now - f.last_at < MEMORY_MS && f.count >= free) else { return 0 };
    let doublings = (failures.count - free).min(16);
    let wait = (FIRST_WAIT_MS << doublings).min(LONGEST_WAIT_MS);
    (failures.last_at + wait - now).max(0)
}

fn count<K: Hash + Eq + Clone>(known: &mut HashMap<K, Failures>, key: K, now: i64) {
    if known.len() >= ENTRIES_MAX && !known.contains_key(&key) {
        known.retain(|_, failures| now - failures.last_at < MEMORY_MS);
        let oldest = known.iter().min_by_key(|(_, failures)| failures.last_at).map(|(key, _)| key.clone());
        if let Some(oldest) = oldest.filter(|_| known.len() >= ENTRIES_MAX) {
            known.remove(&oldest);
        }
    }
    let failures = known.entry(key).or_insert(Failures { count: 0, last_at: now });
    if now - failures.last_at >= MEMORY_MS {
        failures.count = 0;
    }
    *failures = Failures { count: failures.count.saturating_add(1), last_at: now };
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn elsewhere(number: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, number])
    }

    #[test]
    fn guessing_one_persons_password_gets_slower_from_anywhere() {
        let mut throttle = Throttle::default();
        for number in 0..5 {
            assert_eq!(throttle.begin("ann@x", elsewhere(number), 0), Ok(()));
        }
        assert_eq!(throttle.begin("ann@x", elsewhere(6), 0), Err(1_000));
        assert_eq!(throttle.begin("ann@x", elsewhere(6), 999), Err(1));
        assert_eq!(throttle.begin("ann@x", elsewhere(6), 1_000), Ok(()));
        assert_eq!(throttle.begin("ann@x", elsewhere(7), 1_000), Err(2_000), "twice as long");
        assert_eq!(throttle.begin("bob@x", elsewhere(7), 1_000), Ok(()), "another person");
        let mut now = 3_000;
        for _ in 0..40 {
            assert_eq!(throttle.begin("ann@x", HERE, now), Ok(()));
            let longest = throttle.begin("ann@x", elsewhere(9), now).unwrap_err();
            assert!(longest <= LONGEST_WAIT_MS);
            now += LONGEST_WAIT_MS;
        }
        assert_eq!(throttle.begin("ann@x", HERE, now + MEMORY_MS), Ok(()));
        assert_eq!(throttle.begin("ann@x", HERE, now + MEMORY_MS), Ok(()), "forgotten");
    }

    #[test]
    fn guessing_from_one_address_gets_slower_for_anyone() {
        let mut throttle = Throttle::default();
        for number in 0..20 {
            assert_eq!(throttle.begin(&format!("{number}@x"), HERE, 0), Ok(()));
        }
        assert!(throttle.begin("21@x", HERE, 0).is_err());
        assert_eq!(throttle.begin("21@x", elsewhere(1), 0), Ok(()));
        // Who knows one password cannot use it to forget what failed.
        throttle.succeeded("19@x", HERE);
        assert_eq!(throttle.begin("19@x", HERE, 0), Ok(()));
        assert!(throttle.begin("19@x", HERE, 0).is_err());
    }

    #[test]
    fn all_that_one_customer_has_is_one_address() {
        let six = |text: &str| network(text.parse().unwrap());
        assert_eq!(six("2001:db8:1:2:3::4"), six("2001:db8:1:2::"));
        assert_ne!(six("2001:db8:1:2::"), six("2001:db8:1:3::"));
        assert_eq!(network(HERE), HERE);
    }

    #[test]
    fn little_is_remembered() {
        let mut throttle = Throttle::default();
        for number in 0..ENTRIES_MAX as i64 + 10 {
            let _ =
                throttle.begin(&format!("{number}@x"), elsewhere((number % 250) as u8), number * LONGEST_WAIT_MS / 100);
        }
        assert!(throttle.people.len() <= ENTRIES_MAX);
    }
}
