//! The proofs by which a data connection belongs to its session.

use std::{
    io::{self, Write as _},
    time::Duration,
};

use rustls::version::{TLS12, TLS13};
use safetp_config::{gateway::DataBinding, ports::PortRange};

use crate::support::{Client, Pod};

/// Longer than a transfer waits for a second connection after one that proved nothing.
const LATE: Duration = Duration::from_secs(4);

fn strict() -> Pod {
    Pod::with(|config| config.security.data_binding = DataBinding::Required)
}

fn of_one_port() -> Pod {
    Pod::with(|config| {
        let only = config.data_ports.first();
        config.data_ports = PortRange::new(only, only).unwrap();
    })
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
fn an_upload_by_a_client_that_reads_nothing_and_closes_at_once_arrives_whole() {
    let octets = vec![7; 8 * 1024 * 1024];
    for pod in [Pod::new(), strict()] {
        for version in [&TLS12, &TLS13] {
            let mut client = login_with(&pod, version);
            for _ in 0..3 {
                let mut data = client.open("STOR file");
                data.write_all(&octets).unwrap();
                data.hang_up();
                client.expect(226);
                assert_eq!(pod.alice("file").metadata().unwrap().len(), octets.len() as u64);
            }
        }
    }
}

#[test]
fn where_resumption_is_required_a_data_connection_without_it_is_522() {
    let pod = strict();
    let mut client = pod.login();
    client.forget_tickets();
    let port = client.epsv();
    let stream = client.dial(port);
    client.ask("STOR file", 150);
    assert!(client.data(stream).is_err(), "refused in the handshake");
    assert!(client.expect(522).contains("resume"));
    assert!(!pod.alice("file").exists());
}

#[test]
fn where_resumption_is_required_a_stranger_at_every_port_gets_nothing_and_costs_nothing() {
    let pod = strict();
    let mut client = pod.login();
    let mut stranger = pod.login();
    stranger.forget_tickets();
    client.store("STOR secret", b"for alice alone");
    for _ in 0..5 {
        let port = client.epsv();
        let strange = stranger.dial(port);
        let copied = stranger.dial(port);
        let stream = client.dial(port);
        client.ask("RETR secret", 150);
        assert!(stranger.data(strange).is_err());
        drop(copied);
        assert_eq!(client.data(stream).unwrap().read_to_end().unwrap(), b"for alice alone");
        client.expect(226);
    }
}

#[test]
fn sessions_of_one_address_share_a_port_by_their_tickets() {
    let pod = of_one_port();
    let mut clients: Vec<Client> = (0..20).map(|_| pod.login()).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        client.store(&format!("STOR file-{number}"), format!("of {number}").as_bytes());
        // A download, since its end brings the tickets of the data connection.
        assert_eq!(client.fetch(&format!("RETR file-{number}")), format!("of {number}").as_bytes());
    }
    let ports: Vec<u16> = clients.iter_mut().map(Client::epsv).collect();
    let mut streams: Vec<_> = clients.iter().zip(&ports).map(|(client, port)| client.dial(*port)).collect();
    for (number, client) in clients.iter_mut().enumerate().rev() {
        client.ask(&format!("RETR file-{number}"), 150);
        let data = client.data(streams.pop().unwrap()).unwrap();
        assert_eq!(data.read_to_end().unwrap(), format!("of {number}").as_bytes());
        client.expect(226);
    }
}

#[test]
fn a_client_that_does_not_resume_at_a_shared_port_is_425_once_and_then_served_alone() {
    let pod = of_one_port();
    let [mut other, mut client] = [pod.login(), pod.login()];
    for client in [&mut other, &mut client] {
        client.store("STOR file", b"x");
    }
    other.epsv();
    client.forget_tickets();
    let port = client.epsv();
    let stream = client.dial(port);
    client.ask("RETR file", 150);
    assert!(client.data(stream).is_err());
    client.expect(425);
    other.ask("ABOR", 226);
    assert_eq!(client.fetch("RETR file"), b"x");
}

#[test]
fn where_resumption_is_required_another_sessions_ticket_is_522() {
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
fn a_shared_address_is_counted_as_a_weak_binding() {
    let pod = Pod::new();
    let mut client = pod.login();
    client.forget_tickets();
    client.store("STOR file", b"x");
    assert_eq!(pod.metric("safetp_gateway_data_bindings_total{binding=\"weak\"}"), 1);
    let (_, status) = pod.http("/status");
    assert!(status.contains("\"weakBindings\":1"), "{status}");
}

#[test]
fn the_clients_own_address_is_not_counted_as_a_weak_binding() {
    let pod = Pod::with(|config| config.real_client_addresses = true);
    let [mut client, _other] = [pod.login(), pod.login()];
    client.forget_tickets();
    client.store("STOR file", b"x");
    assert_eq!(pod.metric("safetp_gateway_data_bindings_total{binding=\"address\"}"), 1);
    assert_eq!(pod.metric("safetp_gateway_data_bindings_total{binding=\"weak\"}"), 0);
}

#[test]
fn a_stranger_of_the_same_address_who_dials_first_gets_nothing_once_the_client_has_resumed() {
    let pod = Pod::new();
    let mut client = login_with(&pod, &TLS12);
    client.store("STOR secret", b"for alice alone");
    for number in 0..3 {
        for command in ["RETR secret", "STOR other"] {
            let port = client.epsv();
            let stranger = pod.connect_as_stranger();
            let strange = stranger.dial(port);
            let stream = client.dial(port);
            client.ask(command, 150);
            assert!(stranger.data(strange).is_err(), "{command} {number}");
            let mut data = client.data(stream).unwrap();
            if command.starts_with("RETR") {
                assert_eq!(data.read_to_end().unwrap(), b"for alice alone");
            } else {
                data.write_all(b"of alice").unwrap();
                data.finish();
            }
            client.expect(226);
        }
    }
    assert_eq!(std::fs::read(pod.alice("other")).unwrap(), b"of alice");
}

#[test]
fn tickets_of_a_connection_that_proved_nothing_prove_nothing_later() {
    for version in [&TLS12, &TLS13] {
        let pod = Pod::new();
        let mut client = login_with(&pod, &TLS12);
        let mut stranger = pod.connect_as_stranger();
        stranger.only(version);
        // The client has shown no ticket yet, so only its address counts.
        let port = client.epsv();
        let strange = stranger.dial(port);
        client.ask("LIST", 150);
        stranger.data(strange).unwrap().read_to_end().unwrap();
        client.expect(226);
        client.store("STOR secret", b"for alice alone");
        let port = client.epsv();
        let (strange, stream) = (stranger.dial(port), client.dial(port));
        client.ask("RETR secret", 150);
        // Under TLS 1.3 the client's side of the handshake ends before the gateway judges it.
        if let Ok(data) = stranger.data(strange) {
            assert!(data.read_to_end().is_err());
        }
        assert_eq!(client.data(stream).unwrap().read_to_end().unwrap(), b"for alice alone");
        client.expect(226);
    }
}

#[test]
fn a_client_that_keeps_the_tickets_of_all_its_sessions_in_one_place_is_served() {
    let pod = Pod::new();
    let mut first = login_with(&pod, &TLS12);
    first.store("STOR file", b"x");
    let mut second = pod.connect();
    second.share_tickets(&first);
    second.auth_tls();
    second.ask("PBSZ 0", 200);
    second.ask("PROT P", 200);
    second.login("alice");
    for _ in 0..3 {
        // Each shows the newest ticket of both.
        assert_eq!(first.fetch("RETR file"), b"x");
        assert_eq!(second.fetch("RETR file"), b"x");
    }
}

#[test]
fn where_resumption_is_required_a_client_that_is_slower_than_a_stranger_is_served() {
    let pod = strict();
    let mut client = pod.login();
    let port = client.epsv();
    let stranger = pod.connect_as_stranger();
    let mut garbage = stranger.dial(port);
    garbage.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    // Returns once the gateway has dropped it.
    let _ = io::copy(&mut garbage, &mut io::sink());
    assert!(stranger.data(stranger.dial(port)).is_err());
    std::thread::sleep(LATE);
    let stream = client.dial(port);
    client.ask("STOR file", 150);
    let mut data = client.data(stream).unwrap();
    data.write_all(b"late").unwrap();
    data.finish();
    client.expect(226);
}
