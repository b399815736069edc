//! All sessions of a gateway: their number, and what ends the session of a stranger who must go. Who may stay is
//! decided in `places`.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use safetp_config::gateway::Limits;
use safetp_protocol::{data_ports::SessionId, session::Progress};
use tokio::{sync::watch, task::AbortHandle};

use super::{
    descriptors::Allowance,
    places::{Places, Refused},
};

/// All sessions of a gateway.
#[derive(Debug)]
pub(crate) struct Sessions {
    admitted: Mutex<Admitted>,
    total: watch::Sender<u32>,
    allowance: Allowance,
}

#[derive(Debug)]
struct Admitted {
    places: Places,
    /// Handles that end the sessions of strangers.
    strangers: HashMap<SessionId, AbortHandle>,
}

impl Sessions {
    pub(crate) fn new(allowance: Allowance) -> Self {
        let places = Places::new(allowance.strangers);
        let admitted = Admitted { places, strangers: HashMap::new() };
        Self { admitted: Mutex::new(admitted), total: watch::Sender::new(0), allowance }
    }

    pub(crate) fn total(&self) -> u32 {
        *self.total.borrow()
    }

    /// Reason why there can be fewer sessions than these limits say.
    pub(crate) fn problem(&self, limits: &Limits) -> Option<String> {
        self.allowance.problem(limits.sessions)
    }

    /// Data connections at once that may have yet to prove whose they are.
    pub(crate) fn most_unproven(&self) -> usize {
        self.allowance.unproven
    }

    /// Refused clients that may be told why at the same time.
    pub(crate) fn most_refusals(&self) -> usize {
        self.allowance.refusals
    }

    pub(crate) async fn wait_for_none(&self) {
        // The sender lives as long as `self`, so this cannot fail.
        let _ = self.total.subscribe().wait_for(|total| *total == 0).await;
    }

    /// Admits a stranger. Returns the handle of the one that must go for it, if any.
    pub(crate) fn admit(
        &self,
        session: SessionId,
        peer: IpAddr,
        configured: &Limits,
    ) -> Result<Option<AbortHandle>, Refused> {
        let mut admitted = self.lock();
        let displaced = admitted.places.admit(session, peer, &self.limits(configured), Instant::now())?;
        let displaced = displaced.and_then(|displaced| admitted.strangers.remove(&displaced));
        drop(admitted);
        self.total.send_modify(|total| *total += 1);
        Ok(displaced)
    }

    /// Keeps what ends the session for as long as it is a stranger's.
    pub(crate) fn keep_handle(&self, session: SessionId, handle: AbortHandle) {
        let mut admitted = self.lock();
        // It may have ended already.
        if admitted.places.is_stranger(session) {
            admitted.strangers.insert(session, handle);
        }
    }

    /// Notes that a stranger has come further.
    pub(crate) fn note(&self, session: SessionId, progress: Progress) {
        self.lock().places.note(session, progress, Instant::now());
    }

    /// Makes a stranger a user.
    pub(crate) fn promote(&self, session: SessionId, peer: IpAddr, configured: &Limits) -> Result<(), Refused> {
        let mut admitted = self.lock();
        admitted.places.promote(session, peer, &self.limits(configured))?;
        admitted.strangers.remove(&session);
        Ok(())
    }

    pub(crate) fn remove_user(&self, peer: IpAddr) {
        self.lock().places.remove_user(peer);
        self.count_down();
    }

    pub(crate) fn remove_stranger(&self, session: SessionId) {
        let mut admitted = self.lock();
        admitted.places.remove_stranger(session);
        admitted.strangers.remove(&session);
        drop(admitted);
        self.count_down();
    }

    fn count_down(&self) {
        self.total.send_modify(|total| *total = total.saturating_sub(1));
    }

    /// The limits of the configuration, as far as there are descriptors for them.
    fn limits(&self, configured: &Limits) -> Limits {
        Limits { sessions: configured.sessions.min(self.allowance.users), ..configured.clone() }
    }

    fn lock(&self) -> MutexGuard<'_, Admitted> {
        // The bookkeeping stays whole whatever a panicking holder was doing: each call on it is complete in itself.
        self.admitted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
