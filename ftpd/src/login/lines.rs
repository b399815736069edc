//! Two lines, one for those who are known and one for strangers, served alternately: however many strangers wait, users
//! do not wait for them. Pure.

use super::{
    budget::Ahead,
    origin::Who,
    turns::{Ticket, Turns},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    Known,
    Strangers,
}

impl Line {
    fn other(self) -> Self {
        match self {
            Self::Known => Self::Strangers,
            Self::Strangers => Self::Known,
        }
    }
}

/// A place in one of the lines.
#[derive(Clone, Copy, Debug)]
pub(super) struct Position {
    line: Line,
    ticket: Ticket,
}

#[derive(Debug)]
pub(super) struct Lines<T> {
    known: Turns<T>,
    strangers: Turns<T>,
    /// The line that was not served last.
    next: Line,
}

impl<T> Default for Lines<T> {
    fn default() -> Self {
        Self { known: Turns::default(), strangers: Turns::default(), next: Line::Known }
    }
}

impl<T> Lines<T> {
    /// Joins a line; `None`: it is full.
    pub(super) fn join(&mut self, line: Line, who: Who, item: T) -> Option<Position> {
        self.of_mut(line).join(who, item).map(|ticket| Position { line, ticket })
    }

    /// Leaves the line: whether the place was still held.
    pub(super) fn leave(&mut self, place: Position) -> bool {
        self.of_mut(place.line).leave(place.ticket)
    }

    /// Serves the next login of those that are `ready`.
    pub(super) fn next(&mut self, mut ready: impl FnMut(Who) -> bool) -> Option<(Who, T)> {
        let first = self.next;
        for line in [first, first.other()] {
            if let Some(served) = self.of_mut(line).next(&mut ready) {
                self.next = line.other();
                return Some(served);
            }
        }
        None
    }

    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty() && self.strangers.is_empty()
    }

    /// Everybody who waits.
    pub(super) fn iter(&self) -> impl Iterator<Item = Who> {
        self.known.iter().chain(self.strangers.iter())
    }

    /// How many wait in this line for the same tokens as `who`.
    pub(super) fn ahead(&self, line: Line, who: Who) -> Ahead {
        self.of(line).ahead(who)
    }

    fn of(&self, line: Line) -> &Turns<T> {
        match line {
            Line::Known => &self.known,
            Line::Strangers => &self.strangers,
        }
    }

    fn of_mut(&mut self, line: Line) -> &mut Turns<T> {
        match line {
            Line::Known => &mut self.known,
            Line::Strangers => &mut self.strangers,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_full_of_strangers_neither_keeps_users_out_nor_lets_them_wait() {
        let mut lines = Lines::default();
        let who = |name| Who { origin: None, name };
        while lines.join(Line::Strangers, who(0), 0).is_some() {}
        lines.join(Line::Known, who(1), 1).unwrap();
        lines.join(Line::Known, who(1), 1).unwrap();
        let served: Vec<u64> = (0..4).filter_map(|_| lines.next(|_| true)).map(|(_, name)| name).collect();
        assert_eq!(served, [1, 0, 1, 0]);
    }
}
