//! Allocation of data ports to sessions. A port is held only until its connection is accepted, and by several sessions
//! at once if something tells them apart: their peers' addresses, or their TLS tickets. So a few ports carry many
//! transfers.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    ops::RangeInclusive,
    time::Instant,
};

mod queue;
mod request;
mod slot;

pub use request::{Claim, ExpectedPeer, QUEUE_TIME, Request, SessionId, Ticket, Unproven, UserId};

use queue::{Queue, QueueLine, Waiting};
use slot::Slot;

/// One port in so many is kept from sessions that can share a port, while there are ports that they can share.
const SPARED: usize = 4;

/// A user waits on at most one port in so many, however many sessions it has: others at its address need ports, too.
const PART_OF_ONE_USER: usize = 2;

/// Owner of a connection that has just been accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// This session, whose slot it has used up.
    Of(SessionId),
    /// One of several, which its handshake tells: then [`DataPorts::handle_proof`] or
    /// [`DataPorts::handle_unproven`]. Until then every slot stays.
    ToBeProven {
        /// It comes from the address of a client that is waited for there.
        from_client: bool,
    },
    /// None of the sessions: every slot stays.
    Stranger,
}

/// Result of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requested {
    /// This port, until its connection comes or the slot expires.
    Granted(u16),
    /// A [`PortEvent`] will follow.
    Queued,
}

/// A change that comes later than the call which began it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortEvent {
    /// A queued request got a port.
    Granted(SessionId, u16),
    /// A queued request got no port within [`QUEUE_TIME`].
    Refused(SessionId),
    /// No connection came to the slot in time.
    Expired(SessionId),
    /// A connection came that proved nothing, and none after it for [`Claim::patience`].
    Unproven(SessionId),
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
    /// The moment at which each slot expires.
    deadlines: BTreeSet<(Instant, SessionId)>,
    queue: Queue,
    events: VecDeque<PortEvent>,
    choice: S,
    choices: u64,
}

impl<S: BuildHasher> DataPorts<S> {
    /// All ports free. `choice` is a keyed hash that picks among them, so that a stranger cannot guess the next port.
    pub fn new(ports: RangeInclusive<u16>, choice: S) -> Self {
        Self {
            first: *ports.start(),
            slots: ports.map(|_| Vec::new()).collect(),
            port_of: HashMap::new(),
            deadlines: BTreeSet::new(),
            queue: Queue::default(),
            events: VecDeque::new(),
            choice,
            choices: 0,
        }
    }

    /// Asks for a port. What the session held or asked for before is given up.
    pub fn request(&mut self, request: Request, now: Instant) -> Requested {
        self.release(request.session, now);
        if let Some(port) = self.free_port(&request) {
            self.grant(port, request, now);
            return Requested::Granted(port);
        }
        let bounded = self.has_its_part(request.user);
        let line = if bounded { QueueLine::Bounded(request.user) } else { QueueLine::of(request.claim) };
        self.queue.push(request, line, now);
        Requested::Queued
    }

    /// The session wants no connection any more.
    pub fn release(&mut self, session: SessionId, now: Instant) {
        if let Some(Request { user, .. }) = self.queue.remove(session) {
            self.serve_next_of(user, now);
        }
        if let Some((port, slot)) = self.free(session) {
            self.serve_by(port, slot, now);
        }
    }

    /// A connection of `peer` came to `port`.
    pub fn handle_connection(&mut self, port: u16, peer: IpAddr, now: Instant) -> Arrival {
        let mut candidates = self.at(port).iter().filter(|slot| slot.awaits(peer, now));
        let Some(&Slot { session, claim, .. }) = candidates.next() else { return Arrival::Stranger };
        if claim.ticket == Ticket::Always || candidates.next().is_some() {
            let from_client = self.at(port).iter().any(|slot| slot.claim.client == peer && slot.awaits(peer, now));
            return Arrival::ToBeProven { from_client };
        }
        self.release(session, now);
        Arrival::Of(session)
    }

    /// A connection of `peer` to `port` has proved to be `session`'s. Returns whether that session waits for it there;
    /// if so its slot is used up.
    pub fn handle_proof(&mut self, port: u16, peer: IpAddr, session: SessionId, now: Instant) -> bool {
        let mut slots = self.at(port).iter();
        let waits =
            slots.any(|slot| slot.session == session && slot.claim.ticket != Ticket::Never && slot.awaits(peer, now));
        if waits {
            self.release(session, now);
        }
        waits
    }

    /// A connection to `port` has proved nothing. Slots of other clients than its own are as they were.
    pub fn handle_unproven(&mut self, port: u16, unproven: Unproven, now: Instant) {
        self.note(port, now, |slot| slot.doubted |= slot.is_client(unproven) && slot.awaits(unproven.peer, now));
    }

    /// The session's transfer has begun, and its connection has not come yet.
    pub fn handle_awaited(&mut self, session: SessionId, now: Instant) {
        if let Some(port) = self.port_of.get(&session).copied() {
            self.note(port, now, |slot| slot.awaited |= slot.session == session);
        }
    }

    /// The moment for the next [`DataPorts::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<Instant> {
        let slot = self.deadlines.first().map(|(until, _)| *until);
        slot.into_iter().chain(self.queue.first().map(|waiting| waiting.until)).min()
    }

    /// Ends what has waited long enough.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(&(until, session)) = self.deadlines.first()
            && until <= now
            && let Some((port, slot)) = self.free(session)
        {
            self.events.push_back(if slot.doubted {
                PortEvent::Unproven(session)
            } else {
                PortEvent::Expired(session)
            });
            self.serve_by(port, slot, now);
        }
        while let Some(&Waiting { request: Request { session, user, .. }, until, .. }) = self.queue.first()
            && until <= now
        {
            self.queue.remove(session);
            self.events.push_back(PortEvent::Refused(session));
            self.serve_next_of(user, now);
        }
    }

    /// The next event, to be reported to its session.
    pub fn poll_event(&mut self) -> Option<PortEvent> {
        self.events.pop_front()
    }

    /// Number of requests that wait for a port.
    pub fn queued(&self) -> usize {
        self.queue.len()
    }

    fn index(&self, port: u16) -> Option<usize> {
        port.checked_sub(self.first).map(usize::from)
    }

    fn at(&self, port: u16) -> &[Slot] {
        self.index(port).and_then(|index| self.slots.get(index)).map_or(&[], Vec::as_slice)
    }

    /// Notes something in the slots of a port: one that is both awaited and doubted waits only as long as its patience
    /// lasts.
    fn note(&mut self, port: u16, now: Instant, note: impl Fn(&mut Slot)) {
        let slots = self.index(port).and_then(|index| self.slots.get_mut(index));
        for slot in slots.into_iter().flatten() {
            note(slot);
            if slot.doubted && slot.awaited {
                self.deadlines.remove(&(slot.until, slot.session));
                slot.until = slot.until.min(now + slot.claim.patience);
                self.deadlines.insert((slot.until, slot.session));
            }
        }
    }

    /// A port without another slot of the same peer, if that leaves enough of them; else one that can be shared. So a
    /// client that has used up its tickets seldom gets a shared port, and one that has shown none yet gets a port of
    /// its own. A user at its limit gets one only of the ports that it has.
    fn free_port(&mut self, request: &Request) -> Option<u16> {
        let Request { user, claim, .. } = *request;
        let mut order = self.ports_from_random_start();
        if self.has_its_part(user) {
            order.retain(|port| self.waits_on(user, *port));
        }
        let alone = |slots: &[Slot]| !slots.iter().any(|slot| slot.claim.peer.overlaps(claim.peer));
        let shareable = |slots: &[Slot]| !slots.iter().any(|slot| slot.claim.conflicts(claim));
        let empty: Vec<u16> = order.iter().copied().filter(|port| alone(self.at(*port))).collect();
        let reserve = if claim.ticket == Ticket::Never { 0 } else { self.slots.len() / SPARED };
        let shared = || order.iter().copied().find(|port| !empty.contains(port) && shareable(self.at(*port)));
        if empty.len() > reserve { empty.first().copied() } else { shared().or(empty.first().copied()) }
    }

    /// All ports in turn from a random one on, so that a stranger cannot guess the next.
    fn ports_from_random_start(&mut self) -> Vec<u16> {
        let count = u16::try_from(self.slots.len()).unwrap_or(u16::MAX);
        self.choices = self.choices.wrapping_add(1);
        let start = u16::try_from(self.choice.hash_one(self.choices) % u64::from(count.max(1))).unwrap_or(0);
        (start..count).chain(0..start).map(|index| self.first + index).collect()
    }

    fn has_its_part(&self, user: UserId) -> bool {
        let ports = self.slots.iter().filter(|slots| slots.iter().any(|slot| slot.user == user)).count();
        ports >= self.slots.len().div_ceil(PART_OF_ONE_USER)
    }

    fn waits_on(&self, user: UserId, port: u16) -> bool {
        self.at(port).iter().any(|slot| slot.user == user)
    }

    fn grant(&mut self, port: u16, request: Request, now: Instant) {
        let Request { session, user, claim, slot_time } = request;
        let index = self.index(port);
        if let Some(slots) = index.and_then(|index| self.slots.get_mut(index)) {
            let until = now + slot_time;
            self.port_of.insert(session, port);
            self.deadlines.insert((until, session));
            slots.push(Slot { session, user, claim, until, doubted: false, awaited: false });
        }
    }

    fn grant_queued(&mut self, port: u16, request: Request, now: Instant) {
        self.queue.remove(request.session);
        self.grant(port, request, now);
        self.events.push_back(PortEvent::Granted(request.session, port));
    }

    fn free(&mut self, session: SessionId) -> Option<(u16, Slot)> {
        let port = self.port_of.remove(&session)?;
        let index = self.index(port)?;
        let slots = self.slots.get_mut(index)?;
        let slot = slots.swap_remove(slots.iter().position(|slot| slot.session == session)?);
        self.deadlines.remove(&(slot.until, session));
        Some((port, slot))
    }

    /// Gives the port of this freed slot to the requests that it can serve now, in the order in which they came; one
    /// that it cannot serve does not block the others. No other port is looked at: no request waits that one could
    /// serve.
    fn serve_by(&mut self, port: u16, freed: Slot, now: Instant) {
        self.serve_next_of(freed.user, now);
        let peer = freed.claim.peer;
        // Another slot that expects any peer blocks what it blocked before.
        if peer == ExpectedPeer::Anyone && self.at(port).iter().any(|slot| slot.claim.peer == ExpectedPeer::Anyone) {
            return;
        }
        let first = |queue: &Queue, line| queue.first_of(line).map(|(turn, request)| (turn, (line, request)));
        let lines = self.queue.lines_after(peer).into_iter();
        let mut firsts: BTreeMap<u64, (QueueLine, Request)> =
            lines.filter_map(|line| first(&self.queue, line)).collect();
        while let Some((turn, (line, request))) = firsts.pop_first() {
            if self.at(port).iter().any(|slot| slot.claim.conflicts(request.claim)) {
                continue;
            }
            if self.has_its_part(request.user) && !self.waits_on(request.user, port) {
                self.queue.change_line(turn, QueueLine::Bounded(request.user));
            } else {
                self.grant_queued(port, request, now);
            }
            firsts.extend(first(&self.queue, line));
        }
    }

    /// A user who was at its limit may have another port: its first request that waits for that takes its turn.
    fn serve_next_of(&mut self, user: UserId, now: Instant) {
        let Some((turn, request)) = self.queue.first_of(QueueLine::Bounded(user)) else { return };
        if let Some(port) = self.free_port(&request) {
            self.grant_queued(port, request, now);
        } else if !self.has_its_part(user) {
            self.queue.change_line(turn, QueueLine::of(request.claim));
        }
    }
}

#[cfg(test)]
mod tests;
