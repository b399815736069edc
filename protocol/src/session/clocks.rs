//! Moments of one session by which it is timed.

use std::time::Instant;

/// Moments of one session.
#[derive(Debug)]
pub(super) struct Clocks {
    greeted: Instant,
    first_octet: Option<Instant>,
    active: Instant,
}

impl Clocks {
    /// The client has just connected.
    pub(super) fn new(now: Instant) -> Self {
        Self { greeted: now, first_octet: None, active: now }
    }

    /// The client's 220 is sent, or the backend has begun again.
    pub(super) fn note_greeting(&mut self, now: Instant) {
        (self.greeted, self.active) = (now, now);
    }

    /// The client has sent octets.
    pub(super) fn note_octets(&mut self, now: Instant) {
        self.first_octet.get_or_insert(now);
    }

    /// A command or a reply moves the session on.
    pub(super) fn note_activity(&mut self, now: Instant) {
        self.active = now;
    }

    /// Another login has to follow: its time begins here.
    pub(super) fn restart_login(&mut self, now: Instant) {
        self.first_octet = Some(now);
    }

    pub(super) fn greeted(&self) -> Instant {
        self.greeted
    }

    /// The moment at which the time for the login began; none while the client is silent.
    pub(super) fn first_octet(&self) -> Option<Instant> {
        self.first_octet
    }

    pub(super) fn active(&self) -> Instant {
        self.active
    }
}
