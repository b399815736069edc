//! Fuzz target: headers of the PROXY protocol.

#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| safetp_fuzz::proxy_header::check(octets));
