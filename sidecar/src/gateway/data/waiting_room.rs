//! Connections that have yet to prove whose they are. Their number is limited, in all and from one address. One more
//! takes the place of the one that has waited longest: a client needs its place for a round trip, a stranger keeps it
//! for as long as it can.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use safetp_protocol::origin::Origin;
use tokio_util::sync::CancellationToken;

/// One address, which thousands of clients may share, gets one in so many of all places.
const PART_OF_ONE: usize = 2;

#[derive(Debug)]
pub(crate) struct WaitingRoom(Mutex<Seats>);

#[derive(Debug)]
struct Seats {
    most: usize,
    next: u64,
    /// In the order in which they came.
    waiting: BTreeMap<u64, (Origin, CancellationToken)>,
    by_origin: HashMap<Origin, BTreeSet<u64>>,
}

/// One connection's place, given up when dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    room: Arc<WaitingRoom>,
    number: u64,
    displaced: CancellationToken,
}

impl WaitingRoom {
    pub(crate) fn new(most: usize) -> Self {
        Self(Mutex::new(Seats { most, next: 0, waiting: BTreeMap::new(), by_origin: HashMap::new() }))
    }

    pub(crate) fn enter(self: &Arc<Self>, peer: IpAddr) -> Seat {
        let displaced = CancellationToken::new();
        let number = self.lock().enter(peer.into(), displaced.clone());
        Seat { room: Arc::clone(self), number, displaced }
    }

    fn lock(&self) -> MutexGuard<'_, Seats> {
        // The bookkeeping stays whole whatever a panicking holder was doing: each call on it is complete in itself.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seats {
    fn enter(&mut self, origin: Origin, displaced: CancellationToken) -> u64 {
        let of_origin = self.by_origin.get(&origin).filter(|numbers| numbers.len() >= self.most / PART_OF_ONE);
        let oldest_of_origin = of_origin.and_then(BTreeSet::first).copied();
        let oldest = self.waiting.keys().next().copied().filter(|_| self.waiting.len() >= self.most);
        if let Some((_, token)) = oldest_of_origin.or(oldest).and_then(|number| self.leave(number)) {
            token.cancel();
        }
        let number = self.next;
        self.next += 1;
        self.waiting.insert(number, (origin, displaced));
        self.by_origin.entry(origin).or_default().insert(number);
        number
    }

    fn leave(&mut self, number: u64) -> Option<(Origin, CancellationToken)> {
        let (origin, token) = self.waiting.remove(&number)?;
        if let Some(numbers) = self.by_origin.get_mut(&origin) {
            numbers.remove(&number);
            if numbers.is_empty() {
                self.by_origin.remove(&origin);
            }
        }
        Some((origin, token))
    }
}

impl Seat {
    /// Waits until another connection needs the place.
    pub(crate) async fn displaced(&self) {
        self.displaced.cancelled().await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.room.lock().leave(self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: usize = 64;
    const MOST_OF_ONE: usize = 32;

    fn enter(room: &Arc<WaitingRoom>, address: &str, count: usize) -> Vec<Seat> {
        (0..count).map(|_| room.enter(address.parse().unwrap())).collect()
    }

    fn displaced(seats: &[Seat]) -> Vec<usize> {
        seats.iter().enumerate().filter(|(_, seat)| seat.displaced.is_cancelled()).map(|(index, _)| index).collect()
    }

    #[test]
    fn over_the_limit_of_an_address_its_own_oldest_connection_goes() {
        let room = Arc::new(WaitingRoom::new(MOST));
        let other = enter(&room, "198.51.100.2", 1);
        let mut seats = enter(&room, "198.51.100.1", MOST_OF_ONE);
        assert!(displaced(&seats).is_empty());
        seats.extend(enter(&room, "198.51.100.1", 2));
        assert_eq!((displaced(&seats), displaced(&other)), (vec![0, 1], vec![]));
    }

    #[test]
    fn an_ipv6_network_counts_as_one_address() {
        let room = Arc::new(WaitingRoom::new(MOST));
        let mut seats = enter(&room, "2001:db8::1", MOST_OF_ONE);
        seats.extend(enter(&room, "2001:db8::ffff:1", 1));
        assert_eq!(displaced(&seats), [0]);
    }

    #[test]
    fn over_the_limit_of_all_the_oldest_connection_goes() {
        let room = Arc::new(WaitingRoom::new(MOST));
        let mut seats = enter(&room, "198.51.100.1", MOST_OF_ONE - 1);
        seats.extend(enter(&room, "198.51.100.2", MOST_OF_ONE));
        seats.extend(enter(&room, "198.51.100.3", 2));
        assert_eq!(displaced(&seats), [0]);
    }

    #[test]
    fn a_closed_connection_frees_its_place() {
        let room = Arc::new(WaitingRoom::new(MOST));
        let mut seats = enter(&room, "198.51.100.1", MOST_OF_ONE);
        seats.pop();
        seats.extend(enter(&room, "198.51.100.1", 1));
        assert!(displaced(&seats).is_empty());
        drop(seats);
        assert!(room.lock().waiting.is_empty() && room.lock().by_origin.is_empty());
    }
}
