//! Fuzz target: command lines.

#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| safetp_fuzz::command_line::check(octets));
