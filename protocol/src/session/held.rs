//! Commands that came while an earlier one is under way.

use std::collections::VecDeque;

use crate::{line::Line, reply::Reply};

/// Octets that may wait before a login: several times what a client pipelines to get there.
const BEFORE_LOGIN: usize = 8 * 1024;
/// The same after a login, where scripts pipeline long lists of names.
const AFTER_LOGIN: usize = 64 * 1024;

/// Limit of the octets that may wait, as they came or as [`HeldCommands`]. Beyond it the client is not read from.
pub(super) fn most_octets(logged_in: bool) -> usize {
    if logged_in { AFTER_LOGIN } else { BEFORE_LOGIN }
}

/// Protection under which one command came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CommandSecurity {
    /// None.
    Clear,
    /// TLS.
    Tls,
    /// X-SafeTP1, as its message of this number.
    SafeTp1(u32),
}

/// A command that waits for its turn, so that replies keep the order of the commands.
#[derive(Debug)]
pub(super) enum Held {
    Line(Line, CommandSecurity),
    /// It came in the clear into a protected session, and will get this reply.
    Refused(Reply),
}

impl Held {
    pub(super) fn came_in_the_clear(&self) -> bool {
        matches!(self, Self::Line(_, CommandSecurity::Clear) | Self::Refused(_))
    }

    /// Octets that the command occupies, its own place included: an empty line is not free.
    fn octets(&self) -> usize {
        let own = match self {
            Self::Line(Line::Whole(line), _) => line.len(),
            Self::Line(Line::TooLong, _) => 0,
            Self::Refused(reply) => reply.text().len(),
        };
        size_of::<Self>() + own
    }
}

/// Commands that had to be looked at before their turn. All others wait as octets in the line decoder.
#[derive(Debug, Default)]
pub(super) struct HeldCommands {
    commands: VecDeque<Held>,
    octets: usize,
}

impl HeldCommands {
    pub(super) fn push(&mut self, command: Held) {
        self.octets += command.octets();
        self.commands.push_back(command);
    }

    pub(super) fn pop(&mut self) -> Option<Held> {
        let command = self.commands.pop_front()?;
        self.octets = self.octets.saturating_sub(command.octets());
        if self.commands.is_empty() {
            // Most sessions are idle, and hold no buffer then.
            self.commands = VecDeque::new();
        }
        Some(command)
    }

    pub(super) fn octets(&self) -> usize {
        self.octets
    }

    pub(super) fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }
}
