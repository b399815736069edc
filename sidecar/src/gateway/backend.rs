//! The server behind the gateway.

pub(super) mod embedded;
