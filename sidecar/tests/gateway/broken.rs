//! Transfers that break off: a part is never taken for the whole.

use std::{fs, io};

use safetp_config::status::GatewayStatus;

use crate::{
    support::{Pod, wait_until},
    transfers::octets,
};

#[test]
fn an_upload_cut_without_close_notify_is_426_and_stored_under_no_name() {
    let pod = Pod::new();
    let mut client = pod.login();
    let mut data = client.open("STOR file");
    data.write_all(&octets(100_000)).unwrap();
    data.cut();
    assert!(client.expect(426).contains("close_notify"));
    assert!(!pod.alice("file").exists());
    assert_eq!(pod.metric("safetp_gateway_transfers_total{verb=\"STOR\",result=\"truncated\"}"), 1);
}

#[test]
fn the_part_of_a_cut_upload_is_resumed_where_it_ended() {
    let pod = Pod::new();
    let mut client = pod.login();
    let file = octets(400_000);
    let mut data = client.open("STOR file");
    data.write_all(&file[..300_000]).unwrap();
    data.cut();
    client.expect(426);
    assert!(client.ask("SIZE file", 213).contains("300000"));
    client.ask("REST 300000", 350);
    client.store("STOR file", &file[300_000..]);
    assert_eq!(fs::read(pod.alice("file")).unwrap(), file);
}

#[test]
fn where_close_notify_is_not_required_an_end_without_it_is_accepted() {
    let pod = Pod::with(|config| config.uploads.require_close_notify = false);
    let mut client = pod.login();
    let mut data = client.open("STOR file");
    data.write_all(b"whole").unwrap();
    data.cut();
    client.expect(226);
    assert_eq!(fs::read(pod.alice("file")).unwrap(), b"whole");
}

#[test]
fn close_notify_can_be_made_optional_for_one_login() {
    let pod = Pod::with(|config| config.uploads.logins = [("alice".to_owned(), false)].into());
    let mut client = pod.login();
    let mut data = client.open("STOR file");
    data.write_all(b"whole").unwrap();
    data.cut();
    client.expect(226);
    let pod = Pod::with(|config| config.uploads.logins = [("device".to_owned(), false)].into());
    let mut client = pod.login();
    let mut data = client.open("STOR file");
    data.write_all(b"half").unwrap();
    data.cut();
    client.expect(426);
}

#[test]
fn status_names_the_login_whose_upload_was_refused_for_want_of_close_notify() {
    let pod = Pod::new();
    let unclosed = || serde_json::from_str::<GatewayStatus>(&pod.http("/status").1).unwrap().unclosed_uploads;
    let mut client = pod.login();
    client.store("STOR file", b"whole");
    assert!(unclosed().is_empty());
    let mut data = client.open("STOR file");
    data.write_all(b"half").unwrap();
    data.cut();
    client.expect(426);
    assert_eq!(unclosed().into_iter().collect::<Vec<_>>(), ["alice"]);
}

#[test]
fn a_client_that_vanishes_during_an_upload_stores_nothing() {
    let pod = Pod::new();
    let mut client = pod.login();
    let mut data = client.open("STOR file");
    data.write_all(b"half").unwrap();
    drop(client);
    wait_until("the session ends", || pod.gateway.sessions() == 0);
    // The upload is complete, but the session that it belongs to has ended.
    data.finish();
    assert!(!pod.alice("file").exists());
}

#[test]
fn abor_ends_a_download_and_the_session_continues() {
    let pod = Pod::new();
    let mut client = pod.login();
    // More than all buffers on the way hold, so that it cannot end by itself.
    client.store("STOR file", &octets(30_000_000));
    let mut data = client.open("RETR file");
    data.read_exact(&mut [0; 1000]).unwrap();
    // Telnet's interrupt and synch, as RFC 959 §4.1.3 requires them.
    client.send_raw(b"\xff\xf4\xff\xf2ABOR\r\n");
    client.expect(426);
    client.expect(226);
    let end = data.read_to_end().unwrap_err();
    assert!(matches!(end.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset), "{end}");
    assert_eq!(client.fetch("RETR file").len(), 30_000_000);
}

#[test]
fn abor_ends_the_wait_for_a_data_connection() {
    let pod = Pod::new();
    let mut client = pod.login();
    client.epsv();
    client.ask("STOR file", 150);
    client.send("ABOR");
    client.expect(426);
    client.expect(226);
    client.store("STOR file", b"x");
}

#[test]
fn a_data_connection_that_never_comes_is_425_in_time() {
    let pod = Pod::with(|config| config.limits.data_seconds = 1);
    let mut client = pod.login();
    client.epsv();
    client.ask("RETR x", 550);
    client.epsv();
    client.ask("STOR file", 150);
    assert!(client.expect(425).contains("firewall"));
}

#[test]
fn an_upload_that_stands_still_is_426_in_time_and_keeps_its_part() {
    let pod = Pod::with(|config| config.limits.data_seconds = 1);
    let mut client = pod.login();
    let mut data = client.open("STOR file");
    data.write_all(b"half").unwrap();
    assert!(client.expect(426).contains("fewer than 256 octets a second over 1 seconds"));
    assert!(client.ask("SIZE file", 213).contains('4'));
}

#[test]
fn clear_octets_on_a_data_connection_that_should_be_private_are_522() {
    let pod = Pod::new();
    let mut client = pod.login();
    client.protect_data(false);
    let mut data = client.open("STOR file");
    data.write_all(b"in the clear").unwrap();
    data.cut();
    client.expect(522);
    assert!(!pod.alice("file").exists());
}
