//! A client's use of TLS tickets so far, from which follows whether its next data connection must resume the session.

use std::time::Instant;

use safetp_protocol::data_ports::Ticket;

use crate::tls::{CONTROL_TICKETS, DATA_TICKETS, TicketId};

/// A client's use of tickets so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ResumptionHistory {
    /// A data connection has resumed the session.
    resumes: bool,
    /// A data connection was expected to resume it, and did not.
    failed: bool,
    /// The last data connection that resumed broke off: OpenSSL forgets a session that did not end as it should.
    broken: bool,
    last: Option<TicketId>,
    left: TicketsLeft,
    /// Expiry of the control connection's tickets, which may be the only ones that the client keeps.
    expiry: Option<Instant>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum TicketsLeft {
    /// The client never runs out of them: under TLS 1.2 each handshake brings a new one, and some clients use one more
    /// than once.
    #[default]
    Enough,
    /// The number that a client has left which uses each ticket once.
    Count(usize),
}

impl ResumptionHistory {
    /// The history at the handshake of the control connection.
    pub(crate) fn new(tls13: bool, expiry: Instant) -> Self {
        let left = if tls13 { TicketsLeft::Count(CONTROL_TICKETS) } else { TicketsLeft::Enough };
        Self { left, expiry: Some(expiry), ..Self::default() }
    }

    /// Notes that a data connection has ended, well or not, which had shown this ticket of the session. Without one it
    /// brings no ticket of the session either, and an upload brings none to a client that does not read.
    pub(crate) fn note(&mut self, ticket: Option<TicketId>, well: bool, upload: bool) {
        let Some(ticket) = ticket else { return };
        self.resumes = true;
        self.broken = !well;
        if self.last.replace(ticket) == Some(ticket) {
            self.left = TicketsLeft::Enough;
        }
        if let TicketsLeft::Count(left) = &mut self.left {
            let brought = if well && !upload { DATA_TICKETS } else { 0 };
            *left = left.saturating_sub(1) + brought;
        }
    }

    /// Notes that no data connection proved to be the session's where one had to. A client that must show a ticket must
    /// do so ever after: else an attacker who prevents it once could take its place from then on.
    pub(crate) fn note_failure(&mut self, now: Instant) {
        self.failed |= self.ticket(now) != Ticket::Always;
    }

    /// Returns true if a data connection has ever shown a ticket of the session.
    pub(crate) fn has_resumed(self) -> bool {
        self.resumes
    }

    /// The rule for the next data connection: it must always show a ticket where the client surely has one, and at a
    /// shared port where it likely has one.
    pub(crate) fn ticket(self, now: Instant) -> Ticket {
        let lasting = self.left == TicketsLeft::Enough;
        match self.resumes && !self.failed {
            true if lasting && !self.broken && self.expiry.is_some_and(|expiry| now < expiry) => Ticket::Always,
            true if self.left != TicketsLeft::Count(0) => Ticket::WhenShared,
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
        history: ResumptionHistory,
        now: Instant,
    }

    impl Client {
        fn new(tls13: bool) -> Self {
            let now = Instant::now();
            Self { history: ResumptionHistory::new(tls13, now + LIFETIME), now }
        }

        fn resume(&mut self, ticket: u64, upload: bool) -> Ticket {
            self.history.note(Some(TicketId(ticket)), true, upload);
            self.ticket()
        }

        fn ticket(&self) -> Ticket {
            self.history.ticket(self.now)
        }
    }

    #[test]
    fn a_client_that_never_resumed_need_not_show_a_ticket() {
        let mut client = Client::new(true);
        client.history.note(None, true, false);
        assert_eq!(client.ticket(), Ticket::Never);
        assert_eq!(client.resume(1, false), Ticket::WhenShared);
    }

    #[test]
    fn uploads_use_up_the_tickets_of_a_client_that_uses_each_once() {
        let mut client = Client::new(true);
        for number in 0..3 {
            assert_eq!(client.resume(number, true), Ticket::WhenShared);
        }
        assert_eq!(client.resume(3, true), Ticket::Never);
        client.history.note(None, true, false);
        assert_eq!(client.ticket(), Ticket::Never, "a connection without a ticket brings none of the session");
    }

    #[test]
    fn a_client_that_uses_a_ticket_twice_must_always_show_one() {
        let mut client = Client::new(true);
        assert_eq!(client.resume(1, true), Ticket::WhenShared);
        for _ in 0..9 {
            assert_eq!(client.resume(1, true), Ticket::Always);
        }
    }

    #[test]
    fn under_tls_1_2_a_client_that_has_resumed_must_always_show_a_ticket() {
        let mut client = Client::new(false);
        for number in 0..9 {
            assert_eq!(client.resume(number, true), Ticket::Always);
        }
    }

    #[test]
    fn after_a_broken_transfer_a_ticket_is_required_again_once_it_was_shown() {
        let mut client = Client::new(false);
        client.resume(1, false);
        client.history.note(Some(TicketId(1)), false, false);
        assert_eq!(client.ticket(), Ticket::WhenShared);
        assert_eq!(client.resume(1, false), Ticket::Always);
    }

    #[test]
    fn expired_tickets_are_not_required() {
        let mut client = Client::new(false);
        client.resume(1, false);
        client.now += LIFETIME;
        assert_eq!(client.ticket(), Ticket::WhenShared);
    }

    #[test]
    fn a_client_that_failed_at_a_shared_port_need_not_show_a_ticket_again() {
        let mut client = Client::new(true);
        client.resume(1, false);
        client.history.note_failure(client.now);
        assert_eq!(client.resume(1, false), Ticket::Never);
    }

    #[test]
    fn a_failure_does_not_free_a_client_that_must_always_show_a_ticket() {
        let mut client = Client::new(false);
        client.resume(1, false);
        client.history.note_failure(client.now);
        assert_eq!(client.ticket(), Ticket::Always);
    }
}
