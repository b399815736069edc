//! FTP as it goes over the wire, with its security: no I/O, no clock, no runtime.
//!
//! Octets and the present moment go in, events and octets come out, so the gateway, the tests and the fuzzers drive the
//! same code. [`mod@line`] cuts octets into lines, [`command`] gives them types, [`policy`] says what a client may do
//! when, [`session`] is the state of one control connection, [`data_ports`] the bookkeeping of all sessions' data
//! ports, [`endpoint`] how their addresses are written, [`dialect`] what gateway and ftpd say to each other, [`pace`]
//! what is too slow, [`origin`] whom limits count as one.

pub mod ascii;
pub mod command;
pub mod data_ports;
pub mod dialect;
pub mod endpoint;
pub mod line;
pub mod origin;
pub mod pace;
pub mod policy;
pub mod proxy_header;
pub mod reply;
pub mod security;
pub mod session;
pub mod words;
