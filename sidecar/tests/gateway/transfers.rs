//! Files and listings over data connections.

use std::fs;

use crate::support::{ADDRESS, Pod};

/// Octets that no compression or chunk size likes.
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
    assert_eq!(pod.metric("safetp_gateway_transfers_total{verb=\"STOR\",result=\"ok\"}") as u32, 4);
}

#[test]
fn pasv_tells_the_learned_address_and_a_port_of_the_range() {
    let pod = Pod::new();
    let mut client = pod.login();
    client.ask("MKD folder", 257);
    let (address, port) = client.pasv();
    assert_eq!(address.to_string(), ADDRESS);
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
