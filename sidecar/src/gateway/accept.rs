//! Control connections: each is given a session of its own, or sent away. Who may stay is decided in `places`.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use safetp_config::gateway::Limits;
use safetp_protocol::{data_ports::SessionId, session::Progress};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::AbortHandle,
};

use super::{
    Gateway,
    client::ClientStream,
    descriptors::Allowance,
    listen,
    places::{Places, Refused},
    session,
};
use crate::drain::Phase;

/// After a failed accept: out of descriptors or memory, which does not get better by asking at once again.
const PAUSE: Duration = Duration::from_millis(100);

/// All sessions of a gateway.
#[derive(Debug)]
pub(super) struct Sessions {
    state: Mutex<State>,
    total: watch::Sender<u32>,
    allowance: Allowance,
}

#[derive(Debug)]
struct State {
    places: Places,
    /// What ends the session of a stranger who must go.
    strangers: HashMap<SessionId, AbortHandle>,
}

/// One session's place, given up when dropped.
#[derive(Debug)]
pub(super) struct Place {
    gateway: Arc<Gateway>,
    session: SessionId,
    peer: IpAddr,
    progress: Progress,
}

impl Sessions {
    pub(super) fn new(allowance: Allowance) -> Self {
        let places = Places::new(allowance.strangers);
        let state = State { places, strangers: HashMap::new() };
        Self { state: Mutex::new(state), total: watch::Sender::new(0), allowance }
    }

    pub(super) fn total(&self) -> u32 {
        *self.total.borrow()
    }

    /// Why there can be fewer sessions than these limits say.
    pub(super) fn problem(&self, limits: &Limits) -> Option<String> {
        self.allowance.problem(limits.sessions)
    }

    /// Data connections at once that may have yet to prove whose they are.
    pub(super) fn most_unproven(&self) -> usize {
        self.allowance.unproven
    }

    pub(super) async fn wait_for_none(&self) {
        // The sender lives as long as `self`, so this cannot fail.
        let _ = self.total.subscribe().wait_for(|total| *total == 0).await;
    }

    /// The limits of the configuration, as far as there are descriptors for them.
    fn limits(&self, configured: &Limits) -> Limits {
        Limits { sessions: configured.sessions.min(self.allowance.users), ..configured.clone() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The bookkeeping stays whole whatever a panicking holder was doing: each call on it is complete in itself.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    pub(super) fn session(&self) -> SessionId {
        self.session
    }

    /// Keeps up with the session: whoever comes further is sent away later.
    pub(super) fn follow(&mut self, progress: Progress) {
        if progress != self.progress && self.progress != Progress::LoggedIn {
            self.progress = progress;
            self.gateway.sessions.lock().places.note(self.session, progress, Instant::now());
        }
    }

    /// Makes the session a user's, if there is room. It stays one when AUTH makes it log in again.
    pub(super) fn promote(&mut self) -> Result<(), Refused> {
        if self.progress == Progress::LoggedIn {
            return Ok(());
        }
        let gateway = &self.gateway;
        let limits = gateway.sessions.limits(&gateway.settings.borrow().config.limits);
        let mut state = gateway.sessions.lock();
        state.places.promote(self.session, self.peer, &limits)?;
        state.strangers.remove(&self.session);
        self.progress = Progress::LoggedIn;
        gateway.metrics.strangers.dec();
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Gateway { sessions, metrics, .. } = &*self.gateway;
        let mut state = sessions.lock();
        if self.progress == Progress::LoggedIn {
            state.places.remove_user(self.peer);
        } else {
            state.places.remove_stranger(self.session);
            state.strangers.remove(&self.session);
            metrics.strangers.dec();
        }
        drop(state);
        sessions.total.send_modify(|total| *total = total.saturating_sub(1));
        metrics.sessions.dec();
    }
}

pub(super) async fn run(listener: TcpListener, gateway: Arc<Gateway>) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => handle_connection(stream, peer, &gateway),
            Err(error) => {
                tracing::warn!(%error, "failed to accept a control connection");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

fn handle_connection(stream: TcpStream, peer: SocketAddr, gateway: &Arc<Gateway>) {
    let peer = peer.ip().to_canonical();
    if let Err(error) = listen::prepare(&stream).and_then(|()| listen::keep_urgent_inline(&stream)) {
        tracing::debug!(%peer, %error, "the client was gone before its session began");
        return;
    }
    match admit(peer, gateway) {
        Ok(place) => start(stream, place),
        Err(refused) => refuse(stream, refused, gateway),
    }
}

fn admit(peer: IpAddr, gateway: &Arc<Gateway>) -> Result<Place, Refused> {
    if *gateway.drain.borrow() != Phase::Serving {
        return Err(Refused::Draining);
    }
    let Gateway { sessions, metrics, settings, .. } = &**gateway;
    let session = gateway.new_session_id();
    let limits = sessions.limits(&settings.borrow().config.limits);
    let mut state = sessions.lock();
    let displaced = state.places.admit(session, peer, &limits, Instant::now())?;
    let displaced = displaced.and_then(|displaced| state.strangers.remove(&displaced));
    drop(state);
    if let Some(stranger) = displaced {
        metrics.refused(Refused::Displaced.name());
        // At once and without a word: whoever fills the budget must not hold its connections for longer than that.
        stranger.abort();
    }
    sessions.total.send_modify(|total| *total += 1);
    metrics.sessions.inc();
    metrics.strangers.inc();
    Ok(Place { gateway: Arc::clone(gateway), session, peer, progress: Progress::Silent })
}

fn start(stream: TcpStream, place: Place) {
    let (gateway, session, peer) = (Arc::clone(&place.gateway), place.session, place.peer);
    let task = gateway.tasks.spawn(session::run(stream, peer, place, Arc::clone(&gateway)));
    let mut state = gateway.sessions.lock();
    // It may have ended already.
    if state.places.is_stranger(session) {
        state.strangers.insert(session, task.abort_handle());
    }
}

fn refuse(stream: TcpStream, refused: Refused, gateway: &Arc<Gateway>) {
    gateway.metrics.refused(refused.name());
    if gateway.tasks.len() > gateway.sessions.total() as usize + gateway.sessions.allowance.refusals {
        return;
    }
    gateway.tasks.spawn(async move {
        let mut client = ClientStream::Clear(stream);
        if client.write(&refused.reply().encode()).await.is_ok() {
            client.say_goodbye().await;
        }
    });
}
