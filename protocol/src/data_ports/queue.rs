//! Queue of requests for a data port, so ordered that a freed port finds those that it can serve without a look at the
//! others.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Instant,
};

use super::request::{Claim, ExpectedPeer, QUEUE_TIME, Request, SessionId, Ticket, UserId};

/// Requests that are alike: a port that cannot serve the first of a line can serve none of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum QueueLine {
    /// Those for the same peer, with or without a ticket.
    Of(ExpectedPeer, bool),
    /// Those of a user who has its share of the ports, for any peer.
    Bounded(UserId),
}

impl QueueLine {
    pub(super) fn of(claim: Claim) -> Self {
        Self::Of(claim.peer, claim.ticket != Ticket::Never)
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    pub(super) request: Request,
    pub(super) line: QueueLine,
    pub(super) until: Instant,
}

/// All requests, by their turns.
#[derive(Debug, Default)]
pub(super) struct Queue {
    turns: u64,
    /// Every request waits equally long, so the first in turn is the next to give up.
    waiting: BTreeMap<u64, Waiting>,
    turn_of: HashMap<SessionId, u64>,
    lines: HashMap<QueueLine, BTreeSet<u64>>,
}

impl Queue {
    pub(super) fn push(&mut self, request: Request, line: QueueLine, now: Instant) {
        let turn = self.turns;
        self.turns += 1;
        self.waiting.insert(turn, Waiting { request, line, until: now + QUEUE_TIME });
        self.turn_of.insert(request.session, turn);
        self.lines.entry(line).or_default().insert(turn);
    }

    pub(super) fn remove(&mut self, session: SessionId) -> Option<Request> {
        let turn = self.turn_of.remove(&session)?;
        let Waiting { request, line, .. } = self.waiting.remove(&turn)?;
        self.leave(line, turn);
        Some(request)
    }

    /// Puts a request into another line, in which it keeps its turn.
    pub(super) fn change_line(&mut self, turn: u64, line: QueueLine) {
        let Some(waiting) = self.waiting.get_mut(&turn) else { return };
        let old = std::mem::replace(&mut waiting.line, line);
        self.leave(old, turn);
        self.lines.entry(line).or_default().insert(turn);
    }

    /// The first of a line, with its turn.
    pub(super) fn first_of(&self, line: QueueLine) -> Option<(u64, Request)> {
        let turn = *self.lines.get(&line)?.first()?;
        Some((turn, self.waiting.get(&turn)?.request))
    }

    /// Lines that a slot of this peer was blocking.
    pub(super) fn lines_after(&self, peer: ExpectedPeer) -> Vec<QueueLine> {
        match peer {
            ExpectedPeer::Anyone => {
                self.lines.keys().copied().filter(|line| matches!(line, QueueLine::Of(..))).collect()
            }
            ExpectedPeer::Exactly(_) => {
                [(peer, false), (peer, true), (ExpectedPeer::Anyone, false), (ExpectedPeer::Anyone, true)]
                    .map(|(peer, ticket)| QueueLine::Of(peer, ticket))
                    .into()
            }
        }
    }

    /// The next to give up.
    pub(super) fn first(&self) -> Option<&Waiting> {
        self.waiting.first_key_value().map(|(_, waiting)| waiting)
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    #[cfg(test)]
    pub(super) fn iter(&self) -> impl Iterator<Item = &Waiting> {
        self.waiting.values()
    }

    fn leave(&mut self, line: QueueLine, turn: u64) {
        if let Some(turns) = self.lines.get_mut(&line) {
            turns.remove(&turn);
            if turns.is_empty() {
                self.lines.remove(&line);
            }
        }
    }
}
