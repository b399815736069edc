//! TLS: whom the client believes, and what its data connections prove.

use std::fs;

use safetp_config::gateway::{DataBinding, Requirement};

use crate::support::{Stage, octets};

#[test]
fn a_server_whose_ca_is_not_trusted_gets_nothing() {
    let stage = Stage::new();
    let other = Stage::new();
    let outcome = other.safetp(&["ls", "-v", &stage.url("")]).run();
    outcome.is_failure(4, &["certificate of 127.0.0.1", "no trusted CA", "--ca FILE"]);
    assert!(!outcome.err.contains("> USER"), "{}", outcome.err);
}

#[test]
fn a_certificate_for_another_name_is_refused() {
    let stage = Stage::new();
    let url = format!("safetp://alice@127.0.0.2:{}/", stage.control_port);
    stage.safetp(&["ls", &url]).run().is_failure(4, &["for another name"]);
}

#[test]
fn a_name_is_looked_up_and_stands_in_the_certificate() {
    let stage = Stage::new();
    stage.safetp(&["ls", &format!("safetp://alice@localhost:{}/", stage.control_port)]).run().is_done();
}

#[test]
fn data_connections_resume_the_session_in_both_versions() {
    let stage = Stage::with(|config| config.security.data_binding = DataBinding::Required);
    fs::write(stage.here("file"), octets(100_000)).unwrap();
    for version in ["1.2", "1.3"] {
        stage.safetp(&["put", "file", &stage.url("stored"), "--tls-version", version]).run().is_done();
        stage.safetp(&["get", &stage.url("stored"), "back", "--tls-version", version]).run().is_done();
        assert_eq!(fs::read(stage.here("back")).unwrap(), fs::read(stage.here("file")).unwrap());
    }
}

#[test]
fn ftp_and_ftpes_mean_tls_too() {
    let stage = Stage::new();
    for scheme in ["ftp", "ftpes"] {
        let url = format!("{scheme}://alice@{}/", stage.address());
        let outcome = stage.safetp(&["ls", "-v", &url]).run();
        assert!(outcome.is_done().err.contains("> AUTH TLS"));
    }
}

#[test]
fn prot_c_is_sent_and_the_server_decides() {
    let stage = Stage::new();
    stage.safetp(&["ls", &stage.url(""), "--protection", "c"]).run().is_failure(4, &["534", "Nothing was transferred"]);
    let stage = Stage::with(|config| config.security.data = Requirement::Optional);
    fs::write(stage.there("file"), b"x").unwrap();
    stage.safetp(&["get", &stage.url("file"), "--protection", "C"]).run().is_done();
}

#[test]
fn prot_s_is_not_tls() {
    let stage = Stage::new();
    let outcome = stage.safetp(&["ls", "-v", &stage.url(""), "--protection", "s"]).run();
    outcome.is_failure(2, &["TLS has no PROT S"]);
    assert!(!outcome.err.contains("PASS"));
}

#[test]
fn a_mechanism_that_is_not_offered_is_not_replaced_by_another() {
    let stage = Stage::new();
    let outcome = stage.safetp(&["ls", "-v", &stage.url(""), "--mechanism", "x-safetp1"]).run();
    outcome.is_failure(4, &["does not offer X-SafeTP1", "Nothing was sent in the clear"]);
    assert!(!outcome.err.contains("> AUTH TLS") && !outcome.err.contains("> USER"));
}

#[test]
fn that_a_server_used_tls_is_noted_once() {
    let stage = Stage::both();
    for _ in 0..2 {
        stage.safetp(&["ls", &stage.url("")]).run().is_done();
        assert_eq!(stage.known_servers(), format!("{} tls\n", stage.address()));
    }
}
