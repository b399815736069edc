//! Whether a client's next data connection can be expected, or must be made, to resume its session, by what the ones
//! before it did.

use std::time::Instant;

use safetp_protocol::data_ports::Ticket;

use crate::gateway::tls::{CONTROL_TICKETS, DATA_TICKETS, TicketId};

/// A client's habit with tickets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Habit {
    /// A data connection has resumed the session.
    resumes: bool,
    /// One was expected to, and did not.
    failed: bool,
    /// The last data connection that resumed broke off: OpenSSL forgets a session that did not end as it should.
    broken: bool,
    last: Option<TicketId>,
    left: Left,
    /// When the tickets of the control connection lapse, which may be the only ones that the client keeps.
    lapse: Option<Instant>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Left {
    /// It never runs out of them: under TLS 1.2 each handshake brings a new one, and some use one more than once.
    #[default]
    Enough,
    /// What a client that uses each ticket once has left.
    Tickets(usize),
}

impl Habit {
    /// After the handshake of the control connection.
    pub(super) fn new(tls13: bool, lapse: Instant) -> Self {
        let left = if tls13 { Left::Tickets(CONTROL_TICKETS) } else { Left::Enough };
        Self { left, lapse: Some(lapse), ..Self::default() }
    }

    /// A data connection has ended, well or not, which had shown this ticket of the session. Without one it brings no
    /// ticket of the session either, and an upload brings none to a client that does not read.
    pub(super) fn note(&mut self, ticket: Option<TicketId>, well: bool, upload: bool) {
        let Some(ticket) = ticket else { return };
        self.resumes = true;
        self.broken = !well;
        if self.last.replace(ticket) == Some(ticket) {
            self.left = Left::Enough;
        }
        if let Left::Tickets(left) = &mut self.left {
            let brought = if well && !upload { DATA_TICKETS } else { 0 };
            *left = left.saturating_sub(1) + brought;
        }
    }

    /// No data connection proved to be the session's where one had to. A client that must show a ticket must do so ever
    /// after, or whoever keeps it from doing so once could take its place from then on.
    pub(super) fn note_failure(&mut self, now: Instant) {
        self.failed |= self.ticket(now) != Ticket::Always;
    }

    /// Whether a data connection has ever shown a ticket of the session.
    pub(super) fn has_resumed(self) -> bool {
        self.resumes
    }

    /// When the next data connection must show a ticket. Always, where the client surely has one; at a shared port, where
    /// it likely has one.
    pub(super) fn ticket(self, now: Instant) -> Ticket {
        let lasting = self.left == Left::Enough;
        match self.resumes && !self.failed {
            true if lasting && !self.broken && self.lapse.is_some_and(|lapse| now < lapse) => Ticket::Always,
            true if self.left != Left::Tickets(0) => Ticket::WhenShared,
            _ => Ticket::Never,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const LIFETIME: Duration = Duration::from_secs(6 * 3600);

    struct Client {
        habit: Habit,
        now: Instant,
    }

    impl Client {
        fn new(tls13: bool) -> Self {
            let now = Instant::now();
            Self { habit: Habit::new(tls13, now + LIFETIME), now }
        }

        fn resume(&mut self, ticket: u64, upload: bool) -> Ticket {
            self.habit.note(Some(TicketId(ticket)), true, upload);
            self.ticket()
        }

        fn ticket(&self) -> Ticket {
            self.habit.ticket(self.now)
        }
    }

    #[test]
    fn one_that_never_resumed_is_not_trusted_to() {
        let mut client = Client::new(true);
        client.habit.note(None, true, false);
        assert_eq!(client.ticket(), Ticket::Never);
        assert_eq!(client.resume(1, false), Ticket::WhenShared);
    }

    #[test]
    fn uploads_use_up_the_tickets_of_one_that_uses_each_once() {
        let mut client = Client::new(true);
        for number in 0..3 {
            assert_eq!(client.resume(number, true), Ticket::WhenShared);
        }
        assert_eq!(client.resume(3, true), Ticket::Never);
        client.habit.note(None, true, false);
        assert_eq!(client.ticket(), Ticket::Never, "what a connection without a ticket brings is nobody's");
    }

    #[test]
    fn one_that_uses_a_ticket_twice_must_always_show_one() {
        let mut client = Client::new(true);
        assert_eq!(client.resume(1, true), Ticket::WhenShared);
        for _ in 0..9 {
            assert_eq!(client.resume(1, true), Ticket::Always);
        }
    }

    #[test]
    fn under_tls_1_2_one_that_has_resumed_must_always_show_a_ticket() {
        let mut client = Client::new(false);
        for number in 0..9 {
            assert_eq!(client.resume(number, true), Ticket::Always);
        }
    }

    #[test]
    fn after_a_transfer_that_broke_off_the_ticket_is_asked_for_again_once_it_was_shown() {
        let mut client = Client::new(false);
        client.resume(1, false);
        client.habit.note(Some(TicketId(1)), false, false);
        assert_eq!(client.ticket(), Ticket::WhenShared);
        assert_eq!(client.resume(1, false), Ticket::Always);
    }

    #[test]
    fn tickets_that_lapse_are_not_demanded() {
        let mut client = Client::new(false);
        client.resume(1, false);
        client.now += LIFETIME;
        assert_eq!(client.ticket(), Ticket::WhenShared);
    }

    #[test]
    fn one_that_failed_at_a_shared_port_is_never_trusted_again() {
        let mut client = Client::new(true);
        client.resume(1, false);
        client.habit.note_failure(client.now);
        assert_eq!(client.resume(1, false), Ticket::Never);
    }

    #[test]
    fn no_failure_frees_one_from_showing_what_it_must_always_show() {
        let mut client = Client::new(false);
        client.resume(1, false);
        client.habit.note_failure(client.now);
        assert_eq!(client.ticket(), Ticket::Always);
    }
}
