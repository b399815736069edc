//! Fuzz target: replies of a backend.

#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| safetp_fuzz::replies::check(octets));
