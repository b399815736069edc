//! Clients of other protocols at the control port (ALPACA), with and without ALPN.

use crate::support::Pod;

#[test]
fn a_client_that_offers_only_other_protocols_is_refused() {
    let pod = Pod::new();
    for (offered, accepted) in [(&["http/1.1", "h2"][..], false), (&["h2", "ftp"], true), (&["ftp"], true), (&[], true)]
    {
        let mut client = pod.connect();
        client.offer(offered);
        client.ask("AUTH TLS", 234);
        assert_eq!(client.handshake().is_ok(), accepted, "{offered:?}");
    }
    assert_eq!(pod.metric("safetp_gateway_tls_handshake_failures_total"), 1);
}

#[test]
fn a_data_connection_is_refused_as_a_control_connection_is() {
    let pod = Pod::new();
    let mut client = pod.login();
    let port = client.epsv();
    let stream = client.dial(port);
    client.ask("STOR file", 150);
    client.offer(&["http/1.1"]);
    assert!(client.data(stream).is_err());
    client.expect(522);
}

#[test]
fn a_browser_is_refused_before_any_of_its_request_is_run() {
    let pod = Pod::new();
    for mut client in [pod.connect(), pod.protected(), pod.login()] {
        client.send_raw(b"POST / HTTP/1.1\r\nHost: files.example.org\r\n\r\nMKD made\r\n");
        assert_eq!(client.expect(421), "421 This is an FTP server.\r\n");
        client.expect_end();
    }
    assert!(!pod.alice("made").exists());
}

#[test]
fn the_group_of_each_key_exchange_is_counted() {
    let pod = Pod::new();
    pod.login();
    let hybrid = "safetp_gateway_tls_handshakes_total{group=\"X25519MLKEM768\"}";
    assert_eq!(pod.metric(hybrid), 1);
    let mut old = pod.connect();
    old.only(&rustls::version::TLS12);
    old.auth_tls();
    // The client's side of the handshake may end before the gateway's.
    old.ask("NOOP", 200);
    assert_eq!(pod.metric(hybrid), 1);
    assert_eq!(pod.metric("safetp_gateway_tls_handshakes_total{group=\"X25519\"}"), 1);
}
