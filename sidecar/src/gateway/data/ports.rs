//! The data ports of all sessions: the pure bookkeeping behind one short lock, and a mailbox for each session.

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

use super::{Connection, withheld::Withheld};
use crate::{
    gateway::{listen, tls::Accepted},
    metrics::Metrics,
};

/// What a session hears of its port.
#[derive(Debug)]
pub(in crate::gateway) enum PortNews {
    Granted(u16),
    Refused,
    Expired,
    /// What came did not prove to be this session's.
    Unproven,
    Connected(Connection),
}

#[derive(Debug)]
pub(in crate::gateway) struct PortDesk {
    state: Mutex<State>,
    timers_changed: Notify,
    metrics: Arc<Metrics>,
    /// Makes a number of a login.
    logins: RandomState,
}

#[derive(Debug)]
struct State {
    ports: DataPorts<RandomState>,
    mailboxes: HashMap<SessionId, Arc<Mailbox>>,
}

/// A session's place at the desk, given up when dropped. At most a handful of news ever wait in its mailbox: a slot is
/// good for one connection.
#[derive(Debug)]
pub(in crate::gateway) struct Registration {
    desk: Arc<PortDesk>,
    session: SessionId,
    user: UserId,
    mailbox: Arc<Mailbox>,
}

/// News for one session. A channel would hold a block of memory for each, and most sessions are idle.
#[derive(Debug, Default)]
struct Mailbox {
    news: Mutex<VecDeque<PortNews>>,
    arrived: Notify,
    /// The session's client keeps its tickets together with those of other sessions.
    mixes_tickets: AtomicBool,
}

impl Mailbox {
    fn put(&self, news: PortNews) {
        self.lock().push_back(news);
        self.arrived.notify_one();
    }

    /// Nothing is lost if the future is dropped: what arrived stays, or its notice does.
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

impl PortDesk {
    pub(in crate::gateway) fn new(ports: PortRange, metrics: Arc<Metrics>) -> Self {
        let ports = DataPorts::new(ports.ports(), RandomState::new());
        let state = Mutex::new(State { ports, mailboxes: HashMap::new() });
        Self { state, timers_changed: Notify::new(), metrics, logins: RandomState::new() }
    }

    pub(in crate::gateway) fn register(self: &Arc<Self>, session: SessionId) -> Registration {
        let mailbox = Arc::<Mailbox>::default();
        self.lock().mailboxes.insert(session, Arc::clone(&mailbox));
        Registration { desk: Arc::clone(self), session, user: UserId(session.0), mailbox }
    }

    pub(super) fn handle_connection(&self, port: u16, peer: IpAddr) -> Arrival {
        let mut state = self.lock();
        let arrival = state.ports.handle_connection(port, peer, Instant::now());
        self.settle(state);
        arrival
    }

    pub(super) fn hand_over(&self, session: SessionId, connection: Connection) {
        self.lock().tell(session, PortNews::Connected(connection));
    }

    /// A connection to a shared port has finished its handshake.
    pub(super) fn handle_accepted(&self, port: u16, peer: IpAddr, accepted: Accepted<Withheld>) {
        let mut state = self.lock();
        let now = Instant::now();
        let shown = accepted.resumed.and_then(|resumed| Some((resumed.session?, resumed.ticket)));
        let proof = shown.filter(|(session, _)| state.ports.handle_proof(port, peer, *session, now));
        if let Some((session, ticket)) = proof {
            state.tell(session, PortNews::Connected(Connection::Proven(Box::new(accepted.stream), ticket)));
            self.settle(state);
        } else {
            drop(state);
            listen::reset_on_close(accepted.stream.get_ref().0.wire().tcp());
            self.handle_unproven(port, Unproven { peer, shown: shown.map(|(session, _)| session) });
        }
    }

    /// A connection was dropped for want of a proof, and may have been some session's client's.
    pub(super) fn handle_unproven(&self, port: u16, unproven: Unproven) {
        self.metrics.stray_data_connections.inc();
        let mut state = self.lock();
        state.ports.handle_unproven(port, unproven, Instant::now());
        self.settle(state);
    }

    pub(super) fn turn_away(&self, port: u16, peer: IpAddr, stream: &TcpStream) {
        tracing::debug!(port, %peer, "dropped a data connection that is no waiting session's");
        self.metrics.stray_data_connections.inc();
        listen::reset_on_close(stream);
    }

    /// Ends slots and requests that have waited long enough; runs as long as the gateway.
    pub(in crate::gateway) async fn run_timers(self: Arc<Self>) {
        loop {
            let next = self.lock().ports.poll_timeout();
            let changed = self.timers_changed.notified();
            match next {
                None => changed.await,
                Some(at) => {
                    // A change can only bring the moment forward by its own, later one, or away: then this wakes for
                    // nothing, which is cheaper than a lock for every slot.
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

    fn settle(&self, mut state: MutexGuard<'_, State>) {
        state.deliver();
        self.metrics.data_ports_queued.set(i64::try_from(state.ports.queued()).unwrap_or(i64::MAX));
        drop(state);
        self.timers_changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The bookkeeping stays whole whatever a panicking holder was doing: each call on it is complete in itself.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn deliver(&mut self) {
        while let Some(event) = self.ports.poll_event() {
            match event {
                PortEvent::Granted(session, port) => self.tell(session, PortNews::Granted(port)),
                PortEvent::Refused(session) => self.tell(session, PortNews::Refused),
                PortEvent::Expired(session) => self.tell(session, PortNews::Expired),
                PortEvent::Unproven(session) => self.tell(session, PortNews::Unproven),
            }
        }
    }

    fn tell(&self, session: SessionId, news: PortNews) {
        if let Some(mailbox) = self.mailboxes.get(&session) {
            mailbox.put(news);
        }
    }
}

impl Registration {
    /// The next news. Nothing is lost if the future is dropped.
    pub(in crate::gateway) async fn news(&mut self) -> PortNews {
        self.mailbox.take().await
    }

    /// From here on the session counts with all others of this login.
    pub(in crate::gateway) fn log_in(&mut self, login: &str) {
        self.user = UserId(self.desk.logins.hash_one(login));
    }

    /// Asks for a port for a connection with this claim; the news tell.
    pub(in crate::gateway) fn request(&mut self, claim: Claim, slot_time: Duration) {
        self.release();
        let mut state = self.desk.lock();
        let request = Request { session: self.session, user: self.user, claim, slot_time };
        match state.ports.request(request, Instant::now()) {
            Requested::Granted(port) => state.tell(self.session, PortNews::Granted(port)),
            Requested::Queued => {
                self.desk.metrics.data_port_waits.inc();
            }
        }
        self.desk.settle(state);
    }

    /// The transfer has begun, and its connection has not come yet.
    pub(in crate::gateway) fn expect_connection(&self) {
        let mut state = self.desk.lock();
        state.ports.handle_awaited(self.session, Instant::now());
        self.desk.settle(state);
    }

    /// The session's control connection was opened with a ticket of another session, if that one is still there: their
    /// client keeps all its tickets in one place, so none of them tells its sessions apart.
    pub(in crate::gateway) fn note_mixed_tickets(&self, other: Option<SessionId>) {
        self.mailbox.mixes_tickets.store(true, Ordering::Relaxed);
        let state = self.desk.lock();
        if let Some(other) = other.and_then(|other| state.mailboxes.get(&other)) {
            other.mixes_tickets.store(true, Ordering::Relaxed);
        }
    }

    pub(in crate::gateway) fn mixes_tickets(&self) -> bool {
        self.mailbox.mixes_tickets.load(Ordering::Relaxed)
    }

    /// Gives up port and request, and drops what came for them.
    pub(in crate::gateway) fn release(&mut self) {
        let mut state = self.desk.lock();
        state.ports.release(self.session, Instant::now());
        self.desk.settle(state);
        self.mailbox.lock().clear();
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let mut state = self.desk.lock();
        state.mailboxes.remove(&self.session);
        state.ports.release(self.session, Instant::now());
        self.desk.settle(state);
    }
}
