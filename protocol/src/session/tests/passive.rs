//! PASV and EPSV: address, port, and what changes while a port is awaited.

use super::*;

#[test]
fn pasv_returns_the_address_and_the_granted_port() {
    let mut scene = Scene::logged_in();
    scene.client("PASV\r\n");
    assert_eq!(scene.take(), [Output::RequestPort]);
    scene.session.handle_port(Some(28001), scene.now);
    assert_eq!(scene.said(), "227 Entering Passive Mode (203,0,113,7,109,97).\r\n");
    scene.client("EPSV\r\n");
    assert_eq!(scene.take(), [Output::RequestPort]);
    scene.session.handle_port(Some(28001), scene.now);
    assert_eq!(scene.said(), "229 Entering Extended Passive Mode (|||28001|)\r\n");
}

#[test]
fn while_no_address_is_known_both_are_425_and_no_port_is_taken() {
    let mut scene = Scene::logged_in();
    scene.session.handle_address(None, scene.now);
    scene.client("PASV\r\nEPSV\r\n");
    let outputs = scene.take();
    assert!(!outputs.contains(&Output::RequestPort));
    scene.outputs = outputs;
    assert_eq!(scene.codes(), [425, 425]);
}

#[test]
fn no_free_port_is_425_and_an_event() {
    let mut scene = Scene::logged_in();
    scene.client("EPSV\r\n");
    scene.session.handle_port(None, scene.now);
    let outputs = scene.take();
    assert!(outputs.contains(&Output::Event(Event::NoDataPort)));
    scene.outputs = outputs;
    assert_eq!(scene.codes(), [425]);
    scene.client("LIST\r\n");
    assert_eq!(scene.codes(), [425]);
}

#[test]
fn after_a_move_pasv_returns_the_new_address_and_epsv_asks_to_reconnect() {
    let mut scene = Scene::logged_in();
    scene.session.handle_address(Some(announced("203.0.113.8")), scene.now);
    scene.client("PASV\r\n");
    scene.session.handle_port(Some(28000), scene.now);
    assert!(scene.said().contains("203,0,113,8"));
    scene.client("EPSV\r\n");
    assert!(scene.said().starts_with("425 This server's address has moved"));
}

#[test]
fn an_address_that_comes_back_has_not_moved() {
    let mut scene = Scene::logged_in();
    for address in [None, Some("203.0.113.8"), Some("203.0.113.7")] {
        scene.session.handle_address(address.map(announced), scene.now);
    }
    scene.client("EPSV\r\n");
    assert_eq!(scene.take(), [Output::RequestPort]);
    scene.session.handle_port(Some(28000), scene.now);
    scene.pass(Duration::from_secs(60));
    assert_eq!(scene.codes(), [229]);
}

#[test]
fn a_session_on_a_withdrawn_address_ends_once_it_is_idle() {
    let mut scene = Scene::logged_in();
    scene.session.handle_address(Some(announced("203.0.113.8")), scene.now);
    scene.pass(Duration::from_secs(4));
    scene.client("NOOP\r\n");
    scene.pass(Duration::from_secs(4));
    assert_eq!(scene.codes(), [200]);
    scene.pass(Duration::from_secs(1));
    assert_eq!(scene.codes(), [421]);
}

#[test]
fn an_address_that_goes_while_a_port_is_awaited_gives_the_port_back() {
    let mut scene = Scene::logged_in();
    scene.client("PASV\r\n");
    scene.take();
    scene.session.handle_address(None, scene.now);
    scene.session.handle_port(Some(28000), scene.now);
    let outputs = scene.take();
    assert!(outputs.contains(&Output::ReleasePort));
    scene.outputs = outputs;
    assert_eq!(scene.codes(), [425]);
}

#[test]
fn epsv_of_a_family_that_is_not_announced_is_522_with_the_one_that_is() {
    let mut scene = Scene::logged_in();
    scene.client("EPSV 2\r\n");
    assert!(scene.said().starts_with("522 "));
    scene.client("EPSV 7\r\n");
    assert_eq!(scene.codes(), [522]);
    scene.client("EPSV 1\r\n");
    assert_eq!(scene.take(), [Output::RequestPort]);
}

#[test]
fn with_an_ipv6_address_alone_pasv_points_to_epsv() {
    let mut scene = Scene::logged_in();
    scene.session.handle_address(Some(announced("2001:db8::7")), scene.now);
    scene.client("PASV\r\n");
    assert!(scene.said().contains("use EPSV"));
}

#[test]
fn a_name_that_does_not_resolve_yet_leaves_epsv_to_clients() {
    let mut scene = Scene::with(settings(), Some("lb.example.org"));
    scene.backend("220 x\r\n200 x\r\n");
    scene.client("AUTH TLS\r\n");
    scene.session.handle_protected(scene.now);
    scene.client("USER a\r\n");
    scene.backend("230 x\r\n");
    scene.take();
    scene.client("PASV\r\n");
    assert_eq!(scene.codes(), [425]);
    scene.client("EPSV\r\n");
    assert_eq!(scene.take(), [Output::RequestPort]);
}

#[test]
fn after_epsv_all_pasv_and_port_are_refused() {
    let mut scene = Scene::logged_in();
    scene.client("EPSV ALL\r\nPASV\r\nPORT 1,2,3,4,5,6\r\n");
    assert_eq!(scene.codes(), [200, 503, 503]);
}
