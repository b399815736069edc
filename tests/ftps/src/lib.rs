//! One synchronous FTPS client for the tests, the end-to-end tests and the benchmark: it does exactly what it is told,
//! wrong things too, and shows every reply.
//!
//! [`Session`] is the control connection, [`Data`] a data connection, [`Tls`] the settings of their handshakes. The
//! client of the product and the second implementation in Python share no line with it, so that neither can hide the
//! other's faults.

mod control;
mod data;
mod replies;
mod stream;
mod tls;

pub use control::{Dialer, Passive, Session};
pub use data::Data;
pub use replies::{NoReply, Reply};
pub use tls::{Tls, Trust};
