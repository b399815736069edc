//! Data ports: few of them, many sessions that want one, and strangers.

use std::{io::Read as _, net::TcpStream, sync::Arc, time::Instant};

use safetp_config::{gateway::DataBinding, ports::PortRange};

use crate::support::{OTHER_USER, Pod, wait_until};

fn one_port(config: &mut safetp_config::gateway::GatewayConfig) {
    let first = config.data_ports.first();
    config.data_ports = PortRange::new(first, first).unwrap();
}

#[test]
fn sixty_clients_of_one_address_at_once_over_four_ports_are_all_served() {
    let pod = Arc::new(Pod::new());
    let clients: Vec<_> = (0..60)
        .map(|number| {
            let pod = Arc::clone(&pod);
            std::thread::spawn(move || {
                let mut client = pod.login();
                for _ in 0..3 {
                    client.store(&format!("STOR file{number}"), number.to_string().as_bytes());
                    assert_eq!(client.fetch(&format!("RETR file{number}")), number.to_string().as_bytes());
                }
            })
        })
        .collect();
    for client in clients {
        client.join().unwrap();
    }
    assert_eq!(pod.metric("safetp_gateway_data_port_refusals_total"), 0);
}

#[test]
fn a_waiting_session_gets_the_port_once_the_other_has_connected() {
    let pod = Pod::with(one_port);
    let (mut first, mut second) = (pod.login(), pod.login());
    let port = first.epsv();
    second.send("EPSV");
    second.send("NOOP");
    assert_eq!(pod.metric("safetp_gateway_data_port_refusals_total"), 0);
    let _connection = first.dial(port);
    assert!(second.expect(229).contains(&port.to_string()));
    second.expect(200);
}

#[test]
fn five_seconds_without_a_free_port_are_425() {
    let pod = Pod::with(one_port);
    let (mut first, mut second) = (pod.login(), pod.login());
    first.epsv();
    let began = Instant::now();
    assert!(second.ask("EPSV", 425).contains("in use"));
    assert!(began.elapsed().as_secs() >= 4);
    assert_eq!(pod.metric("safetp_gateway_data_port_refusals_total"), 1);
    first.ask("QUIT", 221);
    first.expect_end();
    second.epsv();
}

#[test]
fn one_user_cannot_hold_every_port_of_its_address() {
    let pod = Pod::new();
    let (mut first, mut second) = (pod.login(), pod.login());
    let mut hoarders: Vec<_> = (0..6).map(|_| pod.login()).collect();
    assert_ne!(first.epsv(), second.epsv());
    for hoarder in &mut hoarders {
        hoarder.send("EPSV");
    }
    wait_until("all sessions wait", || pod.metric("safetp_gateway_data_ports_queued") == 6);
    let mut other = pod.protected();
    other.login(OTHER_USER);
    let began = Instant::now();
    other.store("STOR file", b"x");
    assert!(began.elapsed().as_secs() < 1, "{:?}", began.elapsed());
    for hoarder in &mut hoarders {
        assert!(hoarder.expect(425).contains("in use"));
    }
}

#[test]
fn a_port_that_no_session_waits_for_drops_connections() {
    let pod = Pod::new();
    // The connection may be reset before the connect has returned.
    let stray = TcpStream::connect(("127.0.0.1", pod.config.data_ports.last()));
    assert!(!matches!(stray.and_then(|mut stray| stray.read(&mut [0; 1])), Ok(1..)));
    wait_until("the connection is counted", || pod.metric("safetp_gateway_stray_data_connections_total") == 1);
}

#[test]
fn a_connection_that_came_early_is_used_and_a_new_epsv_drops_it() {
    let pod = Pod::new();
    let mut client = pod.login();
    let port = client.epsv();
    let mut forgotten = client.dial(port);
    // After this reply the gateway has surely accepted.
    wait_until("the port is free", || client.epsv() != port);
    assert!(!matches!(forgotten.read(&mut [0; 1]), Ok(1..)));
    client.store("STOR file", b"x");
}

#[test]
fn with_binding_off_files_still_go_to_their_own_sessions() {
    let pod = Pod::with(|config| config.security.data_binding = DataBinding::Never);
    let (mut first, mut second) = (pod.login(), pod.login());
    let (one, two) = (first.epsv(), second.epsv());
    assert_ne!(one, two);
    let (one, two) = (first.dial(one), second.dial(two));
    first.ask("STOR one", 150);
    second.ask("STOR two", 150);
    for (client, stream, text) in [(&mut first, one, "one"), (&mut second, two, "two")] {
        let mut data = client.data(stream).unwrap();
        data.write_all(text.as_bytes()).unwrap();
        data.finish();
        client.expect(226);
        assert_eq!(std::fs::read_to_string(pod.alice(text)).unwrap(), text);
    }
}
