//! The record of one case: what the man in the middle has seen and done.

use std::sync::{Mutex, MutexGuard};

use crate::{
    framing::{Framing, Kind, Unit},
    operation::{Operation, Tampering},
    stream::{Channel, Direction, Stream},
};

/// Something that a sender sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A unit.
    Unit(Stream, Kind),
    /// The sender's end.
    End(Stream),
}

/// How far the tampering got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Effect {
    /// Its unit never came.
    #[default]
    None,
    /// It was done.
    Done,
    /// This octet of the unit was changed from the first to the second.
    Changed {
        /// Counted from 0 in the unit, its framing included.
        position: usize,
        /// Its value as it was sent.
        from: u8,
        /// Its value as it arrives.
        to: u8,
    },
    /// Withheld until the sender ended, and then delivered in its place after all.
    Restored,
}

/// The tape of one case.
#[derive(Debug)]
pub struct Tape {
    data_framing: Framing,
    tampering: Option<Tampering>,
    notes: Mutex<Notes>,
}

#[derive(Debug, Default)]
struct Notes {
    events: Vec<Event>,
    data_connections: usize,
    effect: Effect,
    /// The units of the first data connection, which can be replayed.
    kept: Vec<(Direction, Vec<u8>)>,
}

impl Tape {
    /// A tape without tampering is of a session that he only listens to.
    pub fn new(data_framing: Framing, tampering: Option<Tampering>) -> Self {
        Self { data_framing, tampering, notes: Mutex::default() }
    }

    /// All that was sent, in its order.
    pub fn events(&self) -> Vec<Event> {
        self.notes().events.clone()
    }

    /// How far the tampering got.
    pub fn effect(&self) -> Effect {
        self.notes().effect
    }

    /// Numbers a data connection that has just been opened.
    pub(crate) fn count_data_connection(&self) -> Channel {
        let mut notes = self.notes();
        notes.data_connections += 1;
        Channel::Data(notes.data_connections - 1)
    }

    pub(crate) fn framing(&self, channel: Channel) -> Framing {
        match channel {
            Channel::Control => Framing::Control,
            Channel::Data(_) => self.data_framing,
        }
    }

    /// The tampering with this stream, if it is the one.
    pub(crate) fn tampering(&self, stream: Stream) -> Option<Tampering> {
        self.tampering.clone().filter(|tampering| tampering.stream == stream)
    }

    pub(crate) fn note_unit(&self, stream: Stream, unit: &Unit) {
        let mut notes = self.notes();
        notes.events.push(Event::Unit(stream, unit.kind));
        let is_wanted = self.tampering.as_ref().is_some_and(|tampering| tampering.operation == Operation::Replay);
        if is_wanted && stream.channel == Channel::Data(0) {
            notes.kept.push((stream.direction, unit.octets.clone()));
        }
    }

    pub(crate) fn note_end(&self, stream: Stream) {
        self.notes().events.push(Event::End(stream));
    }

    pub(crate) fn note_effect(&self, effect: Effect) {
        self.notes().effect = effect;
    }

    /// The unit with this number of the first data connection.
    pub(crate) fn kept(&self, direction: Direction, index: usize) -> Option<Vec<u8>> {
        let notes = self.notes();
        let mut kept = notes.kept.iter().filter(|(other, _)| *other == direction);
        kept.nth(index).map(|(_, octets)| octets.clone())
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap()
    }
}
