//! How data connections prove whose they are.

use rustls::version::{TLS12, TLS13};
use safetp_config::gateway::DataBinding;

use crate::support::{Client, Pod};

fn strict() -> Pod {
    Pod::with(|config| config.security.data_binding = DataBinding::Required)
}

fn login_with(pod: &Pod, version: &'static rustls::SupportedProtocolVersion) -> Client {
    let mut client = pod.connect();
    client.only(version);
    client.auth_tls();
    client.ask("PBSZ 0", 200);
    client.ask("PROT P", 200);
    client.login("alice");
    client
}

#[test]
fn resumption_of_the_sessions_own_tls_session_proves_a_data_connection() {
    let pod = strict();
    for version in [&TLS12, &TLS13] {
        let mut client = login_with(&pod, version);
        // More transfers than tickets were issued at first.
        for _ in 0..5 {
            client.store("STOR file", b"mine");
            assert_eq!(client.fetch("RETR file"), b"mine");
        }
    }
    assert_eq!(pod.metric("safetp_gateway_data_bindings_total{binding=\"resumed\"}"), 20);
}

#[test]
fn where_it_is_demanded_a_data_connection_without_it_is_522() {
    let pod = strict();
    let mut client = pod.login();
    client.forget_tickets();
    let data = client.open("STOR file");
    data.cut();
    assert!(client.expect(522).contains("resume"));
    assert!(!pod.alice("file").exists());
}

#[test]
fn where_it_is_demanded_another_sessions_ticket_is_522() {
    let pod = strict();
    for version in [&TLS12, &TLS13] {
        let other = login_with(&pod, version);
        let mut client = login_with(&pod, version);
        client.share_tickets(&other);
        let data = client.open("STOR file");
        assert!(data.resumed(), "the ticket is good, but not for this session");
        data.cut();
        client.expect(522);
    }
}

#[test]
fn where_it_is_not_demanded_the_address_is_proof_enough() {
    let pod = Pod::new();
    let mut client = pod.login();
    client.forget_tickets();
    client.store("STOR file", b"x");
    assert_eq!(pod.metric("safetp_gateway_data_bindings_total{binding=\"address\"}"), 1);
}
