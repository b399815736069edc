//! Known servers: by whose word a key is believed.

use std::fs;

use safetp_pod::dsa_key;

use crate::support::Stage;

const ANOTHER: &str = "SHA256:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

#[test]
fn an_unknown_key_without_a_terminal_is_refused_and_shown() {
    let stage = Stage::safetp1();
    let outcome = stage.safetp(&["ls", "-v", &stage.url("")]).run();
    let fingerprint = dsa_key().public_key().fingerprint().to_string();
    outcome.is_failure(4, &["is not known", &fingerprint, "--accept-new-key"]);
    assert!(!outcome.err.contains("USER"), "{}", outcome.err);
    assert_eq!(stage.known_servers(), "");
}

#[test]
fn a_key_is_stored_once_and_known_from_then_on() {
    let stage = Stage::safetp1();
    stage.trusting(&["ls", &stage.url("")]).run().is_done();
    let line = format!("{} x-safetp1 {}\n", stage.address(), dsa_key().public_key().fingerprint());
    assert_eq!(stage.known_servers(), line);
    stage.safetp(&["ls", &stage.url("")]).run().is_done();
    stage.trusting(&["ls", &stage.url("")]).run().is_done();
    assert_eq!(stage.known_servers(), line);
}

#[test]
fn a_changed_key_is_refused_whatever_is_asked_for() {
    let stage = Stage::safetp1();
    let file = stage.here("known");
    let text = format!("# mine\n{} x-safetp1 {ANOTHER}\n", stage.address());
    fs::write(&file, &text).unwrap();
    let outcome = stage.trusting(&["ls", "-v", &stage.url(""), "--known-servers", "known"]).run();
    outcome.is_failure(4, &["HAS CHANGED", ANOTHER, "line 2 of known", "delete line 2"]);
    assert!(!outcome.err.contains("USER"), "{}", outcome.err);
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
}
