//! Exit codes are a promise to scripts, and every one comes with a sentence.

use std::{fs, net::TcpListener, os::unix::fs::PermissionsExt as _};

use safetp_pod::PASSWORD;

use crate::support::Stage;

#[test]
fn a_refusal_is_1() {
    let stage = Stage::new();
    stage.safetp(&["get", &stage.url("nothing")]).run().is_failure(1, &["refused RETR nothing", "550"]);
    stage.safetp(&["rm", &stage.url("nothing")]).run().is_failure(1, &["refused DELE nothing"]);
    assert!(!stage.here("nothing").exists());
}

#[test]
fn an_invalid_command_line_is_2() {
    let stage = Stage::new();
    stage.safetp(&["ls", "http://host/"]).run().is_failure(2, &["safetp://"]);
    stage.safetp(&["ls", &stage.url(""), "--insecure"]).run().is_failure(2, &["unexpected argument"]);
    stage.safetp(&["get", &stage.url("folder/")]).run().is_failure(2, &["names a directory"]);
    stage.safetp(&["put", "-", &stage.url("")]).run().is_failure(2, &["end in the name of the new file"]);
}

#[test]
fn a_password_in_a_url_is_2_and_is_not_repeated() {
    let stage = Stage::new();
    let outcome = stage.safetp(&["ls", "safetp://alice:hunter2@127.0.0.1/"]).run();
    outcome.is_failure(2, &["do not put a password in a URL", "SAFETP_PASSWORD"]);
}

#[test]
fn an_unreachable_server_is_3() {
    let stage = Stage::new();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    stage.safetp(&["ls", &format!("safetp://alice@{free}/")]).run().is_failure(3, &["failed to connect", "firewall"]);
}

#[test]
fn a_wrong_password_is_5() {
    let stage = Stage::new();
    stage.safetp(&["ls", &stage.url("")]).env("SAFETP_PASSWORD", "wrong").run().is_failure(5, &["alice", "530"]);
}

#[test]
fn without_a_password_and_a_terminal_it_is_5() {
    let stage = Stage::new();
    let outcome = stage.safetp(&["ls", &stage.url("")]).without_env("SAFETP_PASSWORD").run();
    outcome.is_failure(5, &["no password for alice", "SAFETP_PASSWORD"]);
}

#[test]
fn a_local_file_that_is_not_there_is_7() {
    let stage = Stage::new();
    stage.safetp(&["put", "nothing", &stage.url("")]).run().is_failure(7, &["failed to open nothing"]);
    stage.safetp(&["get", &stage.url("x"), "no/such/place"]).run().is_failure(7, &["no/such/place"]);
    stage.safetp(&["ls", &stage.url(""), "--ca", "nothing.pem"]).run();
}

#[test]
fn user_and_password_are_read_from_netrc() {
    let stage = Stage::new();
    let netrc = stage.here(".netrc");
    fs::write(&netrc, format!("machine 127.0.0.1 login alice password \"{PASSWORD}\"\n")).unwrap();
    let ls = |url: &str| stage.safetp(&["ls", url]).without_env("SAFETP_PASSWORD").run();
    fs::set_permissions(&netrc, fs::Permissions::from_mode(0o644)).unwrap();
    ls(&stage.url("")).is_failure(7, &[".netrc", "chmod 600"]);
    fs::set_permissions(&netrc, fs::Permissions::from_mode(0o600)).unwrap();
    ls(&stage.url("")).is_done();
    ls(&format!("safetp://{}/", stage.address())).is_done();
}
