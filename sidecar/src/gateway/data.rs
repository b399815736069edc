//! Data connections: who waits for one, who gets it, and the octets that go over it.

pub(super) mod accept;
mod copy;
mod descriptor;
pub(super) mod ports;
mod stream;
pub(super) mod transfer;
