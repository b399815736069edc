//! Files and listings over data connections.

use std::{ffi::OsStr, fs, os::unix::ffi::OsStrExt as _};

use crate::support::{ADDRESS, Pod};

/// Octets that do not compress and fit no chunk size.
pub(crate) fn octets(count: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_u32;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[1]
    })
    .take(count)
    .collect()
}

#[test]
fn a_file_stored_is_the_file_fetched() {
    let pod = Pod::new();
    let mut client = pod.login();
    for size in [0, 1, 4096, 3_000_001] {
        let file = octets(size);
        client.store("STOR file", &file);
        assert_eq!(fs::read(pod.alice("file")).unwrap(), file);
        assert!(client.ask("SIZE file", 213).contains(&size.to_string()));
        assert_eq!(client.fetch("RETR file"), file, "{size} octets");
    }
    assert_eq!(pod.metric("safetp_gateway_transfers_total{verb=\"STOR\",result=\"ok\"}"), 4);
}

#[test]
fn pasv_tells_the_learned_address_and_a_port_of_the_range() {
    let pod = Pod::new();
    let mut client = pod.login();
    client.ask("MKD folder", 257);
    let announced = client.pasv();
    let port = announced.port();
    assert_eq!(announced.ip().to_string(), ADDRESS);
    assert!(pod.config.data_ports.contains(port));
    let stream = client.dial(port);
    client.ask("MLSD", 150);
    let listing = client.data(stream).unwrap().read_to_end().unwrap();
    assert!(String::from_utf8(listing).unwrap().contains("type=dir"));
    client.expect(226);
}

#[test]
fn listings_come_in_every_form() {
    let pod = Pod::new();
    let mut client = pod.login();
    client.store("STOR hello.txt", b"hello");
    client.ask("MKD folder", 257);
    for command in ["LIST", "NLST", "MLSD"] {
        let listing = String::from_utf8(client.fetch(command)).unwrap();
        assert!(listing.contains("hello.txt\r\n") && listing.contains("folder\r\n"), "{command}:\n{listing}");
    }
}

#[test]
fn a_download_is_resumed_by_rest() {
    let pod = Pod::new();
    let mut client = pod.login();
    let file = octets(600_000);
    client.store("STOR file", &file);
    client.ask("REST 599990", 350);
    assert_eq!(client.fetch("RETR file"), file[599_990..]);
    assert_eq!(client.fetch("RETR file").len(), 600_000, "REST holds for one transfer");
}

#[test]
fn appe_adds_to_a_file() {
    let pod = Pod::new();
    let mut client = pod.login();
    client.store("STOR log", b"one ");
    client.store("APPE log", b"two");
    assert_eq!(client.fetch("RETR log"), b"one two");
}

#[test]
fn type_a_converts_line_ends_both_ways() {
    let pod = Pod::new();
    let mut client = pod.login();
    client.ask("TYPE A", 200);
    client.store("STOR text", b"one\r\ntwo\r\n");
    assert_eq!(fs::read(pod.alice("text")).unwrap(), b"one\ntwo\n");
    assert_eq!(client.fetch("RETR text"), b"one\r\ntwo\r\n");
    client.ask("TYPE I", 200);
    assert_eq!(client.fetch("RETR text"), b"one\ntwo\n");
}

#[test]
fn without_prot_p_a_transfer_is_refused_where_it_is_demanded() {
    let pod = Pod::new();
    let mut client = pod.connect();
    client.auth_tls();
    client.login("alice");
    client.epsv();
    assert!(client.ask("LIST", 521).contains("PROT P first"));
    client.ask("PBSZ 0", 200);
    client.ask("PROT C", 534);
}

#[test]
fn where_encryption_is_optional_clear_sessions_and_clear_data_work() {
    let pod = Pod::with(|config| {
        config.security.control = safetp_config::gateway::Requirement::Optional;
        config.security.data = safetp_config::gateway::Requirement::Optional;
    });
    let mut clear = pod.connect();
    clear.login("alice");
    clear.store("STOR file", b"in the clear");
    assert_eq!(clear.fetch("RETR file"), b"in the clear");
    let mut mixed = pod.connect();
    mixed.auth_tls();
    mixed.login("alice");
    mixed.protect_data(false);
    assert_eq!(mixed.fetch("RETR file"), b"in the clear");
}

#[test]
fn a_missing_file_gets_the_ftpds_550_and_the_session_continues() {
    let pod = Pod::new();
    let mut client = pod.login();
    client.epsv();
    client.ask("RETR missing", 550);
    client.ask("RETR missing", 425);
    client.store("STOR file", b"x");
}

#[test]
fn tls_1_2_and_1_3_both_carry_files() {
    let pod = Pod::new();
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let mut client = pod.connect();
        client.only(version);
        client.auth_tls();
        client.ask("PBSZ 0", 200);
        client.ask("PROT P", 200);
        client.login("alice");
        client.store("STOR file", b"as you like");
        assert_eq!(client.fetch("RETR file"), b"as you like");
    }
}

#[test]
fn commands_sent_during_a_transfer_are_answered_after_it_and_stat_at_once() {
    let pod = Pod::new();
    let mut client = pod.login();
    let mut data = client.open("STOR file");
    client.send("PWD");
    assert!(client.ask("STAT", 211).contains("Transfer under way: yes"));
    data.write_all(b"hello").unwrap();
    data.finish();
    client.expect(226);
    client.expect(257);
}

#[test]
fn a_name_that_is_not_utf8_passes_the_gateway_octet_for_octet() {
    let pod = Pod::new();
    let mut client = pod.login();
    client.send_raw(b"MKD caf\xe9\xff\xff\r\n");
    client.expect(257);
    assert!(fs::metadata(pod.alice("").join(OsStr::from_bytes(b"caf\xe9\xff"))).unwrap().is_dir());
    assert_eq!(client.fetch("NLST"), b"caf\xe9\xff\r\n");
}

#[test]
fn after_auth_ssl_data_connections_are_under_tls_without_prot() {
    let pod = Pod::new();
    let mut client = pod.connect();
    client.ask("AUTH SSL", 234);
    client.handshake().unwrap();
    client.login("alice");
    client.store("STOR file", b"private");
    assert_eq!(client.fetch("RETR file"), b"private");
}
