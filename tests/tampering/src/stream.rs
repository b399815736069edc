//! The names of what goes over the wires: one direction of one connection of a session.

/// A connection of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// The control connection.
    Control,
    /// The data connection with this number, from 0 on.
    Data(usize),
}

/// The way that octets go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the client.
    ToServer,
    /// From the gateway.
    ToClient,
}

/// One direction of one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream {
    /// The connection.
    pub channel: Channel,
    /// The way.
    pub direction: Direction,
}
