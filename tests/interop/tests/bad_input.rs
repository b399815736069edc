//! Lines that no client sends: each gets the reply of its RFC, and the session continues where the RFC allows it.

use safetp_config::{gateway::Mechanism, paths::DSA_KEY_FILE};
use safetp_pod::{Client, Pod, SafeClient};

use crate::program::sources;

/// The state of the control connection when the bad line comes.
#[derive(Clone, Copy, Debug)]
enum Before {
    /// Greeted.
    Auth,
    /// AUTH X-SafeTP1 has been answered with 334.
    Adat,
    /// After AUTH TLS.
    LoginUnderTls,
}

/// A line, and the code of its reply. All of these sessions continue.
const LINES: [(Before, &str, u16); 25] = [
    (Before::Auth, "AUTH", 501),
    (Before::Auth, "AUTH KERBEROS_V4", 504),
    (Before::Auth, "ADAT AAAA", 503),
    (Before::Auth, "PROT P", 503),
    (Before::Auth, "ENC AAAA", 503),
    (Before::Auth, "MIC AAAA", 503),
    (Before::Auth, "CONF AAAA", 503),
    (Before::Auth, "CCC", 530),
    (Before::Adat, "ADAT", 501),
    (Before::Adat, "ADAT !!!!", 501),
    (Before::Adat, "ADAT QUJD=QUJD", 501),
    (Before::Adat, "ADAT AAAA", 535),
    (Before::Adat, "AUTH X-SafeTP1", 334),
    (Before::Adat, "USER alice", 530),
    (Before::LoginUnderTls, "AUTH TLS", 503),
    (Before::LoginUnderTls, "AUTH X-SafeTP1", 503),
    (Before::LoginUnderTls, "ADAT AAAA", 503),
    (Before::LoginUnderTls, "ENC AAAA", 537),
    (Before::LoginUnderTls, "PROT P", 503),
    (Before::LoginUnderTls, "PBSZ", 501),
    (Before::LoginUnderTls, "PBSZ -1", 501),
    (Before::LoginUnderTls, "PBSZ x", 501),
    (Before::LoginUnderTls, "PBSZ 4294967296", 501),
    (Before::LoginUnderTls, "PBSZ 4294967295", 200),
    (Before::LoginUnderTls, "PBSZ 0", 200),
];

fn offering_both() -> Pod {
    Pod::with(|config| config.security.mechanisms = vec![Mechanism::Tls, Mechanism::SafeTp1])
}

fn client(pod: &Pod, before: Before) -> Client {
    let mut client = pod.connect();
    match before {
        Before::Auth => {}
        Before::Adat => drop(client.ask("AUTH X-SafeTP1", 334)),
        Before::LoginUnderTls => client.auth_tls(),
    }
    client
}

#[test]
fn a_bad_line_gets_its_reply_and_the_session_continues() {
    let pod = offering_both();
    for (before, line, code) in LINES {
        println!("{before:?}: {line}");
        let mut client = client(&pod, before);
        client.ask(line, code);
        client.ask("NOOP", 200);
        client.ask("QUIT", 221);
        client.expect_end();
    }
}

#[test]
fn a_line_that_is_too_long_is_500_in_every_state() {
    let pod = offering_both();
    for before in [Before::Auth, Before::Adat] {
        for verb in ["USER", "AUTH", "ADAT", "ENC"] {
            let mut client = client(&pod, before);
            client.ask(&format!("{verb} {}", "A".repeat(100_000)), 500);
            client.ask("NOOP", 200);
        }
    }
    let mut client = SafeClient::connect(&pod);
    client.send_in_the_clear(&format!("ENC {}", "A".repeat(100_000)));
    client.expect(500);
    client.ask("NOOP", 200);
}

#[test]
fn the_third_malformed_message_ends_the_session() {
    let pod = offering_both();
    let mut client = pod.connect();
    for _ in 0..3 {
        client.ask("AUTH X-SafeTP1", 334);
        client.ask("ADAT AAAA", 535);
    }
    client.expect(421);
    client.expect_end();
}

#[test]
fn under_x_safetp1_what_does_not_belong_there_is_refused_and_the_session_goes_on() {
    let pod = offering_both();
    let mut client = SafeClient::connect(&pod);
    for (line, code) in [("AUTH TLS", 503), ("AUTH X-SafeTP1", 503), ("ADAT AAAA", 503), ("MIC AAAA", 537)] {
        client.ask(line, code);
    }
    for line in ["ENC", "ENC !!!!"] {
        client.send_in_the_clear(line);
        client.expect(501);
    }
    client.send_in_the_clear("USER alice");
    client.expect(533);
    client.ask("NOOP", 200);
}

#[test]
fn a_sealed_line_that_does_not_verify_gets_535_and_ends_the_session() {
    let pod = offering_both();
    for argument in ["AAAA", &"A".repeat(64)] {
        let mut client = SafeClient::connect(&pod);
        client.send_in_the_clear(&format!("ENC {argument}"));
        client.expect(535);
        client.expect_end();
    }
}

#[test]
fn commands_pipelined_after_auth_x_safetp1_are_never_read_as_protected() {
    let pod = offering_both();
    let mut client = pod.connect();
    client.send_raw(b"AUTH X-SafeTP1\r\nUSER mallory\r\n");
    client.expect(421);
    client.expect_end();
}

#[test]
fn a_dsa_key_of_an_unlisted_size_does_not_take_effect() {
    let pod = offering_both();
    for key in ["dsa-2048-224.pem", "dsa-3072-256.pem"] {
        let key = std::fs::read(sources("testdata").join(key)).unwrap();
        pod.replace(&[(DSA_KEY_FILE, key)], |in_force| in_force.problem.is_some());
        let problem = pod.settings.borrow().problem.clone().unwrap();
        assert!(problem.contains(DSA_KEY_FILE), "{problem}");
        SafeClient::connect(&pod);
    }
}
