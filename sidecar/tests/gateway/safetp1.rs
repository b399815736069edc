//! X-SafeTP1 over real sockets.

use std::{io::Write as _, net::Shutdown};

use safetp_config::{
    gateway::{GatewayConfig, Mechanism, Requirement},
    paths::DSA_KEY_FILE,
};
use safetp_protocol::security::safetp1::Level;

use safetp_pod::{PASSWORD, USER};

use crate::support::{Pod, SafeClient};

/// A change of an upload's blocks.
type Tampering = fn(&mut Vec<Vec<u8>>);

fn offering(config: &mut GatewayConfig) {
    config.security.mechanisms = vec![Mechanism::SafeTp1];
}

fn lenient(config: &mut GatewayConfig) {
    offering(config);
    config.security.data = Requirement::Optional;
}

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|index| u8::try_from(index % 251).unwrap()).collect()
}

#[test]
fn files_are_stored_and_fetched_at_every_level() {
    let pod = Pod::with(lenient);
    for level in [None, Some(Level::Safe), Some(Level::Private)] {
        let mut client = SafeClient::login(&pod, level);
        for length in [0, 1, 993, 994, 995, 300_000] {
            client.store("STOR file", &pattern(length));
            assert_eq!(std::fs::read(pod.alice("file")).unwrap(), pattern(length), "{level:?}");
            assert_eq!(client.fetch("RETR file"), pattern(length), "{level:?}");
        }
        assert!(String::from_utf8(client.fetch("NLST")).unwrap().contains("file\r\n"));
    }
}

#[test]
fn where_privacy_is_required_lower_levels_are_534() {
    let pod = Pod::with(offering);
    let mut client = SafeClient::connect(&pod);
    client.ask("PROT P", 503);
    client.ask("PBSZ 0", 501);
    client.ask("PBSZ 4294967296", 501);
    client.ask("PBSZ 1000000", 200);
    client.ask("PROT S", 534);
    client.ask("PROT C", 534);
    client.ask("PROT E", 536);
    client.ask("PROT X", 504);
    client.ask("PROT P", 200);
}

/// Sends blocks over a new data connection and expects the 426 that answers them.
fn refused(pod: &Pod, client: &mut SafeClient, tamper: Tampering, what: &str) {
    let (mut stream, number) = client.open_data("STOR file");
    let mut blocks = client.blocks(number, &pattern(5000));
    tamper(&mut blocks);
    // The gateway may close before everything is sent.
    let _ = stream.write_all(&blocks.concat());
    let _ = stream.shutdown(Shutdown::Write);
    client.expect(426);
    assert_eq!(std::fs::read(pod.alice("file")).unwrap(), b"as it was", "{what}");
}

#[test]
fn an_upload_that_ends_early_is_426_and_not_stored() {
    let pod = Pod::with(offering);
    let mut client = SafeClient::login(&pod, Some(Level::Private));
    client.store("STOR file", b"as it was");
    let cuts: [(&str, Tampering); 2] = [
        ("without its end", |blocks| drop(blocks.pop())),
        ("cut inside of a block", |blocks| blocks.last_mut().unwrap().truncate(9)),
    ];
    for (what, cut) in cuts {
        refused(&pod, &mut client, cut, what);
        client.ask("NOOP", 200);
    }
}

#[test]
fn an_upload_that_does_not_verify_is_426_and_the_end_of_the_session() {
    let pod = Pod::with(offering);
    SafeClient::login(&pod, Some(Level::Private)).store("STOR file", b"as it was");
    let tamperings: [(&str, Tampering); 5] = [
        ("without a block", |blocks| drop(blocks.remove(2))),
        ("with a block twice", |blocks| blocks.insert(2, blocks[1].clone())),
        ("with blocks swapped", |blocks| blocks.swap(1, 2)),
        ("with one bit changed", |blocks| blocks[3][40] ^= 1),
        ("with a length beyond PBSZ", |blocks| blocks[1][0] = 1),
    ];
    for (what, tamper) in tamperings {
        let mut client = SafeClient::login(&pod, Some(Level::Private));
        refused(&pod, &mut client, tamper, what);
        client.expect(421);
        client.expect_end();
    }
}

#[test]
fn octets_after_the_last_block_undo_the_upload() {
    let pod = Pod::with(offering);
    let mut client = SafeClient::login(&pod, Some(Level::Private));
    client.store("STOR file", b"as it was");
    refused(&pod, &mut client, |blocks| blocks.last_mut().unwrap().push(0), "an octet after the end");
}

#[test]
fn no_state_from_before_the_exchange_is_left_after_235() {
    let pod = Pod::with(|config| {
        lenient(config);
        config.security.control = Requirement::Optional;
    });
    let mut clear = pod.connect();
    clear.login("alice");
    clear.ask("MKD trap", 257);
    clear.ask("CWD trap", 250);
    clear.ask("TYPE I", 200);
    clear.ask("REST 5", 350);
    clear.ask("RNFR ../trap", 350);
    clear.ask("EPSV ALL", 200);
    clear.ask("EPSV", 229);
    let mut client = SafeClient::secure(&pod, clear);
    for command in ["PWD", "RNTO elsewhere", "LIST", "RETR a"] {
        client.ask(command, 530);
    }
    client.ask(&format!("PASS {PASSWORD}"), 503);
    client.ask(&format!("USER {USER}"), 331);
    client.ask(&format!("PASS {PASSWORD}"), 230);
    assert!(client.ask("PWD", 257).contains("\"/\""));
    client.ask("RNTO elsewhere", 503);
    client.ask("LIST", 425);
    client.ask("PASV", 227);
    assert!(pod.alice("trap").exists());
}

#[test]
fn a_block_of_another_transfer_is_rejected() {
    let pod = Pod::with(offering);
    let mut client = SafeClient::login(&pod, Some(Level::Private));
    let (mut stream, first) = client.open_data("STOR one");
    let blocks = client.blocks(first, b"for the first");
    stream.write_all(&blocks.concat()).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    client.expect(226);
    let (mut stream, _) = client.open_data("STOR two");
    let _ = stream.write_all(&blocks.concat());
    client.expect(426);
    assert!(!pod.alice("two").exists());
}

#[test]
fn an_unusable_dsa_key_is_reported_and_the_old_one_stays_in_force() {
    let pod = Pod::with(offering);
    pod.replace(&[(DSA_KEY_FILE, b"no key".to_vec())], |in_force| in_force.problem.is_some());
    assert!(pod.settings.borrow().problem.as_ref().unwrap().contains("dsa.key"));
    SafeClient::connect(&pod);
}
