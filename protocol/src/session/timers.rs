//! Timeouts of a session, and its end when the gateway shuts down.

use std::time::{Duration, Instant};

use super::{Failure, Session, current_transfer::TransferStage, phase::Phase};
use crate::reply::Reply;

/// Time from the greeting to a client's first octet: programs send it at once. [`super::Settings::login_time`] begins
/// there.
pub(super) const FIRST_OCTET_TIME: Duration = Duration::from_secs(10);
/// Time for one reply of the backend: deleting or flushing a lot takes a while, a dead backend takes forever.
const REPLY_TIME: Duration = Duration::from_mins(5);
/// Idle time of a session on a withdrawn address, where it can do nothing but PASV.
const MOVED_TIME: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    Silent,
    Login,
    Idle,
    Moved,
    Backend,
}

impl Session {
    /// The moment for [`Session::handle_timeout`], if nothing else happens before.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.next_timer().map(|(at, _)| at)
    }

    /// Ends the session if its time is over.
    pub fn handle_timeout(&mut self, now: Instant) {
        let Some((_, timer)) = self.next_timer().filter(|(at, _)| *at <= now) else { return };
        // A reply in the clear must not reach into a handshake.
        if matches!(self.phase, Phase::Handshaking(_) | Phase::Clearing) {
            return self.close_silently();
        }
        self.close(&Reply::new(
            421,
            match timer {
                Timer::Silent => "No command was received; connect again.",
                Timer::Login => "The login took too long; connect again.",
                Timer::Idle => "Idle timeout; connect again.",
                Timer::Moved => "This server's address has moved; connect again.",
                Timer::Backend => "The file server behind this gateway does not answer; try again.",
            },
        ));
    }

    /// The gateway shuts down: ends now if nothing is under way, else when that has ended.
    pub fn handle_drain(&mut self, now: Instant) {
        self.is_draining = true;
        match self.phase {
            Phase::Handshaking(_) | Phase::Clearing => self.close_silently(),
            Phase::Starting => self.close(&Reply::new(421, "The server is shutting down; connect again.")),
            _ => self.advance(now),
        }
    }

    /// The time for a graceful shutdown is over: breaks off what is under way.
    pub fn handle_shutdown(&mut self, now: Instant) {
        self.handle_drain(now);
        match self.phase {
            Phase::Closed => {}
            Phase::Transferring(_) => self.abort(Failure::ShuttingDown),
            _ => self.close(&Reply::new(421, "The server is shutting down; connect again.")),
        }
    }

    fn next_timer(&self) -> Option<(Instant, Timer)> {
        let login_time = self.settings.login_time;
        let login = match (self.clocks.first_octet(), &self.phase) {
            (Some(first_octet), _) => (first_octet + login_time, Timer::Login),
            (None, Phase::Starting) => (self.clocks.greeted() + login_time, Timer::Backend),
            (None, _) => (self.clocks.greeted() + FIRST_OCTET_TIME.min(login_time), Timer::Silent),
        };
        let active = self.clocks.active();
        let idle = (active + self.settings.idle_time, Timer::Idle);
        let moved = self.address.moved_at().map(|at| (at.max(active) + MOVED_TIME, Timer::Moved));
        let backend = (self.backend.asked_at() + REPLY_TIME, Timer::Backend);
        let of_phase = match &self.phase {
            Phase::Closed => return None,
            Phase::Starting | Phase::Restarting | Phase::Asking => Some(backend),
            Phase::Transferring(transfer) if transfer.stage() != TransferStage::Running => Some(backend),
            Phase::Transferring(_)
            | Phase::AwaitingPort(_)
            | Phase::Handshaking(_)
            | Phase::Negotiating
            | Phase::Admitting(_) => None,
            Phase::Ready | Phase::Clearing => [Some(idle), moved].into_iter().flatten().min(),
        };
        of_phase.into_iter().chain((!self.login.is_done()).then_some(login)).min()
    }
}
