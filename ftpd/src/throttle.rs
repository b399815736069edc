//! How failed logins are slowed down: by session, and by address over all its sessions.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Failures of an address count for so long after the last one.
const MEMORY: Duration = Duration::from_mins(10);

/// Addresses that are remembered; one more is slowed down by its session only.
const MAX_PEERS: usize = 10_000;

/// How failed logins are slowed down. Only failures wait: whoever shares an address with a guesser and knows the
/// password is let in at once.
#[derive(Clone, Copy, Debug)]
pub struct Throttle {
    /// Waited after the first failure; twice as long after each further one, up to 64 times.
    pub first_delay: Duration,
    /// Failures after which the session ends.
    pub tries: u32,
}

impl Default for Throttle {
    fn default() -> Self {
        Self { first_delay: Duration::from_millis(250), tries: 5 }
    }
}

impl Throttle {
    /// How long the answer to the `failures`-th failure is held back.
    pub(crate) fn delay(&self, failures: u32) -> Duration {
        self.first_delay.saturating_mul(1 << failures.saturating_sub(1).min(6))
    }
}

/// The failures of each address.
#[derive(Debug, Default)]
pub(crate) struct Failures(Mutex<HashMap<IpAddr, Record>>);

#[derive(Clone, Copy, Debug)]
struct Record {
    count: u32,
    last: Instant,
}

impl Failures {
    /// Notes a failure: how many of this address are remembered, with this one.
    pub(crate) fn note(&self, peer: IpAddr, now: Instant) -> u32 {
        let mut peers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if peers.len() >= MAX_PEERS && !peers.contains_key(&peer) {
            peers.retain(|_, record| record.is_remembered(now));
            if peers.len() >= MAX_PEERS {
                return 1;
            }
        }
        let record = peers.entry(peer).or_insert(Record { count: 0, last: now });
        let before = if record.is_remembered(now) { record.count } else { 0 };
        *record = Record { count: before.saturating_add(1), last: now };
        record.count
    }
}

impl Record {
    fn is_remembered(&self, now: Instant) -> bool {
        now.duration_since(self.last) < MEMORY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_doubles_the_delay_up_to_a_bound() {
        let throttle = Throttle { first_delay: Duration::from_millis(10), tries: 5 };
        let delays: Vec<u128> = [1, 2, 3, 100].map(|failures| throttle.delay(failures).as_millis()).to_vec();
        assert_eq!(delays, [10, 20, 40, 640]);
    }

    #[test]
    fn failures_of_one_address_add_up_and_are_forgotten() {
        let failures = Failures::default();
        let (one, other) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let now = Instant::now();
        assert_eq!([failures.note(one, now), failures.note(one, now), failures.note(other, now)], [1, 2, 1]);
        assert_eq!(failures.note(one, now + MEMORY), 1);
    }

    #[test]
    fn no_more_addresses_are_remembered_than_there_is_room_for() {
        let failures = Failures::default();
        let now = Instant::now();
        for number in 0..=u32::try_from(MAX_PEERS).unwrap() {
            failures.note(IpAddr::from(number.to_be_bytes()), now);
        }
        assert_eq!(failures.0.lock().unwrap().len(), MAX_PEERS);
        failures.note(IpAddr::from([255, 0, 0, 1]), now + MEMORY);
        assert_eq!(failures.0.lock().unwrap().len(), 1);
    }
}
