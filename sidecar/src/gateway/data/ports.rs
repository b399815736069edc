//! The data ports of all sessions: the bookkeeping of `safetp_protocol::data_ports` under one short lock, and a mailbox
//! for each session.

use std::{
    collections::{HashMap, VecDeque},
    hash::{BuildHasher as _, RandomState},
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use safetp_config::ports::PortRange;
use safetp_protocol::data_ports::{
    Arrival, Claim, DataPorts, PortEvent, Request, Requested, SessionId, Unproven, UserId,
};
use tokio::{net::TcpStream, sync::Notify};

use super::connection::DataConnection;
use crate::{
    gateway::listen,
    metrics::Metrics,
    tls::{Accepted, deferred_tickets::DeferredTickets},
};

/// News for a session of its port.
#[derive(Debug)]
pub(crate) enum PortNews {
    Granted(u16),
    Refused,
    Expired,
    /// A connection came and did not prove to be this session's.
    Unproven,
    Connected(DataConnection),
}

/// Gives data ports to sessions, and connections to the sessions that wait for them.
#[derive(Debug)]
pub(crate) struct PortAllocator {
    state: Mutex<PortsState>,
    timers_changed: Notify,
    metrics: Arc<Metrics>,
    /// Hashes a login to a [`UserId`].
    logins: RandomState,
}

#[derive(Debug)]
struct PortsState {
    ports: DataPorts<RandomState>,
    mailboxes: HashMap<SessionId, Arc<Mailbox>>,
}

/// A session's registration, given up when dropped. At most a handful of news ever wait in its mailbox: a slot is good
/// for one connection.
#[derive(Debug)]
pub(crate) struct Registration {
    allocator: Arc<PortAllocator>,
    session: SessionId,
    user: UserId,
    mailbox: Arc<Mailbox>,
}

/// News for one session. A channel would hold a block of memory for each, and most sessions are idle.
#[derive(Debug, Default)]
struct Mailbox {
    news: Mutex<VecDeque<PortNews>>,
    arrived: Notify,
    /// The session's client keeps the tickets of all its sessions in one place.
    mixes_tickets: AtomicBool,
}

impl Mailbox {
    fn put(&self, news: PortNews) {
        self.lock().push_back(news);
        self.arrived.notify_one();
    }

    /// Takes the oldest news. Nothing is lost if the future is dropped: the news stay, or their notice does.
    async fn take(&self) -> PortNews {
        loop {
            if let Some(news) = self.lock().pop_front() {
                return news;
            }
            self.arrived.notified().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<PortNews>> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PortAllocator {
    pub(crate) fn new(ports: PortRange, metrics: Arc<Metrics>) -> Self {
        let ports = DataPorts::new(ports.ports(), RandomState::new());
        let state = Mutex::new(PortsState { ports, mailboxes: HashMap::new() });
        Self { state, timers_changed: Notify::new(), metrics, logins: RandomState::new() }
    }

    pub(crate) fn register(self: &Arc<Self>, session: SessionId) -> Registration {
        let mailbox = Arc::<Mailbox>::default();
        self.lock().mailboxes.insert(session, Arc::clone(&mailbox));
        Registration { allocator: Arc::clone(self), session, user: UserId(session.0), mailbox }
    }

    pub(crate) fn handle_connection(&self, port: u16, peer: IpAddr) -> Arrival {
        let mut state = self.lock();
        let arrival = state.ports.handle_connection(port, peer, Instant::now());
        self.settle(state);
        arrival
    }

    pub(crate) fn hand_over(&self, session: SessionId, connection: DataConnection) {
        self.lock().send(session, PortNews::Connected(connection));
    }

    /// Handles a connection to a shared port that has finished its handshake.
    pub(crate) fn handle_accepted(&self, port: u16, peer: IpAddr, accepted: Accepted<DeferredTickets>) {
        let mut state = self.lock();
        let now = Instant::now();
        let shown = accepted.resumed.and_then(|resumed| Some((resumed.session?, resumed.ticket)));
        let proof = shown.filter(|(session, _)| state.ports.handle_proof(port, peer, *session, now));
        if let Some((session, ticket)) = proof {
            let connection = DataConnection::Proven(Box::new(accepted.stream), ticket);
            state.send(session, PortNews::Connected(connection));
            self.settle(state);
        } else {
            drop(state);
            listen::reset_on_close(accepted.stream.get_ref().0.wire().tcp());
            self.handle_unproven(port, Unproven { peer, shown: shown.map(|(session, _)| session) });
        }
    }

    /// Notes a connection that was dropped for want of a proof, and may have come from the client of a waiting session.
    pub(crate) fn handle_unproven(&self, port: u16, unproven: Unproven) {
        self.metrics.stray_data_connections.inc();
        let mut state = self.lock();
        state.ports.handle_unproven(port, unproven, Instant::now());
        self.settle(state);
    }

    /// Drops a connection that no session waits for.
    pub(crate) fn drop_stray(&self, port: u16, peer: IpAddr, stream: &TcpStream) {
        tracing::debug!(port, %peer, "dropped a data connection that no session waited for");
        self.metrics.stray_data_connections.inc();
        listen::reset_on_close(stream);
    }

    /// Ends slots and requests whose time is over, for as long as the gateway serves.
    pub(crate) async fn run_timers(self: Arc<Self>) {
        loop {
            let next = self.lock().ports.poll_timeout();
            let changed = self.timers_changed.notified();
            match next {
                None => changed.await,
                Some(at) => {
                    // A change never makes this moment later than it must be: at worst this wakes for nothing, which
                    // is cheaper than a lock for every slot.
                    tokio::select! {
                        () = tokio::time::sleep_until(at.into()) => {}
                        () = changed => {}
                    }
                }
            }
            let mut state = self.lock();
            state.ports.handle_timeout(Instant::now());
            state.deliver();
        }
    }

    /// Delivers the news of a change, and wakes the timers.
    fn settle(&self, mut state: MutexGuard<'_, PortsState>) {
        state.deliver();
        self.metrics.data_ports_queued.set(i64::try_from(state.ports.queued()).unwrap_or(i64::MAX));
        drop(state);
        self.timers_changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, PortsState> {
        // The bookkeeping stays whole whatever a panicking holder was doing: each call on it is complete in itself.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PortsState {
    fn deliver(&mut self) {
        while let Some(event) = self.ports.poll_event() {
            match event {
                PortEvent::Granted(session, port) => self.send(session, PortNews::Granted(port)),
                PortEvent::Refused(session) => self.send(session, PortNews::Refused),
                PortEvent::Expired(session) => self.send(session, PortNews::Expired),
                PortEvent::Unproven(session) => self.send(session, PortNews::Unproven),
            }
        }
    }

    fn send(&self, session: SessionId, news: PortNews) {
        if let Some(mailbox) = self.mailboxes.get(&session) {
            mailbox.put(news);
        }
    }
}

impl Registration {
    /// Waits for the next news. Nothing is lost if the future is dropped.
    pub(crate) async fn news(&mut self) -> PortNews {
        self.mailbox.take().await
    }

    /// Counts the session with all others of this login from now on.
    pub(crate) fn log_in(&mut self, login: &str) {
        self.user = UserId(self.allocator.logins.hash_one(login));
    }

    /// Requests a port for a connection with this claim; the answer comes as news.
    pub(crate) fn request(&mut self, claim: Claim, slot_time: Duration) {
        self.release();
        let mut state = self.allocator.lock();
        let request = Request { session: self.session, user: self.user, claim, slot_time };
        match state.ports.request(request, Instant::now()) {
            Requested::Granted(port) => state.send(self.session, PortNews::Granted(port)),
            Requested::Queued => {
                self.allocator.metrics.data_port_waits.inc();
            }
        }
        self.allocator.settle(state);
    }

    /// Notes that the transfer has begun, and that its connection has not come yet.
    pub(crate) fn expect_connection(&self) {
        let mut state = self.allocator.lock();
        state.ports.handle_awaited(self.session, Instant::now());
        self.allocator.settle(state);
    }

    /// Notes that the session's control connection was opened with a ticket of another session, if that one still
    /// lasts: their client keeps all its tickets in one place, so no ticket tells its sessions apart.
    pub(crate) fn note_mixed_tickets(&self, other: Option<SessionId>) {
        self.mailbox.mixes_tickets.store(true, Ordering::Relaxed);
        let state = self.allocator.lock();
        if let Some(other) = other.and_then(|other| state.mailboxes.get(&other)) {
            other.mixes_tickets.store(true, Ordering::Relaxed);
        }
    }

    pub(crate) fn mixes_tickets(&self) -> bool {
        self.mailbox.mixes_tickets.load(Ordering::Relaxed)
    }

    /// Gives up port and request, and drops the news of them.
    pub(crate) fn release(&mut self) {
        let mut state = self.allocator.lock();
        state.ports.release(self.session, Instant::now());
        self.allocator.settle(state);
        self.mailbox.lock().clear();
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let mut state = self.allocator.lock();
        state.mailboxes.remove(&self.session);
        state.ports.release(self.session, Instant::now());
        self.allocator.settle(state);
    }
}
