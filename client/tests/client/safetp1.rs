//! X-SafeTP1: files, levels, and the checks that the mechanism is for.

use std::fs;

use safetp_config::gateway::Mechanism;
use safetp_pod::pinned;

use crate::support::{Stage, octets};

#[test]
fn a_file_that_was_put_comes_back_with_get() {
    let stage = Stage::both();
    let content = octets(1_000_000);
    fs::write(stage.here("file"), &content).unwrap();
    let with = |args: &[&str]| stage.trusting(args).args(["--mechanism", "x-safetp1"]).run();
    with(&["put", "file", &stage.url("stored")]).is_done();
    assert_eq!(fs::read(stage.there("stored")).unwrap(), content);
    with(&["get", &stage.url("stored"), "back"]).is_done();
    assert_eq!(fs::read(stage.here("back")).unwrap(), content);
    assert_eq!(with(&["ls", &stage.url("")]).is_done().text(), "stored\n");
}

#[test]
fn a_stored_key_selects_x_safetp1_where_tls_is_not_listed() {
    let stage = Stage::safetp1();
    stage
        .unasked(&["ls", &stage.url(""), "--accept-new-key"])
        .run()
        .is_failure(4, &["does not offer TLS", "x-safetp1"]);
    assert_eq!(stage.known_servers(), "");
    stage.trusting(&["ls", &stage.url("")]).run().is_done();
    let outcome = stage.unasked(&["ls", "-v", &stage.url("")]).run();
    assert!(outcome.is_done().err.contains("> AUTH X-SafeTP1"), "{}", outcome.err);
}

#[test]
fn both_levels_and_every_block_size_carry_files() {
    let stage = Stage::with(|config| {
        config.security.mechanisms = vec![Mechanism::SafeTp1];
        config.security.data = safetp_config::gateway::Requirement::Optional;
    });
    let content = octets(20_000);
    fs::write(stage.here("file"), &content).unwrap();
    for (level, size) in [("p", "64"), ("p", "1001"), ("s", "64"), ("s", "65536"), ("c", "4096")] {
        let with =
            |args: &[&str]| stage.trusting(args).args(["--protection", level, "--pbsz", size]).run().is_done().code;
        with(&["put", "file", &stage.url("stored")]);
        with(&["get", &stage.url("stored"), "back"]);
        assert_eq!(fs::read(stage.here("back")).unwrap(), content, "PROT {level}, PBSZ {size}");
    }
}

#[test]
fn the_messages_of_the_exchange_are_shown_on_demand() {
    let stage = Stage::safetp1();
    let outcome = stage.trusting(&["ls", "-a", &stage.url("")]).run();
    let shown: Vec<_> = outcome.is_done().err.lines().map(|line| line.split('=').next().unwrap()).collect();
    assert!(shown[0].starts_with("< 334 ADAT") && shown[2].starts_with("< 335 ADAT"), "{shown:?}");
    assert!(shown[1].starts_with("> ADAT ") && shown[3].starts_with("> ADAT "), "{shown:?}");
}

#[test]
fn a_server_that_signs_for_another_address_fails_the_redirection_check() {
    let stage = Stage::with(|config| {
        config.security.mechanisms = vec![Mechanism::SafeTp1];
        config.address = pinned("203.0.113.7");
    });
    let outcome = stage.trusting(&["ls", "-v", &stage.url("")]).run();
    outcome.is_failure(4, &["redirection check", "203.0.113.7", "127.0.0.1", "ask its administrator"]);
    assert!(!outcome.err.contains("USER"), "{}", outcome.err);
}

#[test]
fn a_server_without_an_address_refuses_with_431() {
    let stage = Stage::safetp1();
    stage.address.send_replace(None);
    stage.trusting(&["ls", &stage.url("")]).run().is_failure(4, &["431"]);
}

#[test]
fn a_wrong_password_and_a_missing_file_have_their_exit_codes() {
    let stage = Stage::safetp1();
    stage.trusting(&["ls", &stage.url("")]).env("SAFETP_PASSWORD", "wrong").run().is_failure(5, &["530"]);
    stage.trusting(&["get", &stage.url("nothing")]).run().is_failure(1, &["550"]);
}

#[test]
fn uploads_and_downloads_resume() {
    let stage = Stage::safetp1();
    let content = octets(100_000);
    fs::write(stage.here("file"), &content).unwrap();
    fs::write(stage.there("file"), &content[..60_000]).unwrap();
    stage.trusting(&["put", "file", &stage.url(""), "--continue"]).run().is_done();
    assert_eq!(fs::read(stage.there("file")).unwrap(), content);
    stage.leave_part("back", &content[..70_000]);
    stage.trusting(&["get", &stage.url("file"), "back", "--continue"]).run().is_done();
    assert_eq!(fs::read(stage.here("back")).unwrap(), content);
}
