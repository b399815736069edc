//! Data connections: which session waits for one, which one it gets, and the octets that go over it.

pub(crate) mod accept;
mod blocks;
pub(crate) mod budget;
pub(crate) mod connection;
mod copy;
mod descriptor;
pub(crate) mod handshake;
pub(crate) mod ports;
mod stream;
pub(crate) mod transfer;
mod waiting_room;
