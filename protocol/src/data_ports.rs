//! Who waits on which data port. A port is held only until its connection is accepted, and by several sessions at once
//! if something tells them apart: their peers' addresses, or their TLS tickets. So a few ports carry many transfers.

use std::{
    collections::{HashMap, VecDeque},
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    ops::RangeInclusive,
    time::{Duration, Instant},
};

/// How long PASV waits for a free port before 425.
pub const QUEUE_TIME: Duration = Duration::from_secs(5);

/// One port in so many is not given to those who can share while others can be shared.
const SPARED: usize = 4;

/// How long a slot goes on waiting for its connection after one that proved nothing was dropped there: that one may
/// have been a stranger's, or the only one that will ever come.
pub const DOUBT_TIME: Duration = Duration::from_secs(3);

/// A session, by a number that no other session of this process ever has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u64);

/// Whose connection a slot waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// Only this address's: others may wait on the same port for theirs.
    Exactly(IpAddr),
    /// Anyone's: the port is held alone.
    Anyone,
}

impl Peer {
    fn is(self, address: IpAddr) -> bool {
        self == Self::Anyone || self == Self::Exactly(address)
    }

    fn overlaps(self, other: Self) -> bool {
        self == Self::Anyone || other == Self::Anyone || self == other
    }
}

/// What a session can say of the connection that it waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// From where it comes.
    pub peer: Peer,
    /// When it proves by a TLS ticket whose it is.
    pub ticket: Ticket,
}

/// When a connection must prove by a TLS ticket whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ticket {
    /// It cannot: nobody else may wait for the same peer on the same port.
    Never,
    /// If several sessions wait for the same peer on the same port.
    WhenShared,
    /// In any case.
    Always,
}

impl Claim {
    fn conflicts(self, other: Self) -> bool {
        let told_apart = self.ticket != Ticket::Never && other.ticket != Ticket::Never;
        !told_apart && self.peer.overlaps(other.peer)
    }
}

/// Whose a connection is that has just been accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// This session's, whose slot it has used up.
    Of(SessionId),
    /// One of several, which its handshake tells: then [`DataPorts::handle_proof`] or
    /// [`DataPorts::handle_unproven`]. Until then every slot stays.
    ToBeProven,
    /// Nobody's: every slot stays.
    Stranger,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requested {
    /// This port, until its connection comes or the slot expires.
    Granted(u16),
    /// An [`Event`] will tell.
    Queued,
}

/// What happened without being asked for just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A queued request got a port.
    Granted(SessionId, u16),
    /// A queued request waited for [`QUEUE_TIME`] in vain.
    Refused(SessionId),
    /// No connection came to the slot in time.
    Expired(SessionId),
    /// One came that did not prove whose it was, and none after it for [`DOUBT_TIME`].
    Unproven(SessionId),
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    session: SessionId,
    claim: Claim,
    until: Instant,
    doubted: bool,
}

impl Slot {
    fn awaits(&self, peer: IpAddr, now: Instant) -> bool {
        self.claim.peer.is(peer) && now < self.until
    }
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    session: SessionId,
    claim: Claim,
    slot_time: Duration,
    until: Instant,
}

/// The slots of all data ports of a gateway.
///
/// Call [`DataPorts::request`], [`DataPorts::release`] and [`DataPorts::handle_connection`] as things happen,
/// [`DataPorts::handle_timeout`] when [`DataPorts::poll_timeout`] says so, and after each of them take every event from
/// [`DataPorts::poll_event`].
#[derive(Debug)]
pub struct DataPorts<S = RandomState> {
    first: u16,
    slots: Vec<Vec<Slot>>,
    port_of: HashMap<SessionId, u16>,
    queue: VecDeque<Waiting>,
    events: VecDeque<Event>,
    choice: S,
    choices: u64,
}

impl<S: BuildHasher> DataPorts<S> {
    /// All ports free. `choice` picks among them: a keyed hash, so that a stranger cannot guess the next port.
    pub fn new(ports: RangeInclusive<u16>, choice: S) -> Self {
        Self {
            first: *ports.start(),
            slots: ports.map(|_| Vec::new()).collect(),
            port_of: HashMap::new(),
            queue: VecDeque::new(),
            events: VecDeque::new(),
            choice,
            choices: 0,
        }
    }

    /// Asks for a port. What the session held or asked for before is given up.
    pub fn request(&mut self, session: SessionId, claim: Claim, slot_time: Duration, now: Instant) -> Requested {
        self.release(session, now);
        if let Some(port) = self.free_port(claim) {
            self.grant(port, Slot { session, claim, until: now + slot_time, doubted: false });
            return Requested::Granted(port);
        }
        self.queue.push_back(Waiting { session, claim, slot_time, until: now + QUEUE_TIME });
        Requested::Queued
    }

    /// The session wants no connection any more.
    pub fn release(&mut self, session: SessionId, now: Instant) {
        self.queue.retain(|waiting| waiting.session != session);
        self.free(session);
        self.serve_queue(now);
    }

    /// A connection of `peer` came to `port`.
    pub fn handle_connection(&mut self, port: u16, peer: IpAddr, now: Instant) -> Arrival {
        let mut candidates = self.at(port).iter().filter(|slot| slot.awaits(peer, now));
        let Some(&Slot { session, claim, .. }) = candidates.next() else { return Arrival::Stranger };
        if claim.ticket == Ticket::Always || candidates.next().is_some() {
            return Arrival::ToBeProven;
        }
        self.release(session, now);
        Arrival::Of(session)
    }

    /// A connection of `peer` to `port` has proved to be `session`'s. Tells whether that session waits for it there; if
    /// so its slot is used up.
    pub fn handle_proof(&mut self, port: u16, peer: IpAddr, session: SessionId, now: Instant) -> bool {
        let mut slots = self.at(port).iter();
        let waits =
            slots.any(|slot| slot.session == session && slot.claim.ticket != Ticket::Never && slot.awaits(peer, now));
        if waits {
            self.release(session, now);
        }
        waits
    }

    /// A connection of `peer` to `port` has proved nothing, or something else, and was dropped.
    pub fn handle_unproven(&mut self, port: u16, peer: IpAddr, now: Instant) {
        let index = self.index(port);
        let Some(slots) = index.and_then(|index| self.slots.get_mut(index)) else { return };
        for slot in slots.iter_mut().filter(|slot| slot.awaits(peer, now)) {
            slot.doubted = true;
            slot.until = slot.until.min(now + DOUBT_TIME);
        }
    }

    /// When [`DataPorts::handle_timeout`] has something to do next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let slots = self.slots.iter().flatten().map(|slot| slot.until);
        // Every request waits equally long, so the first in the queue is the next to give up.
        slots.chain(self.queue.front().map(|waiting| waiting.until)).min()
    }

    /// Ends what has waited long enough.
    pub fn handle_timeout(&mut self, now: Instant) {
        let expired: Vec<Slot> = self.slots.iter().flatten().filter(|slot| slot.until <= now).copied().collect();
        for Slot { session, doubted, .. } in expired {
            self.free(session);
            self.events.push_back(if doubted { Event::Unproven(session) } else { Event::Expired(session) });
        }
        self.serve_queue(now);
        while let Some(waiting) = self.queue.pop_front_if(|waiting| waiting.until <= now) {
            self.events.push_back(Event::Refused(waiting.session));
        }
    }

    /// The next thing to tell a session.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// How many requests wait for a port.
    pub fn queued(&self) -> usize {
        self.queue.len()
    }

    fn index(&self, port: u16) -> Option<usize> {
        port.checked_sub(self.first).map(usize::from)
    }

    fn at(&self, port: u16) -> &[Slot] {
        self.index(port).and_then(|index| self.slots.get(index)).map_or(&[], Vec::as_slice)
    }

    /// A port without another of the same peer, if that leaves enough of them; else one that can be shared. So a client
    /// that has used up its tickets seldom meets a shared port, and one that has shown none yet finds a port of its own.
    fn free_port(&mut self, claim: Claim) -> Option<u16> {
        let order = self.guessed_by_nobody();
        let alone = |slots: &[Slot]| !slots.iter().any(|slot| slot.claim.peer.overlaps(claim.peer));
        let shareable = |slots: &[Slot]| !slots.iter().any(|slot| slot.claim.conflicts(claim));
        let empty: Vec<u16> = order.iter().copied().filter(|port| alone(self.at(*port))).collect();
        let reserve = if claim.ticket == Ticket::Never { 0 } else { self.slots.len() / SPARED };
        let shared = || order.iter().copied().find(|port| !empty.contains(port) && shareable(self.at(*port)));
        if empty.len() > reserve { empty.first().copied() } else { shared().or(empty.first().copied()) }
    }

    /// All ports, beginning anywhere.
    fn guessed_by_nobody(&mut self) -> Vec<u16> {
        let count = u16::try_from(self.slots.len()).unwrap_or(u16::MAX);
        self.choices = self.choices.wrapping_add(1);
        let start = u16::try_from(self.choice.hash_one(self.choices) % u64::from(count.max(1))).unwrap_or(0);
        (start..count).chain(0..start).map(|index| self.first + index).collect()
    }

    fn grant(&mut self, port: u16, slot: Slot) {
        let index = self.index(port);
        if let Some(slots) = index.and_then(|index| self.slots.get_mut(index)) {
            self.port_of.insert(slot.session, port);
            slots.push(slot);
        }
    }

    fn free(&mut self, session: SessionId) {
        let Some(port) = self.port_of.remove(&session) else { return };
        let index = self.index(port);
        if let Some(slots) = index.and_then(|index| self.slots.get_mut(index)) {
            slots.retain(|slot| slot.session != session);
        }
    }

    /// Those who can be served are, in the order in which they came; one who cannot does not stand in others' way.
    fn serve_queue(&mut self, now: Instant) {
        for _ in 0..self.queue.len() {
            let Some(waiting) = self.queue.pop_front() else { return };
            let Waiting { session, claim, slot_time, until } = waiting;
            match self.free_port(claim) {
                Some(port) if now < until => {
                    self.grant(port, Slot { session, claim, until: now + slot_time, doubted: false });
                    self.events.push_back(Event::Granted(session, port));
                }
                _ => self.queue.push_back(waiting),
            }
        }
    }
}

#[cfg(test)]
mod tests;
