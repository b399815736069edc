//! Commands that came while an earlier one is under way.

use std::collections::VecDeque;

use super::channel::Held;
use crate::line::Line;

/// Octets that may wait before a login: several times what a client pipelines to get there.
const BEFORE_LOGIN: usize = 8 * 1024;
/// The same after a login, where scripts pipeline long lists of names.
const AFTER_LOGIN: usize = 64 * 1024;

/// How many octets may wait, as they came or as [`HeldCommands`]. Beyond that the client is not read from.
pub(super) fn most_octets(logged_in: bool) -> usize {
    if logged_in { AFTER_LOGIN } else { BEFORE_LOGIN }
}

/// Commands that had to be looked at before their turn. All others wait as octets in the line decoder.
#[derive(Debug, Default)]
pub(super) struct HeldCommands {
    commands: VecDeque<Held>,
    octets: usize,
}

impl HeldCommands {
    pub(super) fn push(&mut self, command: Held) {
        self.octets += octets_of(&command);
        self.commands.push_back(command);
    }

    pub(super) fn pop(&mut self) -> Option<Held> {
        let command = self.commands.pop_front()?;
        self.octets = self.octets.saturating_sub(octets_of(&command));
        if self.commands.is_empty() {
            // Most sessions are idle, and hold no buffer then.
            self.commands = VecDeque::new();
        }
        Some(command)
    }

    /// What the commands occupy, the room for each of them included: an empty line is not free.
    pub(super) fn octets(&self) -> usize {
        self.octets
    }

    pub(super) fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }
}

fn octets_of(command: &Held) -> usize {
    let own = match command {
        Held::Line(Line::Whole(line), _) => line.len(),
        Held::Line(Line::TooLong, _) => 0,
        Held::Refused(reply) => reply.text().len(),
    };
    size_of::<Held>() + own
}
