//! CCC: the control channel leaves TLS, and not a single octet after it is lost.

use std::time::{Duration, Instant};

use safetp_config::gateway::{ActiveMode, GatewayConfig};

use crate::support::{Client, Pod};

fn clearing(config: &mut GatewayConfig) {
    config.security.clear_command_channel = true;
}

#[test]
fn ccc_is_534_unless_it_is_allowed() {
    let pod = Pod::new();
    pod.login().ask("CCC", 534);
}

#[test]
fn clear_commands_right_after_the_end_of_tls_are_not_lost() {
    let pod = Pod::with(clearing);
    let mut client = pod.login();
    client.store("STOR file", b"x");
    client.ask("CCC", 200);
    // In one segment, so that the gateway reads both or exactly one record.
    client.leave_tls_with(b"NOOP\r\nSIZE file\r\n");
    client.expect(200);
    assert!(client.expect(213).contains("213 1"));
    assert_eq!(client.fetch("RETR file"), b"x", "data connections stay protected");
}

#[test]
fn a_client_that_sends_no_close_notify_after_ccc_is_served() {
    let pod = Pod::with(clearing);
    let mut client = pod.login();
    client.ask("CCC", 200);
    client.drop_tls();
    client.ask("NOOP", 200);
}

#[test]
fn octets_that_come_protected_after_ccc_are_limited() {
    let pod = Pod::with(clearing);
    let mut client = pod.login();
    client.ask("CCC", 200);
    client.expect_end();
    client.send_raw(&b"NOOP\r\n".repeat(2500));
    let sent = Instant::now();
    client.drop_tls();
    client.expect_end();
    assert!(sent.elapsed() < Duration::from_secs(5), "before the time for the end of TLS is over");
}

#[test]
fn clear_port_is_accepted_after_ccc_where_it_is_allowed() {
    for (clear_port, code) in [(false, 533), (true, 200)] {
        let pod = Pod::with(|config| {
            clearing(config);
            config.active_mode = Some(ActiveMode { clear_port });
        });
        let mut client = pod.login();
        client.ask("CCC", 200);
        Client::drop_tls(&mut client);
        client.ask("PORT 127,0,0,1,200,1", code);
    }
}
