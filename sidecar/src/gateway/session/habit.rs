//! Whether a client's next data connection can be expected to resume its session, by what the ones before it did.

use crate::gateway::tls::{CONTROL_TICKETS, DATA_TICKETS, TicketId};

/// A client's habit with tickets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Habit {
    /// A data connection has resumed the session.
    resumes: bool,
    /// One was expected to, and did not.
    failed: bool,
    /// It has used a ticket twice, so it never runs out of them.
    reuses: bool,
    last: Option<TicketId>,
    /// What a client that uses each ticket once has left. Under TLS 1.2 each handshake brings a new one.
    left: Left,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Left {
    #[default]
    Enough,
    Tickets(usize),
}

impl Habit {
    /// Behind the handshake of the control connection.
    pub(super) fn new(tls13: bool) -> Self {
        let left = if tls13 { Left::Tickets(CONTROL_TICKETS) } else { Left::Enough };
        Self { left, ..Self::default() }
    }

    /// A data connection has gone well, with this ticket. An upload brings new ones too, but not to one that does not
    /// read them.
    pub(super) fn note(&mut self, ticket: Option<TicketId>, upload: bool) {
        if let Some(ticket) = ticket {
            self.resumes = true;
            self.reuses |= self.last == Some(ticket);
            self.last = Some(ticket);
        }
        if let Left::Tickets(left) = &mut self.left {
            *left = left.saturating_sub(usize::from(ticket.is_some())) + if upload { 0 } else { DATA_TICKETS };
        }
    }

    /// No data connection proved to be the session's where one had to.
    pub(super) fn note_failure(&mut self) {
        self.failed = true;
    }

    /// Whether a port may be shared in the trust that the connection will show a ticket.
    pub(super) fn resumes(self) -> bool {
        self.resumes && !self.failed && (self.reuses || self.left != Left::Tickets(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resume(habit: &mut Habit, ticket: u64, upload: bool) {
        habit.note(Some(TicketId(ticket)), upload);
    }

    #[test]
    fn one_that_never_resumed_is_not_trusted_to() {
        let mut habit = Habit::new(true);
        habit.note(None, false);
        assert!(!habit.resumes());
        resume(&mut habit, 1, false);
        assert!(habit.resumes());
    }

    #[test]
    fn uploads_use_up_the_tickets_of_one_that_uses_each_once() {
        let mut habit = Habit::new(true);
        for number in 0..3 {
            resume(&mut habit, number, true);
            assert!(habit.resumes());
        }
        resume(&mut habit, 3, true);
        assert!(!habit.resumes());
        habit.note(None, false);
        assert!(habit.resumes(), "a download has brought new ones");
    }

    #[test]
    fn one_that_uses_a_ticket_twice_never_runs_out() {
        let mut habit = Habit::new(true);
        for _ in 0..9 {
            resume(&mut habit, 1, true);
        }
        assert!(habit.resumes());
    }

    #[test]
    fn under_tls_1_2_each_handshake_brings_a_ticket() {
        let mut habit = Habit::new(false);
        for number in 0..9 {
            resume(&mut habit, number, true);
        }
        assert!(habit.resumes());
    }

    #[test]
    fn one_that_failed_is_never_trusted_again() {
        let mut habit = Habit::new(false);
        resume(&mut habit, 1, false);
        habit.note_failure();
        resume(&mut habit, 2, false);
        assert!(!habit.resumes());
    }
}
