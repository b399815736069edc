//! The connection to the backend: what it was asked, and which replies it owes.

use std::{collections::VecDeque, time::Instant};

use crate::{
    command::Type,
    reply::{Reply, ReplyDecoder, ReplyError},
};

/// Command whose reply the backend owes.
#[derive(Debug)]
pub(super) enum Expected {
    Greeting,
    Peer,
    User,
    Pass,
    Relayed,
    Type(Type),
    Rest(u64),
    Features,
    Transfer,
}

/// The session's end of the backend's connection.
#[derive(Debug)]
pub(super) struct BackendLink {
    replies: ReplyDecoder,
    expected: VecDeque<Expected>,
    /// The backend was told something since its connection began, and may remember it.
    was_told: bool,
    asked_at: Instant,
}

impl BackendLink {
    /// A connection that has just been opened, on which the backend owes its greeting and the reply to XPEER.
    pub(super) fn opened(now: Instant) -> Self {
        Self {
            replies: ReplyDecoder::default(),
            expected: [Expected::Greeting, Expected::Peer].into(),
            was_told: false,
            asked_at: now,
        }
    }

    pub(super) fn push(&mut self, octets: &[u8]) {
        self.replies.push(octets);
    }

    pub(super) fn next_reply(&mut self) -> Result<Option<Reply>, ReplyError> {
        self.replies.next_reply()
    }

    /// A line was sent that the backend will reply to.
    pub(super) fn expect(&mut self, expected: Expected, now: Instant) {
        // FEAT asks and changes nothing.
        self.was_told |= !matches!(expected, Expected::Features);
        self.expected.push_back(expected);
        self.asked_at = now;
    }

    /// The command that the reply which has just come belongs to.
    pub(super) fn take_expected(&mut self) -> Option<Expected> {
        self.expected.pop_front()
    }

    /// Another reply to the same command follows.
    pub(super) fn expect_another(&mut self, expected: Expected) {
        self.expected.push_front(expected);
    }

    /// The backend gets its full time again: it was asked for something, or has shown that it works.
    pub(super) fn restart_clock(&mut self, now: Instant) {
        self.asked_at = now;
    }

    pub(super) fn asked_at(&self) -> Instant {
        self.asked_at
    }

    pub(super) fn was_told(&self) -> bool {
        self.was_told
    }

    /// Whether the backend checks a name or a password at this moment.
    pub(super) fn is_checking_login(&self) -> bool {
        matches!(self.expected.front(), Some(Expected::User | Expected::Pass))
    }
}
