//! One session's place among all sessions.

use std::{net::IpAddr, sync::Arc};

use safetp_protocol::{data_ports::SessionId, session::Progress};

use super::{places::Refused, shared::Gateway};
use crate::drain::Phase;

/// One session's place, given up when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    gateway: Arc<Gateway>,
    session: SessionId,
    peer: IpAddr,
    progress: Progress,
}

impl Place {
    /// Takes a place for a new session, that of another stranger if need be.
    pub(crate) fn take(peer: IpAddr, gateway: &Arc<Gateway>) -> Result<Self, Refused> {
        if *gateway.drain.borrow() != Phase::Serving {
            return Err(Refused::Draining);
        }
        let session = gateway.new_session_id();
        let displaced = gateway.sessions.admit(session, peer, &gateway.settings.borrow().config.limits)?;
        if let Some(stranger) = displaced {
            gateway.metrics.refused(Refused::Displaced.name());
            // At once and without a reply: a client that fills the budget must not hold its connections any longer.
            stranger.abort();
        }
        gateway.metrics.sessions.inc();
        gateway.metrics.strangers.inc();
        Ok(Self { gateway: Arc::clone(gateway), session, peer, progress: Progress::Silent })
    }

    pub(crate) fn session(&self) -> SessionId {
        self.session
    }

    /// Follows the session's progress: of the strangers, those who have come further are sent away later.
    pub(crate) fn follow(&mut self, progress: Progress) {
        if progress != self.progress && self.progress != Progress::LoggedIn {
            self.progress = progress;
            self.gateway.sessions.note(self.session, progress);
        }
    }

    /// Makes the session a user's, if there is room. It stays one when AUTH makes it log in again.
    pub(crate) fn promote(&mut self) -> Result<(), Refused> {
        if self.progress == Progress::LoggedIn {
            return Ok(());
        }
        let gateway = &self.gateway;
        gateway.sessions.promote(self.session, self.peer, &gateway.settings.borrow().config.limits)?;
        self.progress = Progress::LoggedIn;
        gateway.metrics.strangers.dec();
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Gateway { sessions, metrics, .. } = &*self.gateway;
        if self.progress == Progress::LoggedIn {
            sessions.remove_user(self.peer);
        } else {
            metrics.strangers.dec();
            sessions.remove_stranger(self.session);
        }
        metrics.sessions.dec();
    }
}
