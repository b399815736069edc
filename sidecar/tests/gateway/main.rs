//! The gateway with the embedded ftpd behind it, over real sockets, as clients see the pair.

mod support;

mod login;
mod transfers;
