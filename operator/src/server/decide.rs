//! The third stage: what a server shall be. Its address, its certificate, its ports, its keys, and what stands in its
//! way.

pub(super) mod address;
pub(super) mod certificate;
pub(super) mod conflicts;
pub(super) mod node_ports;
pub(super) mod ports;
pub(super) mod signing_key;
