//! How every program of the product starts and runs, written once: each part is a few lines that operator, gateway and
//! ftpd would otherwise repeat, and by and by do differently.

pub mod accept;
pub mod limits;
pub mod log;
pub mod reload;
pub mod signals;
pub mod volume;
pub mod watch;
