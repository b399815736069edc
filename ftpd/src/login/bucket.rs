//! A token bucket in one instant (the generic cell rate algorithm).

use std::time::{Duration, Instant};

/// How many failed logins are allowed.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// Failures in a row, one after the other at once.
    pub burst: u32,
    /// The time after which one more is allowed.
    pub interval: Duration,
}

/// The instant at which the bucket is full; none if it has never been used.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bucket(Option<Instant>);

impl Bucket {
    /// When a token can be taken, after `ahead` others were.
    pub(super) fn ready(self, rate: Rate, ahead: u32, now: Instant) -> Instant {
        let full = self.0.unwrap_or(now).max(now);
        // Full is one token more than the last one of a burst needs.
        let allowed = rate.interval.saturating_mul(rate.burst.saturating_sub(1));
        let wanted = full + rate.interval.saturating_mul(ahead);
        wanted.checked_sub(allowed).unwrap_or(now).max(now)
    }

    pub(super) fn take(&mut self, rate: Rate, now: Instant) {
        self.0 = Some(self.0.unwrap_or(now).max(now) + rate.interval);
    }

    /// Takes back a [`Self::take`].
    pub(super) fn give_back(&mut self, rate: Rate) {
        self.0 = self.0.and_then(|full| full.checked_sub(rate.interval));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RATE: Rate = Rate { burst: 3, interval: Duration::from_secs(10) };

    #[test]
    fn a_burst_is_allowed_and_then_one_token_each_interval() {
        let (mut bucket, now) = (Bucket::default(), Instant::now());
        for _ in 0..RATE.burst {
            assert_eq!(bucket.ready(RATE, 0, now), now);
            bucket.take(RATE, now);
        }
        assert_eq!(bucket.ready(RATE, 0, now), now + RATE.interval);
        assert_eq!(bucket.ready(RATE, 2, now), now + RATE.interval * 3);
        let full = now + RATE.interval * RATE.burst;
        assert_eq!(bucket.ready(RATE, RATE.burst - 1, full), full);
    }

    proptest! {
        #[test]
        fn no_span_holds_more_tokens_than_its_length_allows(steps in prop::collection::vec(0..30_u64, 1..200)) {
            let (mut bucket, begin) = (Bucket::default(), Instant::now());
            let (mut now, mut taken) = (begin, Vec::new());
            for step in steps {
                now += Duration::from_secs(step);
                if bucket.ready(RATE, 0, now) <= now {
                    bucket.take(RATE, now);
                    taken.push(now);
                }
            }
            for (first, from) in taken.iter().enumerate() {
                for (last, to) in taken.iter().enumerate().skip(first) {
                    let span = (*to - *from).as_secs() / RATE.interval.as_secs();
                    prop_assert!((last - first + 1) as u64 <= u64::from(RATE.burst) + span);
                }
            }
        }

        #[test]
        fn a_token_given_back_leaves_no_trace(used in 0..5_u32, later in 0..60_u64) {
            let (mut bucket, begin) = (Bucket::default(), Instant::now());
            (0..used).for_each(|_| bucket.take(RATE, begin));
            let now = begin + Duration::from_secs(later);
            let before = bucket.ready(RATE, 0, now);
            if before <= now {
                bucket.take(RATE, now);
                bucket.give_back(RATE);
                let ready = Bucket::ready(bucket, RATE, RATE.burst - 1, now);
                prop_assert_eq!(bucket.ready(RATE, RATE.burst - 1, now).max(now), ready);
                prop_assert_eq!(bucket.ready(RATE, 0, now), before);
            }
        }
    }
}
