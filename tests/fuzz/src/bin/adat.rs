//! Fuzz target: messages of ADAT.

#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| safetp_fuzz::adat::check(octets));
