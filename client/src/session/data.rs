//! One data connection: [`open`] has it made and sends its command, [`stream`] moves and protects its octets, and
//! [`conclude`] takes the server's reply and decides whether the transfer is complete.

mod conclude;
mod open;
mod protection;
mod stream;

pub(crate) use open::Prepared;
pub(super) use protection::Protection;
pub(crate) use stream::{CHUNK, DataStream, Direction};
