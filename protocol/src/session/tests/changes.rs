//! Octets in the control connection when its protection changes, which an attacker may have put there.

use super::*;

const OPEN_SUBNEGOTIATION: &[u8] = b"\xff\xfa";

#[test]
fn an_open_telnet_command_before_tls_swallows_nothing_after_it() {
    let mut scene = Scene::greeted();
    scene.client("AUTH TLS\r\n");
    scene.take();
    scene.session.handle_client_bytes(OPEN_SUBNEGOTIATION, scene.now);
    scene.session.handle_protected(scene.now);
    scene.client("NOOP\r\n");
    assert_eq!(scene.codes(), [200]);
}

#[test]
fn half_a_protected_line_does_not_begin_a_clear_one() {
    let mut demands = settings().demands;
    demands.clear_command_channel = true;
    let mut scene = Scene::logged_in_with(Settings { demands, ..settings() });
    scene.client("CCC\r\n");
    scene.take();
    scene.session.handle_client_bytes(b"DELE ", scene.now);
    scene.session.handle_cleared(scene.now);
    scene.client("NOOP\r\n");
    assert_eq!(scene.codes(), [200]);
    assert_eq!(scene.asked(), "");
}

#[test]
fn an_http_request_ends_the_session_before_any_of_it_is_obeyed_or_echoed() {
    for request in ["GET /NOOP HTTP/1.1", "POST / HTTP/1.1", "options *", "PRI * HTTP/2.0"] {
        for mut scene in [Scene::greeted(), Scene::logged_in()] {
            scene.client(&format!("{request}\r\nHost: x\r\nNOOP\r\nDELE x\r\n"));
            assert!(scene.session.is_closed(), "{request}");
            let outputs = scene.take();
            assert!(!outputs.iter().any(|output| matches!(output, Output::ToBackend(_))), "{outputs:?}");
            let [Output::ToClient(said)] = &outputs[..] else { panic!("{outputs:?}") };
            assert_eq!(said, b"421 This is an FTP server.\r\n");
        }
    }
}
