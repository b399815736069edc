//! Active mode: the gateway dials, and only the client itself.

use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};

use safetp_config::gateway::{ActiveMode, GatewayConfig, Mechanism};
use safetp_protocol::{
    endpoint::{eprt_argument, port_argument},
    security::safetp1::Level,
};

use crate::support::{Pod, SafeClient};

fn active(config: &mut GatewayConfig) {
    config.active_mode = Some(ActiveMode { clear_port: true });
    config.security.mechanisms = vec![Mechanism::Tls, Mechanism::SafeTp1];
}

fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

fn port_command(port: u16) -> String {
    format!("PORT {}", port_argument(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)))
}

fn eprt_command(port: u16) -> String {
    format!("EPRT {}", eprt_argument((Ipv4Addr::LOCALHOST, port).into()))
}

#[test]
fn active_mode_is_off_by_default() {
    let pod = Pod::new();
    pod.login().ask("EPRT |1|127.0.0.1|2000|", 502);
}

#[test]
fn a_client_under_tls_is_dialled_and_its_data_stays_protected() {
    let pod = Pod::with(active);
    let mut client = pod.login();
    client.store("STOR file", b"over an active connection");
    for command in [port_command, eprt_command] {
        let (listener, port) = listener();
        client.ask(&command(port), 200);
        client.send("RETR file");
        let (stream, _) = listener.accept().unwrap();
        client.expect(150);
        let data = client.data(stream).unwrap();
        assert!(data.resumed());
        assert_eq!(data.read_to_end().unwrap(), b"over an active connection");
        client.expect(226);
    }
}

#[test]
fn under_x_safetp1_port_may_be_in_the_clear_while_the_data_is_not() {
    let pod = Pod::with(active);
    let mut client = SafeClient::login(&pod, Some(Level::Private));
    let (listener, port) = listener();
    client.send_in_the_clear(&port_command(port));
    client.expect(200);
    let number = client.next_number();
    client.send("STOR file");
    let (mut stream, _) = listener.accept().unwrap();
    client.expect(150);
    std::io::Write::write_all(&mut stream, &client.blocks(number, b"sealed").concat()).unwrap();
    client.expect(226);
    assert_eq!(std::fs::read(pod.alice("file")).unwrap(), b"sealed");
}

#[test]
fn only_the_clients_own_address_is_dialled() {
    let pod = Pod::with(active);
    let mut client = pod.login();
    client.ask("PORT 127,0,0,2,200,1", 504);
    client.ask("PORT 127,0,0,1,0,21", 504);
    client.ask("RETR file", 425);
}

#[test]
fn a_client_that_does_not_answer_the_dial_gets_425() {
    let pod = Pod::with(active);
    let mut client = pod.login();
    client.store("STOR file", b"x");
    let (listener, port) = listener();
    drop(listener);
    client.ask(&port_command(port), 200);
    client.ask("RETR file", 150);
    client.expect(425);
}
