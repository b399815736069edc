//! Failed logins that are still allowed, by address, by name, and apart from both for those who are known. Pure.
//!
//! A token is taken before a password is checked and given back if it was right, so that only failures cost any, and no
//! more of them than this can be learnt however many sessions guess at once.

use std::{
    hash::{BuildHasher as _, RandomState},
    net::IpAddr,
    time::{Duration, Instant},
};

use super::{
    bucket::{Bucket, Rate},
    origin::{Origin, Who},
    recent::Recent,
    throttle::Throttle,
};

/// Addresses and names that are remembered. Whoever was seen least recently makes way: the bucket that is lost is the
/// fullest one.
const REMEMBERED: usize = 10_000;

/// Addresses by which a name is known; the one that was longest not used makes way. Only a right password adds one, so
/// that nobody can be pushed out by a guesser.
const KNOWN_ADDRESSES: usize = 16;

/// How long a login makes its address known.
const LATELY: Duration = Duration::from_hours(30 * 24);

/// What a login has taken its token from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paid {
    /// The reserve of this name at this address.
    Known,
    /// The address's bucket and the name's.
    Strange,
}

/// How many others wait for the same tokens.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ahead {
    pub(super) origin: u32,
    pub(super) name: u32,
}

/// All buckets.
#[derive(Debug)]
pub(super) struct Budget {
    throttle: Throttle,
    hasher: RandomState,
    origins: Recent<Option<Origin>, Bucket>,
    names: Recent<u64, Bucket>,
    known: Recent<u64, Recent<Option<Origin>, Known>>,
}

#[derive(Debug)]
struct Known {
    since: Instant,
    bucket: Bucket,
}

impl Budget {
    pub(super) fn new(throttle: Throttle) -> Self {
        Self {
            throttle,
            hasher: RandomState::new(),
            origins: Recent::new(REMEMBERED),
            names: Recent::new(REMEMBERED),
            known: Recent::new(REMEMBERED),
        }
    }

    pub(super) fn who(&self, address: Option<IpAddr>, name: &str) -> Who {
        Who { origin: address.map(Origin::from), name: self.hasher.hash_one(name) }
    }

    /// Whether this address has logged in with this name lately.
    pub(super) fn is_known(&self, who: Who, now: Instant) -> bool {
        self.known(who, now).is_some()
    }

    /// The instant at which a password may be checked, after those `ahead` were.
    pub(super) fn ready(&self, who: Who, ahead: Ahead, now: Instant) -> Instant {
        if let Some(known) = self.known(who, now) {
            return known.bucket.ready(self.throttle.known, ahead.origin.min(ahead.name), now);
        }
        let ready =
            |bucket: Option<&Bucket>, rate: Rate, ahead| bucket.copied().unwrap_or_default().ready(rate, ahead, now);
        let of_origin = ready(self.origins.get(&who.origin), self.throttle.address, ahead.origin);
        of_origin.max(ready(self.names.get(&who.name), self.throttle.name, ahead.name))
    }

    /// Takes a token, which must be [ready](Self::ready).
    pub(super) fn take(&mut self, who: Who, now: Instant) -> Paid {
        let Throttle { address, name, known, .. } = self.throttle;
        if self.is_known(who, now)
            && let Some(reserve) = self.reserve(who)
        {
            reserve.bucket.take(known, now);
            return Paid::Known;
        }
        self.origins.entry(who.origin, Bucket::default).take(address, now);
        self.names.entry(who.name, Bucket::default).take(name, now);
        Paid::Strange
    }

    /// Gives a token back: the password was right, or was never checked.
    pub(super) fn give_back(&mut self, who: Who, paid: Paid) {
        let Throttle { address, name, known, .. } = self.throttle;
        match paid {
            Paid::Known => {
                if let Some(reserve) = self.reserve(who) {
                    reserve.bucket.give_back(known);
                }
            }
            Paid::Strange => {
                if let Some(bucket) = self.origins.get_mut(&who.origin) {
                    bucket.give_back(address);
                }
                if let Some(bucket) = self.names.get_mut(&who.name) {
                    bucket.give_back(name);
                }
            }
        }
    }

    /// Notes that the password was right.
    pub(super) fn remember(&mut self, who: Who, now: Instant) {
        let fresh = || Known { since: now, bucket: Bucket::default() };
        let addresses = self.known.entry(who.name, || Recent::new(KNOWN_ADDRESSES));
        addresses.entry(who.origin, fresh).since = now;
    }

    fn known(&self, who: Who, now: Instant) -> Option<&Known> {
        let known = self.known.get(&who.name)?.get(&who.origin)?;
        (now.saturating_duration_since(known.since) < LATELY).then_some(known)
    }

    fn reserve(&mut self, who: Who) -> Option<&mut Known> {
        self.known.get_mut(&who.name)?.get_mut(&who.origin)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Tokens that are there at once, and no other for an hour.
    const THROTTLE: Throttle =
        Throttle { tries: 5, address: rate(4), name: rate(6), known: rate(2), wait: Duration::from_secs(10) };

    const fn rate(burst: u32) -> Rate {
        Rate { burst, interval: Duration::from_hours(1) }
    }

    fn who(address: u8, name: &str) -> Who {
        let name = name.bytes().fold(0, |name, octet| name << 8 | u64::from(octet));
        Who { origin: Some(Origin::from(IpAddr::from([192, 0, 2, address]))), name }
    }

    /// A login with a wrong password, as far as it is let: whether it was checked.
    fn guess(budget: &mut Budget, who: Who, now: Instant) -> bool {
        let checked = budget.ready(who, Ahead::default(), now) <= now;
        if checked {
            budget.take(who, now);
        }
        checked
    }

    fn log_in(budget: &mut Budget, who: Who, now: Instant) -> bool {
        let checked = budget.ready(who, Ahead::default(), now) <= now;
        if checked {
            let paid = budget.take(who, now);
            budget.give_back(who, paid);
            budget.remember(who, now);
        }
        checked
    }

    #[test]
    fn guesses_end_by_address_whatever_the_names_and_by_name_whatever_the_addresses() {
        let (mut budget, now) = (Budget::new(THROTTLE), Instant::now());
        let of_address = (0..99).filter(|name| guess(&mut budget, who(1, &name.to_string()), now)).count();
        let of_name = (2..99).filter(|address| guess(&mut budget, who(*address, "alice"), now)).count();
        assert_eq!((of_address, of_name), (4, 6));
    }

    #[test]
    fn a_right_password_costs_nothing() {
        let (mut budget, now) = (Budget::new(THROTTLE), Instant::now());
        let alice = who(1, "alice");
        assert!((0..99).all(|_| log_in(&mut budget, alice, now)));
    }

    #[test]
    fn an_address_is_known_for_a_time_only() {
        let (mut budget, now) = (Budget::new(THROTTLE), Instant::now());
        let alice = who(1, "alice");
        log_in(&mut budget, alice, now);
        assert!(budget.is_known(alice, now) && !budget.is_known(alice, now + LATELY));
        assert_eq!(budget.take(alice, now + LATELY), Paid::Strange);
    }

    #[test]
    fn the_ten_thousand_and_first_address_is_limited_as_all_others_are() {
        let (mut budget, now) = (Budget::new(THROTTLE), Instant::now());
        for number in 0..=u32::try_from(REMEMBERED).unwrap() {
            let origin = Some(Origin::from(IpAddr::from(number.to_be_bytes())));
            let guesser = |name| Who { origin, name: u64::from(number) << 8 | name };
            let checked = (0..9).filter(|name| guess(&mut budget, guesser(*name), now)).count();
            assert_eq!(checked, 4);
        }
    }

    #[test]
    fn a_known_address_is_forgotten_only_for_others_that_logged_in_with_the_same_name() {
        let (mut budget, now) = (Budget::new(THROTTLE), Instant::now());
        let alice = who(0, "alice");
        log_in(&mut budget, alice, now);
        for address in 1..=u8::MAX {
            log_in(&mut budget, who(address, "bob"), now);
        }
        assert!(budget.is_known(alice, now));
        for address in 1..=u8::MAX {
            log_in(&mut budget, who(address, "alice"), now);
        }
        assert!(!budget.is_known(alice, now) && budget.is_known(who(u8::MAX, "alice"), now));
    }

    proptest! {
        /// Guessers at alice's address try other names, guessers elsewhere try hers: her login is not delayed.
        #[test]
        fn nobody_is_locked_out_who_has_logged_in_lately(
            guesses in prop::collection::vec((0..9_u8, 0..9_u8), 0..200),
        ) {
            let (mut budget, now) = (Budget::new(THROTTLE), Instant::now());
            let alice = who(0, "alice");
            log_in(&mut budget, alice, now);
            for (address, name) in guesses {
                let name = if address > 0 && name == 0 { "alice".to_owned() } else { format!("other{name}") };
                guess(&mut budget, who(address, &name), now);
                prop_assert!(log_in(&mut budget, alice, now));
            }
        }
    }
}
