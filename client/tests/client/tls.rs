//! TLS: whom the client believes, and what its data connections prove.

use std::fs;

use serde_json::json;

use crate::support::{Pod, octets};

#[test]
fn a_server_whose_ca_is_not_trusted_gets_nothing() {
    let pod = Pod::new();
    let other = Pod::new();
    let outcome = other.safetp(&["ls", "-v", &pod.url("")]).run();
    outcome.is_failure(4, &["certificate of 127.0.0.1", "nobody trusted here", "--ca FILE"]);
    assert!(!outcome.err.contains("> USER"), "{}", outcome.err);
}

#[test]
fn a_certificate_for_another_name_is_refused() {
    let pod = Pod::new();
    let url = format!("safetp://alice@127.0.0.2:{}/", pod.port);
    pod.safetp(&["ls", &url]).run().is_failure(4, &["for another name"]);
}

#[test]
fn a_name_is_looked_up_and_stands_in_the_certificate() {
    let pod = Pod::new();
    pod.safetp(&["ls", &format!("safetp://alice@localhost:{}/", pod.port)]).run().is_done();
}

#[test]
fn data_connections_resume_the_session_in_both_versions() {
    let pod = Pod::with(|config| config["security"]["dataBinding"] = json!("Required"));
    fs::write(pod.here("file"), octets(100_000)).unwrap();
    for version in ["1.2", "1.3"] {
        pod.safetp(&["put", "file", &pod.url("stored"), "--tls-version", version]).run().is_done();
        pod.safetp(&["get", &pod.url("stored"), "back", "--tls-version", version]).run().is_done();
        assert_eq!(fs::read(pod.here("back")).unwrap(), fs::read(pod.here("file")).unwrap());
    }
}

#[test]
fn ftp_and_ftpes_mean_tls_too() {
    let pod = Pod::new();
    for scheme in ["ftp", "ftpes"] {
        let url = format!("{scheme}://alice@{}/", pod.address());
        let outcome = pod.safetp(&["ls", "-v", &url]).run();
        assert!(outcome.is_done().err.contains("> AUTH TLS"));
    }
}

#[test]
fn prot_c_is_the_servers_to_refuse() {
    let pod = Pod::new();
    pod.safetp(&["ls", &pod.url(""), "--protection", "c"]).run().is_failure(4, &["534", "Nothing was transferred"]);
    let pod = Pod::with(|config| config["security"]["data"] = json!("Optional"));
    fs::write(pod.there("file"), b"x").unwrap();
    pod.safetp(&["get", &pod.url("file"), "--protection", "C"]).run().is_done();
}

#[test]
fn prot_s_is_not_tls() {
    let pod = Pod::new();
    let outcome = pod.safetp(&["ls", "-v", &pod.url(""), "--protection", "s"]).run();
    outcome.is_failure(2, &["TLS has no PROT S"]);
    assert!(!outcome.err.contains("PASS"));
}

#[test]
fn a_mechanism_that_is_not_offered_is_not_replaced_by_another() {
    let pod = Pod::new();
    let outcome = pod.safetp(&["ls", "-v", &pod.url(""), "--mechanism", "x-safetp1"]).run();
    outcome.is_failure(4, &["does not offer X-SafeTP1", "Nothing was sent in the clear"]);
    assert!(!outcome.err.contains("> AUTH TLS") && !outcome.err.contains("> USER"));
}
