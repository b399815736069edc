//! The announced address, while it changes.

use crate::support::{Pod, announced, wait_until};

#[test]
fn while_no_address_is_known_pasv_and_epsv_are_425_and_then_they_work() {
    let pod = Pod::new();
    pod.address.send_replace(None);
    let mut client = pod.login();
    assert!(client.ask("PASV", 425).contains("address"));
    client.ask("EPSV", 425);
    pod.address.send_replace(Some(announced("203.0.113.9")));
    wait_until("the session hears of it", || client.ask_any("PASV").contains("203,0,113,9"));
    client.epsv();
}

#[test]
fn a_change_reaches_the_next_pasv_of_a_running_session_and_harms_no_transfer() {
    let pod = Pod::new();
    let mut transferring = pod.login();
    let mut data = transferring.open("STOR file");
    let mut client = pod.login();
    assert_eq!(client.pasv().ip().to_string(), "203.0.113.7");
    pod.address.send_replace(Some(announced("203.0.113.8")));
    wait_until("the session hears of it", || client.pasv().ip().to_string() == "203.0.113.8");
    assert!(client.ask("EPSV", 425).contains("moved"));
    pod.login().epsv();
    data.write_all(b"unharmed").unwrap();
    data.finish();
    transferring.expect(226);
}

#[test]
fn a_session_on_a_withdrawn_address_is_421_once_it_is_idle() {
    let pod = Pod::new();
    let mut client = pod.login();
    pod.address.send_replace(Some(announced("203.0.113.8")));
    assert!(client.expect(421).contains("moved"));
    client.expect_end();
}
