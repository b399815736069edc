//! Who waits on which data port. A port is held only until its connection is accepted, and by several sessions at once
//! if their peers differ, so a few ports carry many transfers.

use std::{
    collections::{HashMap, VecDeque},
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    ops::RangeInclusive,
    time::{Duration, Instant},
};

/// How long PASV waits for a free port before 425.
pub const QUEUE_TIME: Duration = Duration::from_secs(5);

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

    fn conflicts(self, other: Self) -> bool {
        self == Self::Anyone || other == Self::Anyone || self == other
    }
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
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    session: SessionId,
    peer: Peer,
    until: Instant,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    session: SessionId,
    peer: Peer,
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
    pub fn request(&mut self, session: SessionId, peer: Peer, slot_time: Duration, now: Instant) -> Requested {
        self.release(session, now);
        if let Some(port) = self.free_port(peer) {
            self.grant(port, Slot { session, peer, until: now + slot_time });
            return Requested::Granted(port);
        }
        self.queue.push_back(Waiting { session, peer, slot_time, until: now + QUEUE_TIME });
        Requested::Queued
    }

    /// The session wants no connection any more.
    pub fn release(&mut self, session: SessionId, now: Instant) {
        self.queue.retain(|waiting| waiting.session != session);
        self.free(session);
        self.serve_queue(now);
    }

    /// A connection came to `port`: whose it is, or `None` for a stranger's, which leaves every slot as it was.
    pub fn handle_connection(&mut self, port: u16, peer: IpAddr, now: Instant) -> Option<SessionId> {
        let slots = self.slots.get(self.index(port)?)?;
        let session = slots.iter().find(|slot| slot.peer.is(peer) && now < slot.until)?.session;
        self.release(session, now);
        Some(session)
    }

    /// When [`DataPorts::handle_timeout`] has something to do next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let slots = self.slots.iter().flatten().map(|slot| slot.until);
        // Every request waits equally long, so the first in the queue is the next to give up.
        slots.chain(self.queue.front().map(|waiting| waiting.until)).min()
    }

    /// Ends what has waited long enough.
    pub fn handle_timeout(&mut self, now: Instant) {
        let expired: Vec<SessionId> =
            self.slots.iter().flatten().filter(|slot| slot.until <= now).map(|slot| slot.session).collect();
        for session in expired {
            self.free(session);
            self.events.push_back(Event::Expired(session));
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

    fn free_port(&mut self, peer: Peer) -> Option<u16> {
        let count = self.slots.len();
        self.choices = self.choices.wrapping_add(1);
        let start = usize::try_from(self.choice.hash_one(self.choices) % (count.max(1) as u64)).unwrap_or(0);
        let free = |slots: &Vec<Slot>| !slots.iter().any(|slot| slot.peer.conflicts(peer));
        let index = (start..count).chain(0..start).find(|index| self.slots.get(*index).is_some_and(free))?;
        Some(self.first + u16::try_from(index).ok()?)
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
            match self.free_port(waiting.peer) {
                Some(port) if now < waiting.until => {
                    self.grant(
                        port,
                        Slot { session: waiting.session, peer: waiting.peer, until: now + waiting.slot_time },
                    );
                    self.events.push_back(Event::Granted(waiting.session, port));
                }
                _ => self.queue.push_back(waiting),
            }
        }
    }
}

#[cfg(test)]
mod tests;
