//! Logins that wait for their turn: a bounded line in which no address stands before another for long. Pure.

use std::collections::{BTreeMap, HashMap};

use super::{
    budget::Ahead,
    origin::{Origin, Who},
};

/// Logins that wait at once: as many as can be checked in a few seconds.
const CAPACITY: usize = 256;

/// A place in the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticket(u64);

/// The line. Addresses take turns, and within an address names do.
#[derive(Debug)]
pub(super) struct Turns<T> {
    waiting: BTreeMap<Ticket, (Who, T)>,
    /// The order of addresses: whoever joins or was served goes to its end.
    origins: HashMap<Option<Origin>, u64>,
    /// The order of names within each address.
    names: HashMap<Who, u64>,
    counter: u64,
}

impl<T> Default for Turns<T> {
    fn default() -> Self {
        Self { waiting: BTreeMap::new(), origins: HashMap::new(), names: HashMap::new(), counter: 0 }
    }
}

impl<T> Turns<T> {
    /// Joins the line. Where it is full, the last of the address with the most logins in it makes way for one of an
    /// address with fewer; `None` if there is no such address.
    pub(super) fn join(&mut self, who: Who, item: T) -> Option<Ticket> {
        if self.waiting.len() >= CAPACITY {
            self.leave(self.last_of_longest(who.origin)?);
        }
        let ticket = Ticket(self.count());
        let end = self.counter;
        self.origins.entry(who.origin).or_insert(end);
        self.names.entry(who).or_insert(end);
        self.waiting.insert(ticket, (who, item));
        Some(ticket)
    }

    /// Leaves the line: whether it was still in it.
    pub(super) fn leave(&mut self, ticket: Ticket) -> bool {
        self.remove(ticket).is_some()
    }

    /// Serves the next login of those that are `ready`.
    pub(super) fn next(&mut self, mut ready: impl FnMut(Who) -> bool) -> Option<(Who, T)> {
        let candidates = self.waiting.iter().filter(|(_, (who, _))| ready(*who));
        let position = |ticket: Ticket, who: Who| (self.origins.get(&who.origin), self.names.get(&who), ticket);
        let next = candidates.min_by_key(|(ticket, (who, _))| position(**ticket, *who));
        let served = self.remove(*next?.0)?;
        let end = self.count();
        self.origins.entry(served.0.origin).and_modify(|position| *position = end);
        self.names.entry(served.0).and_modify(|position| *position = end);
        Some(served)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Everybody in the line.
    pub(super) fn iter(&self) -> impl Iterator<Item = Who> {
        self.waiting.values().map(|(who, _)| *who)
    }

    /// How many wait for the same tokens as `who`.
    pub(super) fn ahead(&self, who: Who) -> Ahead {
        self.iter().fold(Ahead::default(), |ahead, other| Ahead {
            origin: ahead.origin + u32::from(other.origin == who.origin),
            name: ahead.name + u32::from(other.name == who.name),
        })
    }

    fn last_of_longest(&self, newcomer: Option<Origin>) -> Option<Ticket> {
        let mut lines: HashMap<Option<Origin>, (u32, Ticket)> = HashMap::new();
        for (ticket, (who, _)) in &self.waiting {
            let line = lines.entry(who.origin).or_insert((0, *ticket));
            *line = (line.0 + 1, *ticket);
        }
        let own = lines.get(&newcomer).map_or(0, |(length, _)| *length);
        let (length, last) = lines.into_values().max()?;
        (length > own + 1).then_some(last)
    }

    fn remove(&mut self, ticket: Ticket) -> Option<(Who, T)> {
        let (who, item) = self.waiting.remove(&ticket)?;
        if !self.iter().any(|other| other == who) {
            self.names.remove(&who);
        }
        if !self.iter().any(|other| other.origin == who.origin) {
            self.origins.remove(&who.origin);
        }
        Some((who, item))
    }

    fn count(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use proptest::prelude::*;

    use super::*;

    fn who(address: u32, name: u64) -> Who {
        Who { origin: Some(Origin::from(IpAddr::from(address.to_be_bytes()))), name }
    }

    /// A line in which these addresses wait, in this order.
    fn line(addresses: &[u32]) -> Turns<u32> {
        let mut turns = Turns::default();
        for address in addresses {
            turns.join(who(*address, 0), *address).unwrap();
        }
        turns
    }

    fn served(turns: &mut Turns<u32>) -> Vec<u32> {
        std::iter::from_fn(|| turns.next(|_| true)).map(|(_, address)| address).collect()
    }

    #[test]
    fn addresses_take_turns() {
        assert_eq!(served(&mut line(&[1, 1, 1, 2, 3, 2])), [1, 2, 3, 1, 2, 1]);
    }

    #[test]
    fn names_of_one_address_take_turns() {
        let mut turns = Turns::default();
        for name in [7, 7, 7, 8] {
            turns.join(who(1, name), name).unwrap();
        }
        let names: Vec<u64> = std::iter::from_fn(|| turns.next(|_| true)).map(|(_, name)| name).collect();
        assert_eq!(names, [7, 8, 7, 7]);
    }

    #[test]
    fn who_is_not_ready_keeps_the_turn_and_does_not_hold_up_others() {
        let mut turns = line(&[1, 2, 2]);
        let first = turns.next(|other| other != who(1, 0));
        assert_eq!(first.map(|(_, address)| address), Some(2));
        assert_eq!(served(&mut turns), [1, 2]);
    }

    #[test]
    fn a_full_line_takes_in_an_address_with_fewer_logins_than_another_has() {
        let mut turns = line(&[1; CAPACITY]);
        assert_eq!(turns.join(who(1, 0), 1), None);
        assert!(turns.join(who(2, 0), 2).is_some());
        assert_eq!(served(&mut turns)[..3], [1, 2, 1]);
        let everybody: Vec<u32> = (0..CAPACITY.try_into().unwrap()).collect();
        assert_eq!(line(&everybody).join(who(u32::MAX, 0), 0), None);
    }

    #[test]
    fn whoever_leaves_is_not_served() {
        let mut turns = line(&[1, 2]);
        let ticket = turns.join(who(3, 0), 3).unwrap();
        assert!(turns.leave(ticket) && !turns.leave(ticket));
        assert_eq!(served(&mut turns), [1, 2]);
    }

    proptest! {
        #[test]
        fn whoever_waits_is_served_after_every_other_address_once_at_most(
            events in prop::collection::vec(prop::option::weighted(0.7, 0..5_u32), 0..300),
        ) {
            let mut turns = Turns::default();
            let mut passed_over: HashMap<u32, u32> = HashMap::new();
            for event in events {
                if let Some(address) = event {
                    turns.join(who(address, 0), address);
                    passed_over.entry(address).or_default();
                } else if let Some((_, address)) = turns.next(|_| true) {
                    passed_over.remove(&address);
                    for times in passed_over.values_mut() {
                        *times += 1;
                    }
                    if turns.iter().any(|other| other == who(address, 0)) {
                        passed_over.insert(address, 0);
                    }
                }
                prop_assert!(passed_over.values().all(|times| *times < 5));
                prop_assert!(turns.waiting.len() <= CAPACITY);
                let waiting: std::collections::HashSet<_> = turns.iter().map(|who| who.origin).collect();
                prop_assert_eq!(turns.origins.len(), waiting.len());
            }
        }
    }
}
