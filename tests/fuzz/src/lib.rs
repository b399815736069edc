//! Fuzz targets, one a module: `check` takes whatever the fuzzer made, and panics where
//! something holds that must not.

pub mod adat;
pub mod command_line;
pub mod exchange;
pub mod protected_block;
pub mod proxy_header;
pub mod replies;

/// Splits the first octet off: targets take their choices from it.
fn choice(octets: &[u8]) -> Option<(u8, &[u8])> {
    octets.split_first().map(|(choice, rest)| (*choice, rest))
}
