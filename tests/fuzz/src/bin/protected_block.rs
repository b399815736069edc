//! Fuzz target: protected data blocks.

#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| safetp_fuzz::protected_block::check(octets));
